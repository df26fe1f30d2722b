//! Attaching, waiting for what a child does, and keeping it.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use forebear_model::observation::{
    Argv, Builtin, Exec, Executable, Exit, Fork, Line, Observation, ParentFacts, Place, Running,
    TypedText,
};
use forebear_model::{Known, Pid};
use forebear_sensor::{Live, LiveOptions};

const DEADLINE: Duration = Duration::from_secs(20);

/// An attached sensor and everything that it has said.
pub(crate) struct Watch {
    pub(crate) live: Live,
    pub(crate) seen: Vec<Observation<'static>>,
}

impl Watch {
    /// Attaches; `None`, said on standard error, where that is not possible and not demanded.
    pub(crate) fn attach() -> Option<Self> {
        Self::attach_with(&LiveOptions::default())
    }

    pub(crate) fn attach_with(options: &LiveOptions) -> Option<Self> {
        match Live::attach(options) {
            Ok(live) => Some(Self { live, seen: Vec::new() }),
            Err(error) if std::env::var("CI").as_deref() == Ok("true") => {
                panic!("the kernel tests cannot run here: {error}: {error:?}")
            }
            Err(error) => {
                eprintln!("not run: {error}: {error:?}");
                None
            }
        }
    }

    /// Takes what is there now.
    pub(crate) fn drain(&mut self, timeout: Duration) {
        let seen = &mut self.seen;
        self.live.drain(timeout, &mut |observation| seen.push(keep(observation))).unwrap();
    }

    /// Waits until `found` is true of what was seen.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, found: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !found(self) {
            assert!(start.elapsed() < DEADLINE, "{what} was not seen");
            self.drain(Duration::from_millis(10));
        }
    }

    /// Runs a command to its end and waits until its end was seen; returns its pid.
    #[track_caller]
    pub(crate) fn run(&mut self, command: &mut Command) -> u32 {
        let mut child = command.spawn().unwrap();
        self.finish(&mut child)
    }

    #[track_caller]
    pub(crate) fn finish(&mut self, child: &mut Child) -> u32 {
        child.wait().unwrap();
        let pid = child.id();
        self.until("the child's end", |watch| watch.exit(pid).is_some());
        pid
    }

    pub(crate) fn forks(&self) -> impl Iterator<Item = &Fork<'static>> {
        self.seen.iter().filter_map(|observation| match observation {
            Observation::Fork(fork) => Some(fork),
            _ => None,
        })
    }

    pub(crate) fn execs(&self) -> impl Iterator<Item = &Exec<'static>> {
        self.seen.iter().filter_map(|observation| match observation {
            Observation::Exec(exec) => Some(&**exec),
            _ => None,
        })
    }

    pub(crate) fn exit(&self, pid: u32) -> Option<Exit> {
        self.seen.iter().find_map(|observation| match observation {
            Observation::Exit(exit) if exit.process.pid == Pid(pid) => Some(*exit),
            _ => None,
        })
    }

    #[track_caller]
    pub(crate) fn fork_of(&self, pid: u32) -> &Fork<'static> {
        self.forks().find(|fork| fork.child.pid == Pid(pid)).expect("its fork was seen")
    }

    /// The only exec of a process.
    #[track_caller]
    pub(crate) fn exec_of(&self, pid: u32) -> &Exec<'static> {
        let execs: Vec<_> = self.execs().filter(|exec| exec.process.pid == Pid(pid)).collect();
        assert_eq!(execs.len(), 1, "execs of {pid}: {execs:#?}");
        execs[0]
    }

    /// The exec of a program by a descendant of that process (the deed's child).
    #[track_caller]
    pub(crate) fn child_exec_of(&self, pid: u32) -> &Exec<'static> {
        self.execs()
            .find(|exec| exec.parent.pid == Pid(pid))
            .unwrap_or_else(|| panic!("a child of {pid} runs a program: {:#?}", self.seen))
    }
}

