//! A simulated machine: does what the kernel does to processes and tells the model about it, as
//! the sensor would.
//!
//! It keeps the whole history, so that tests can compare the model, which forgets, with it.
//! Long because a machine is one thing.

use std::collections::BTreeMap;

use forebear_model::observation::{
    Argv, Builtin, Exec, Executable, Exit, FileId, Fork, Lost, ParentFacts, PidNamespace, Place,
    Running, State, TcpPeer, TypedText,
};
use forebear_model::trace::{self, Content, Line};
use forebear_model::{
    AuditSession, BootId, BootTime, BuiltinSource, CgroupId, Credentials, Device, Fact, Gid,
    HostId, Inception, Model, NamespaceId, Observation, Pgid, Pid, ProcessKey, ProcessUuid, Shell,
    Sid, Stream, StreamKind, Terminal, Uid, Why,
};

/// A process of the simulated machine, ended ones included.
#[derive(Clone, Debug)]
pub(crate) struct Proc {
    pub(crate) key: ProcessKey,
    pub(crate) creator: Option<ProcessKey>,
    pub(crate) parent: ProcessKey,
    pub(crate) state: State,
    pub(crate) exe: String,
    pub(crate) argv: Vec<u8>,
    pub(crate) cwd: String,
    pub(crate) pid_namespace: Option<PidNamespace>,
    pub(crate) cgroup: (u64, String),
    pub(crate) accepted: Option<TcpPeer>,
    pub(crate) owner: u32,
    /// A snapshot cannot see what it runs.
    pub(crate) exe_hidden: bool,
    pub(crate) alive: bool,
    pub(crate) kernel_thread: bool,
}

/// An event as the model told it, with the five processes by identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) backfill: bool,
    /// The builtin that was run.
    pub(crate) builtin: Option<String>,
    /// The line that was typed for it.
    pub(crate) line: Option<String>,
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) uuid: ProcessUuid,
    pub(crate) parent: Result<u32, Why>,
    pub(crate) session_leader: Result<u32, Why>,
    pub(crate) inception: Result<u32, Why>,
    pub(crate) last_user_entered: Option<Result<u32, Why>>,
    pub(crate) user_entered: bool,
    pub(crate) door: Option<Inception>,
    pub(crate) inferred: bool,
    pub(crate) exec_count: u32,
    /// Account and roles of the verified person, at the time of the event.
    pub(crate) person: Option<String>,
    pub(crate) differs_from_creator: bool,
}

pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) processes: BTreeMap<ProcessKey, Proc>,
    pub(crate) told: Vec<Told>,
    /// Who asked for the verifications that were told.
    pub(crate) attempts: Vec<Option<u32>>,
    pub(crate) now: u64,
    next_pid: u32,
    /// Observations are dropped while this is set.
    pub(crate) deaf: bool,
    lost: Lost,
    /// Every observation that was told, in the text form of traces.
    pub(crate) trace: Vec<String>,
}

pub(crate) const PTS: fn(u32) -> Device = |minor| Device { major: 136, minor };