fn leak(bytes: &[u8]) -> &'static [u8] {
    Vec::leak(bytes.to_vec())
}

fn leak_known(bytes: Known<&[u8]>) -> Known<&'static [u8]> {
    bytes.map(leak)
}

fn leak_place(place: &Place<'_>) -> Place<'static> {
    Place {
        pid_namespace: place.pid_namespace,
        cgroup: place.cgroup,
        cgroup_path: place.cgroup_path.map(leak),
    }
}

fn leak_argv(argv: Argv<'_>) -> Argv<'static> {
    Argv { bytes: leak(argv.bytes), total: argv.total }
}

fn leak_executable(file: &Executable<'_>) -> Executable<'static> {
    Executable {
        path: leak_known(file.path),
        file: file.file,
        owner: file.owner,
        group: file.group,
        mode: file.mode,
        deleted: file.deleted,
        memfd: file.memfd,
        upper_layer: file.upper_layer,
    }
}

/// A copy that outlives the drain; the bytes are leaked, which a test may do.
pub(crate) fn keep(observation: &Observation<'_>) -> Observation<'static> {
    match observation {
        Observation::Clock(pair) => Observation::Clock(*pair),
        Observation::Fork(fork) => Observation::Fork(Fork {
            at: fork.at,
            creator: fork.creator,
            parent: fork.parent,
            child: fork.child,
            state: fork.state.clone(),
            place: leak_place(&fork.place),
            kernel_thread: fork.kernel_thread,
        }),
        Observation::Exec(exec) => Observation::Exec(Box::new(Exec {
            at: exec.at,
            process: exec.process,
            state: exec.state.clone(),
            place: leak_place(&exec.place),
            executable: leak_executable(&exec.executable),
            filename: leak_known(exec.filename),
            interpreter: exec.interpreter.map(leak),
            argv: leak_argv(exec.argv),
            cwd: leak_known(exec.cwd),
            setuid: exec.setuid,
            setgid: exec.setgid,
            parent: exec.parent,
            parent_facts: exec.parent_facts.as_ref().map(|facts| ParentFacts {
                state: facts.state.clone(),
                place: leak_place(&facts.place),
                cwd: leak_known(facts.cwd),
                file: facts.file,
                comm: leak(facts.comm),
                parent: facts.parent,
            }),
            tcp_peer: exec.tcp_peer,
        })),
        Observation::Exit(exit) => Observation::Exit(*exit),
        Observation::Builtin(builtin) => Observation::Builtin(Box::new(Builtin {
            at: builtin.at,
            process: builtin.process,
            parent: builtin.parent,
            state: builtin.state.clone(),
            place: leak_place(&builtin.place),
            cwd: leak_known(builtin.cwd),
            shell: builtin.shell,
            source: builtin.source,
            name: leak(builtin.name),
            argv: leak_argv(builtin.argv),
            exit_status: builtin.exit_status,
        })),
        Observation::Line(line) => Observation::Line(Line {
            text: line.text.map(|text| TypedText { bytes: leak(text.bytes), total: text.total }),
            ..*line
        }),
        Observation::SnapshotBegin(at) => Observation::SnapshotBegin(*at),
        Observation::Running(running) => Observation::Running(Box::new(Running {
            process: running.process,
            parent: running.parent,
            state: running.state.clone(),
            place: leak_place(&running.place),
            executable: running.executable.as_ref().map(leak_executable),
            comm: leak(running.comm),
            argv: running.argv.map(leak_argv),
            cwd: leak_known(running.cwd),
            tcp_peer: running.tcp_peer,
        })),
        Observation::Bound(_) | Observation::Revoked(_) | Observation::Verification(_) => {
            unreachable!("no sensor verifies people")
        }
        Observation::SnapshotEnd => Observation::SnapshotEnd,
        Observation::Lost(lost) => Observation::Lost(*lost),
    }
}