impl World {
    /// PID 1, which leads session 1, and kthreadd are running; the model knows nothing yet.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            model: Model::new(HostId([1; 16]), BootId([2; 16])),
            processes: BTreeMap::new(),
            told: Vec::new(),
            now: 1_000_000_000,
            next_pid: 100,
            deaf: false,
            lost: Lost::default(),
            trace: Vec::new(),
            attempts: Vec::new(),
        };
        let nobody = ProcessKey { pid: Pid(0), start: BootTime(0) };
        for (pid, exe, sid) in [(1, "/usr/lib/systemd/systemd", 1), (2, "", 0)] {
            let key = ProcessKey { pid: Pid(pid), start: BootTime(u64::from(pid) * 10_000_001) };
            let state = State {
                credentials: Credentials { uid: Uid(0), euid: Uid(0), gid: Gid(0), egid: Gid(0) },
                login_uid: None,
                audit_session: None,
                sid: Sid(sid),
                pgid: Pgid(sid),
                tty: None,
                streams: Ok([None; 3]),
            };
            let proc = Proc {
                key,
                creator: None,
                parent: nobody,
                state,
                exe: exe.to_owned(),
                argv: format!("{exe}\0").into_bytes(),
                cwd: "/".to_owned(),
                pid_namespace: None,
                cgroup: (1, "/".to_owned()),
                accepted: None,
                owner: 0,
                exe_hidden: false,
                alive: true,
                kernel_thread: pid == 2,
            };
            world.processes.insert(key, proc);
        }
        world
    }

    /// A world whose running processes the model has already been told.
    pub(crate) fn observed() -> Self {
        let mut world = Self::new();
        world.snapshot();
        world.told.clear();
        world
    }

    pub(crate) fn init(&self) -> ProcessKey {
        self.key_of(1)
    }

    pub(crate) fn key_of(&self, pid: u32) -> ProcessKey {
        let mut alive = self.processes.values().filter(|proc| proc.alive);
        alive.find(|proc| proc.key.pid.0 == pid).expect("the process lives").key
    }

    pub(crate) fn get(&self, key: ProcessKey) -> &Proc {
        &self.processes[&key]
    }

    pub(crate) fn get_mut(&mut self, key: ProcessKey) -> &mut Proc {
        self.processes.get_mut(&key).expect("the process exists")
    }

    pub(crate) fn fork(&mut self, creator: ProcessKey) -> ProcessKey {
        let pid = self.next_pid;
        self.next_pid += 1;
        self.fork_as(creator, pid)
    }

    /// Forks a child with this very pid.
    pub(crate) fn fork_as(&mut self, creator: ProcessKey, pid: u32) -> ProcessKey {
        self.now += 1_000_003;
        self.fork_now(creator, pid, creator)
    }

    /// Forks without the clock going on; `parent` is the kernel's parent of the child.
    pub(crate) fn fork_now(
        &mut self,
        creator: ProcessKey,
        pid: u32,
        parent: ProcessKey,
    ) -> ProcessKey {
        let child = ProcessKey { pid: Pid(pid), start: BootTime(self.now) };
        let mut proc = self.get(creator).clone();
        proc.key = child;
        proc.creator = Some(creator);
        proc.parent = parent;
        proc.accepted = self.get(creator).accepted;
        self.tell_fork(&proc, creator);
        self.processes.insert(child, proc);
        child
    }

    /// Forks the first process of a new pid namespace.
    pub(crate) fn fork_into_namespace(&mut self, creator: ProcessKey, inode: u32) -> ProcessKey {
        self.now += 1_000_003;
        let pid = self.next_pid;
        self.next_pid += 1;
        let child = ProcessKey { pid: Pid(pid), start: BootTime(self.now) };
        let mut proc = self.get(creator).clone();
        proc.key = child;
        proc.creator = Some(creator);
        proc.parent = creator;
        proc.pid_namespace = Some(PidNamespace { id: NamespaceId(inode), level: 1, pid: Pid(1) });
        self.tell_fork(&proc, creator);
        self.processes.insert(child, proc);
        child
    }

    fn tell_fork(&mut self, child: &Proc, creator: ProcessKey) {
        let fork = Fork {
            at: BootTime(self.now),
            creator,
            parent: child.parent,
            child: child.key,
            state: self.get(creator).state.clone(),
            place: Place {
                pid_namespace: child.pid_namespace,
                cgroup: CgroupId(child.cgroup.0),
                cgroup_path: None,
            },
            kernel_thread: child.kernel_thread,
        };
        self.tell(&Observation::Fork(fork));
    }

    pub(crate) fn setsid(&mut self, key: ProcessKey) {
        let state = &mut self.get_mut(key).state;
        state.sid = Sid(key.pid.0);
        state.pgid = Pgid(key.pid.0);
        state.tty = None;
        self.recheck_ctty(key);
    }

    pub(crate) fn setpgid(&mut self, key: ProcessKey, pgid: u32) {
        self.get_mut(key).state.pgid = Pgid(pgid);
    }

    /// Opens a terminal as the controlling one, on all three streams.
    pub(crate) fn open_terminal(&mut self, key: ProcessKey, device: Device) {
        let stream = Stream { device, kind: StreamKind::Tty, is_ctty: true };
        let state = &mut self.get_mut(key).state;
        state.tty = Some(Terminal::new(device));
        state.streams = Ok([Some(stream); 3]);
    }

    pub(crate) fn redirect(&mut self, key: ProcessKey, descriptor: usize, to: Option<Stream>) {
        if let Ok(streams) = &mut self.get_mut(key).state.streams {
            streams[descriptor] = to;
        }
    }

    fn recheck_ctty(&mut self, key: ProcessKey) {
        let state = &mut self.get_mut(key).state;
        let tty = state.tty.map(|tty| tty.device);
        if let Ok(streams) = &mut state.streams {
            for stream in streams.iter_mut().flatten() {
                stream.is_ctty = Some(stream.device) == tty;
            }
        }
    }

    pub(crate) fn login(&mut self, key: ProcessKey, uid: u32, audit_session: u32) {
        let state = &mut self.get_mut(key).state;
        state.login_uid = Some(Uid(uid));
        state.audit_session = Some(AuditSession(audit_session));
    }

    pub(crate) fn become_user(&mut self, key: ProcessKey, uid: u32) {
        let ids = Credentials { uid: Uid(uid), euid: Uid(uid), gid: Gid(uid), egid: Gid(uid) };
        self.get_mut(key).state.credentials = ids;
    }

    pub(crate) fn exec(&mut self, key: ProcessKey, exe: &str) -> Told {
        self.exec_as(key, exe, format!("{exe}\0").as_bytes())
    }

    pub(crate) fn exec_as(&mut self, key: ProcessKey, exe: &str, argv: &[u8]) -> Told {
        self.now += 1_000_003;
        let proc = self.get_mut(key);
        proc.exe = exe.to_owned();
        proc.argv = argv.to_vec();
        let before = self.told.len();
        self.tell_exec(key);
        self.told.get(before).cloned().unwrap_or_else(|| self.nothing_told())
    }

    fn nothing_told(&self) -> Told {
        assert!(self.deaf, "an exec that is heard is told");
        Told {
            backfill: false,
            builtin: None,
            line: None,
            pid: 0,
            name: String::new(),
            uuid: ProcessUuid([0; 16]),
            parent: Err(Why::SensorLostEvents),
            session_leader: Err(Why::SensorLostEvents),
            inception: Err(Why::SensorLostEvents),
            last_user_entered: None,
            user_entered: false,
            door: None,
            inferred: false,
            exec_count: 0,
            person: None,
            differs_from_creator: false,
        }
    }

    fn tell_exec(&mut self, key: ProcessKey) {
        let proc = self.get(key).clone();
        let parent = self.processes.get(&proc.parent).cloned();
        let facts = parent.as_ref().map(|parent| ParentFacts {
            state: parent.state.clone(),
            place: place(parent, None),
            cwd: Ok(parent.cwd.as_bytes()),
            file: (!parent.kernel_thread).then(|| file(&parent.exe)),
            comm: comm(&parent.exe),
            parent: parent.parent,
        });
        let leads = proc.key.pid.0 == proc.state.sid.0;
        let exec = Exec {
            at: BootTime(self.now),
            process: key,
            state: proc.state.clone(),
            place: place(&proc, parent.as_ref()),
            executable: executable(&proc),
            filename: Ok(proc.exe.as_bytes()),
            interpreter: None,
            argv: Argv::whole(&proc.argv),
            cwd: Ok(proc.cwd.as_bytes()),
            setuid: false,
            setgid: false,
            parent: proc.parent,
            parent_facts: facts,
            tcp_peer: parent.as_ref().filter(|_| leads).and_then(|parent| parent.accepted),
        };
        self.tell(&Observation::Exec(Box::new(exec)));
    }

    pub(crate) fn exit(&mut self, key: ProcessKey) {
        self.now += 1_000_003;
        let init = self.init();
        for proc in self.processes.values_mut() {
            if proc.alive && proc.parent == key {
                proc.parent = init;
            }
        }
        self.get_mut(key).alive = false;
        let exit = Exit { at: BootTime(self.now), process: key, status: 0 };
        self.tell(&Observation::Exit(exit));
    }

    /// Looks at everybody who lives now, and tells the model.
    pub(crate) fn snapshot(&mut self) {
        self.snapshot_begin();
        self.snapshot_running();
        self.snapshot_end();
    }

    pub(crate) fn snapshot_begin(&mut self) {
        self.now += 1_000_003;
        self.tell(&Observation::SnapshotBegin(BootTime(self.now)));
    }

    pub(crate) fn snapshot_running(&mut self) {
        let alive: Vec<Proc> = self.processes.values().filter(|p| p.alive).cloned().collect();
        // Youngest first: the order of a snapshot means nothing.
        for proc in alive.iter().rev() {
            let parent = self.processes.get(&proc.parent);
            let running = Running {
                process: proc.key,
                parent: proc.parent,
                state: proc.state.clone(),
                place: Place { cgroup_path: Some(proc.cgroup.1.as_bytes()), ..place(proc, None) },
                executable: (!proc.kernel_thread).then(|| seen_executable(proc)),
                comm: comm(&proc.exe),
                argv: Ok(Argv::whole(&proc.argv)),
                cwd: Ok(proc.cwd.as_bytes()),
                tcp_peer: parent.and_then(|parent| parent.accepted),
            };
            self.tell(&Observation::Running(Box::new(running)));
        }
    }

    pub(crate) fn snapshot_end(&mut self) {
        self.tell(&Observation::SnapshotEnd);
    }

    /// The sensor hears again, and says what it has missed.
    pub(crate) fn hear_again(&mut self) {
        self.deaf = false;
        let lost = std::mem::take(&mut self.lost);
        self.tell(&Observation::Lost(lost));
    }

    pub(crate) fn tell(&mut self, observation: &Observation<'_>) {
        if self.deaf {
            match observation {
                Observation::Fork(_) => self.lost.forks += 1,
                Observation::Exec(_) => self.lost.execs += 1,
                Observation::Exit(_) => self.lost.exits += 1,
                _ => {}
            }
            return;
        }
        let mut line = Vec::new();
        trace::print(observation, &mut line);
        self.trace.push(String::from_utf8(line).expect("a trace is UTF-8"));
        let (told, attempts) = (&mut self.told, &mut self.attempts);
        self.model.apply(observation, &mut |model, fact| match fact {
            Fact::Verification { process, .. } => {
                attempts.push(process.map(|process| process.pid().0));
            }
            fact => told.push(describe(model, &fact)),
        });
    }

    /// An sshd that PID 1 has started, listening.
    pub(crate) fn sshd(&mut self) -> ProcessKey {
        let init = self.init();
        let sshd = self.fork(init);
        self.setsid(sshd);
        self.get_mut(sshd).cgroup = (10, "/system.slice/ssh.service".to_owned());
        self.exec(sshd, "/usr/sbin/sshd");
        sshd
    }

    /// What OpenSSH 9.2 does for one connection up to the login shell's exec: the listener's
    /// child makes a session and runs sshd again, logs in, and makes the unprivileged process,
    /// which makes the shell's.
    pub(crate) fn ssh_login(&mut self, sshd: ProcessKey, minor: u32) -> ProcessKey {
        let shell = self.ssh_child(sshd, 7);
        self.open_terminal(shell, PTS(minor));
        self.exec(shell, "/bin/bash");
        shell
    }

    /// The process that sshd has made for a user's program, which has not been run yet.
    pub(crate) fn ssh_child(&mut self, sshd: ProcessKey, audit_session: u32) -> ProcessKey {
        let monitor = self.ssh_monitor(sshd);
        self.ssh_session(monitor, audit_session)
    }

    /// The process that sshd makes for a connection, before anybody has logged in.
    pub(crate) fn ssh_monitor(&mut self, sshd: ProcessKey) -> ProcessKey {
        let monitor = self.fork(sshd);
        self.setsid(monitor);
        self.get_mut(monitor).accepted = Some(TcpPeer { ip: [10, 0, 0, 9].into(), port: 5022 });
        self.exec(monitor, "/usr/sbin/sshd");
        monitor
    }

    /// The process that a connection makes for a user's program.
    pub(crate) fn ssh_session(&mut self, monitor: ProcessKey, audit_session: u32) -> ProcessKey {
        self.login(monitor, 1000, audit_session);
        let unprivileged = self.fork(monitor);
        self.become_user(unprivileged, 1000);
        let child = self.fork(unprivileged);
        self.get_mut(child).accepted = None;
        self.setsid(child);
        child
    }

    /// Types a command at an interactive shell: a child in a group of its own runs it.
    pub(crate) fn type_at(&mut self, shell: ProcessKey, exe: &str) -> (ProcessKey, Told) {
        let child = self.fork(shell);
        self.setpgid(child, child.pid.0);
        let told = self.exec(child, exe);
        (child, told)
    }

    /// The shell runs a builtin.
    pub(crate) fn builtin(&mut self, shell: ProcessKey, name: &str) -> Told {
        self.now += 1_000_003;
        let proc = self.get(shell).clone();
        let before = self.told.len();
        self.tell(&Observation::Builtin(Box::new(Builtin {
            at: BootTime(self.now),
            process: shell,
            parent: proc.parent,
            state: proc.state.clone(),
            place: place(&proc, None),
            cwd: Ok(proc.cwd.as_bytes()),
            shell: Shell::Bash,
            source: BuiltinSource::Call,
            name: name.as_bytes(),
            argv: Argv::whole(format!("{name}\0").as_bytes()),
            exit_status: Some(0),
        })));
        self.told.get(before).cloned().expect("a builtin is told")
    }

    /// The shell's editor hands over a line; `None`: it is about to ask for one.
    pub(crate) fn line(&mut self, shell: ProcessKey, text: Option<&str>, continues: bool) {
        self.now += 1_000_003;
        let typed = text.map(|text| TypedText { bytes: text.as_bytes(), total: text.len() as u64 });
        let at = BootTime(self.now);
        self.tell(&Observation::Line(forebear_model::observation::Line {
            at,
            process: shell,
            text: typed,
            continues,
        }));
    }

    /// Runs a command as a script would: a child in the same group.
    pub(crate) fn run_from(&mut self, script: ProcessKey, exe: &str) -> (ProcessKey, Told) {
        let child = self.fork(script);
        let told = self.exec(child, exe);
        (child, told)
    }

    pub(crate) fn last_told_of(&self, key: ProcessKey) -> &Told {
        let mut told = self.told.iter().rev();
        told.find(|told| told.pid == key.pid.0).expect("something was told of the process")
    }
}

/// Runs the lines of a trace through a model.
pub(crate) fn replay<'l>(
    model: &mut Model,
    lines: impl IntoIterator<Item = &'l String>,
) -> Vec<Told> {
    let mut told = Vec::new();
    for line in lines {
        let line = Line::split(line.trim_end()).expect("what was printed can be split");
        match line.content().expect("what was printed can be read") {
            Content::Observation(observation) => {
                model.apply(&observation, &mut |model, fact| told.push(describe(model, &fact)));
            }
            other => panic!("not an observation: {other:?}"),
        }
    }
    told
}

fn place<'p>(proc: &'p Proc, parent: Option<&Proc>) -> Place<'p> {
    let moved = parent.is_some_and(|parent| parent.cgroup.0 != proc.cgroup.0);
    Place {
        pid_namespace: proc.pid_namespace,
        cgroup: CgroupId(proc.cgroup.0),
        cgroup_path: moved.then_some(proc.cgroup.1.as_bytes()),
    }
}

fn file(exe: &str) -> FileId {
    let inode = exe.bytes().fold(7_u64, |hash, byte| hash * 31 % 65_537 + u64::from(byte));
    FileId { device: Device { major: 8, minor: 1 }, inode }
}

fn executable(proc: &Proc) -> Executable<'_> {
    Executable {
        path: Ok(proc.exe.as_bytes()),
        file: file(&proc.exe),
        owner: Uid(proc.owner),
        group: Gid(0),
        mode: 0o100_755,
        deleted: false,
        memfd: false,
        upper_layer: false,
    }
}

fn seen_executable(proc: &Proc) -> Executable<'_> {
    let mut executable = executable(proc);
    if proc.exe_hidden {
        executable.path = Err(Why::PermissionDenied);
        executable.file = FileId { device: Device { major: 0, minor: 0 }, inode: 0 };
    }
    executable
}

fn comm(exe: &str) -> &[u8] {
    let name = exe.rsplit('/').next().unwrap_or_default().as_bytes();
    &name[..name.len().min(15)]
}

fn describe(model: &Model, fact: &Fact<'_>) -> Told {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (process, at, backfill, builtin, line) = match fact {
        Fact::Executed { process, exec, line, .. } => {
            (*process, exec.at, false, None, line.as_ref())
        }
        Fact::RanBuiltin { process, builtin, line } => {
            (*process, builtin.at, false, Some(text(builtin.name)), line.as_ref())
        }
        Fact::Found { process, at, .. } => (*process, *at, true, None, None),
        Fact::Verification { .. } => unreachable!("it is not an event of a process's own"),
    };
    let context = model.context(process);
    let pid = |process: &forebear_model::Process| process.pid().0;
    Told {
        backfill,
        builtin,
        line: line.map(|line| text(line.bytes())),
        pid: pid(process),
        name: process
            .image()
            .map_or(String::new(), |image| String::from_utf8_lossy(&image.name).into_owned()),
        uuid: process.uuid(),
        parent: context.parent.map(pid),
        session_leader: context.session_leader.map(pid),
        inception: context.inception.map(pid),
        last_user_entered: context.last_user_entered.map(|known| known.map(pid)),
        user_entered: process.user_entered(),
        door: context.inception.ok().and_then(|process| process.inception().cloned()),
        inferred: context.inception_inferred,
        exec_count: process.exec_count(),
        person: context.inception.ok().and_then(|inception| inception.person_at(at)).map(
            |person| {
                let words = [&person.account].into_iter().chain(&person.roles);
                words.map(|word| &**word).collect::<Vec<_>>().join(" ")
            },
        ),
        differs_from_creator: process.creator_uuid() != process.parent_uuid(),
    }
}
