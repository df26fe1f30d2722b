//! A made-up machine: does what a kernel does to processes, and tells it to the process model as
//! the sensor would.
//!
//! So the events are those that the agent would have written, by its own code: who stands behind
//! whom is decided nowhere in this crate.
//!
//! Long because a machine is one thing.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use forebear_events::v1::Timestamp;
use forebear_events::{AgentReport, Reason, Recorder, Run};
use forebear_model::observation::{
    Argv, Exec, Executable, Exit, FileId, Fork, ParentFacts, PidNamespace, Place, Running, State,
    TcpPeer,
};
use forebear_model::{
    AuditSession, BootTime, CgroupId, ClockPair, Credentials, Device, Gid, Model, Observation,
    Pgid, Pid, ProcessKey, Sid, StreamKind, Terminal, Uid, WallTime,
};

use crate::stream::Stream;

pub(crate) mod people;
mod report;

/// A text that is mostly known in advance.
pub(crate) type Text = Cow<'static, str>;

/// A living process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id(usize);

/// A control group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: u64,
    pub(crate) path: Text,
}

#[derive(Clone, Debug)]
struct Proc {
    key: ProcessKey,
    parent: ProcessKey,
    /// Where the parent is, as long as it lives.
    parent_at: usize,
    children: u32,
    state: State,
    exe: Text,
    argv: Vec<u8>,
    cwd: Text,
    group: Group,
    pid_namespace: Option<PidNamespace>,
    /// The connection that it has accepted.
    accepted: Option<TcpPeer>,
}

/// A program to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    /// The executable file.
    pub(crate) exe: &'a str,
    /// The path given to execve, where it does not follow from how the program is called: beside
    /// the file, or at its own path.
    pub(crate) filename: Option<&'a str>,
    /// The interpreter, if it is a script.
    pub(crate) interpreter: Option<&'a str>,
    /// The arguments.
    pub(crate) argv: &'a [&'a str],
}

impl<'a> Program<'a> {
    /// A program that is called by its path.
    pub(crate) fn new(exe: &'a str, argv: &'a [&'a str]) -> Self {
        Self { exe, filename: None, interpreter: None, argv }
    }
}

/// The machine.
pub(crate) struct Kernel {
    model: Model,
    recorder: Recorder,
    stream: Stream,
    wall_of_boot: i64,
    now: u64,
    processes: Vec<Option<Proc>>,
    free: Vec<usize>,
    next_pid: u32,
    next_group: u64,
    next_audit_session: u32,
    observed: u64,
    emitted: u64,
    quota: u64,
    line: Vec<u8>,
    /// The agent runs.
    is_watched: bool,
    /// The first thing that went wrong while writing.
    failed: Option<anyhow::Error>,
}

impl Kernel {
    /// A machine that was booted `uptime` nanoseconds before `begin` (wall time), on which PID 1
    /// and kthreadd run. Nothing is recorded before [`Kernel::start_agent`]; after `quota` events
    /// the recording is over.
    pub(crate) fn new(run: Run, stream: Stream, begin: i64, uptime: u64, quota: u64) -> Self {
        let mut kernel = Self {
            model: Model::new(run.host.id, run.host.boot_id),
            recorder: report::recorder(run),
            stream,
            wall_of_boot: begin - uptime.cast_signed(),
            now: uptime,
            processes: Vec::new(),
            free: Vec::new(),
            next_pid: 300,
            next_group: 100,
            next_audit_session: 1,
            observed: 0,
            emitted: 0,
            quota,
            line: Vec::with_capacity(16 << 10),
            is_watched: false,
            failed: None,
        };
        for (pid, exe) in [(1, "/usr/lib/systemd/systemd"), (2, "")] {
            kernel.insert(first(pid, exe));
        }
        kernel
    }

    /// PID 1.
    pub(crate) fn init(&self) -> Id {
        Id(0)
    }

    /// Nanoseconds since boot.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Lets time go by.
    pub(crate) fn pass(&mut self, ns: u64) {
        self.now += ns;
    }

    /// Lets time go by until then, if it is not later already.
    pub(crate) fn pass_until(&mut self, then: u64) {
        self.now = self.now.max(then);
    }

    /// How many events were recorded.
    pub(crate) fn emitted(&self) -> u64 {
        self.emitted
    }

    /// Whether everything is recorded that was to be.
    pub(crate) fn is_full(&self) -> bool {
        self.emitted >= self.quota || self.failed.is_some()
    }

    /// A new control group.
    pub(crate) fn group(&mut self, path: impl Into<Text>) -> Group {
        self.next_group += 1;
        Group { id: self.next_group, path: path.into() }
    }

    /// Puts a process into a control group.
    pub(crate) fn enter(&mut self, id: Id, group: &Group) {
        self.get_mut(id).group = group.clone();
    }

    /// Creates a process.
    pub(crate) fn fork(&mut self, creator: Id) -> Id {
        self.fork_into(creator, None)
    }

    /// Creates a process in a pid namespace, if one is named; its own pid in there is `level` 1's.
    pub(crate) fn fork_into(&mut self, creator: Id, namespace: Option<PidNamespace>) -> Id {
        self.now += 180_000;
        let from = self.get_mut(creator);
        from.children += 1;
        let (creator_key, mut proc) = (from.key, from.clone());
        proc.key = ProcessKey { pid: Pid(self.next_pid), start: BootTime(self.now) };
        self.next_pid += 1;
        (proc.parent, proc.parent_at, proc.children) = (creator_key, creator.0, 0);
        proc.pid_namespace = namespace.or(proc.pid_namespace);
        self.observe(&Observation::Fork(Fork {
            at: BootTime(self.now),
            creator: creator_key,
            parent: creator_key,
            child: proc.key,
            state: proc.state.clone(),
            place: place(&proc, false),
            kernel_thread: false,
        }));
        self.insert(proc)
    }

    /// Runs a program in a process.
    pub(crate) fn exec(&mut self, id: Id, program: &Program<'_>) {
        self.now += 410_000;
        let now = self.now;
        let Program { exe, filename, interpreter, argv } = *program;
        let proc = self.get_mut(id);
        proc.argv.clear();
        for argument in argv {
            proc.argv.extend_from_slice(argument.as_bytes());
            proc.argv.push(0);
        }
        if proc.exe != exe {
            proc.exe = exe.to_owned().into();
        }
        if !self.is_watched {
            return;
        }
        let Self { model, recorder, line, processes, .. } = self;
        let Some(proc) = &processes[id.0] else { return };
        let sibling;
        let filename = match (filename, argv.first()) {
            (Some(filename), _) => filename,
            (None, Some(name)) if name.starts_with('/') && !name.contains(' ') => name,
            (None, Some(name)) if is_plain(name) => {
                sibling = format!("{}/{name}", exe.rsplit_once('/').map_or("", |(dir, _)| dir));
                &sibling
            }
            _ => exe,
        };
        let parent = parent(processes, proc).and_then(|at| processes[at].as_ref());
        let parent_facts = parent.map(|parent| ParentFacts {
            state: parent.state.clone(),
            place: place(parent, false),
            cwd: Ok(parent.cwd.as_bytes()),
            file: (!parent.exe.is_empty()).then(|| file(&parent.exe)),
            comm: comm(&parent.exe),
            parent: parent.parent,
        });
        let leads = proc.key.pid.leads(proc.state.sid);
        let peer = parent.filter(|_| leads).and_then(|parent| parent.accepted);
        let credentials = proc.state.credentials;
        let exec = Exec {
            at: BootTime(now),
            process: proc.key,
            state: proc.state.clone(),
            place: place(proc, true),
            executable: executable(&proc.exe),
            filename: Ok(filename.as_bytes()),
            interpreter: interpreter.map(str::as_bytes),
            argv: Argv::whole(&proc.argv),
            cwd: Ok(proc.cwd.as_bytes()),
            setuid: credentials.uid != credentials.euid,
            setgid: false,
            parent: proc.parent,
            parent_facts,
            tcp_peer: peer,
        };
        let exec = Observation::Exec(Box::new(exec));
        model.apply(&exec, &mut |model, fact| recorder.fact(model, &fact, line));
        self.observed += 1;
        self.deliver();
    }

    /// Ends a process; its children get PID 1 as parent.
    pub(crate) fn exit(&mut self, id: Id) {
        self.now += 90_000;
        let Some(proc) = self.processes[id.0].take() else { return };
        self.free.push(id.0);
        if proc.children > 0 {
            let (init, at) = (self.get(self.init()).key, self.init().0);
            for orphan in self.processes.iter_mut().flatten().filter(|it| it.parent == proc.key) {
                (orphan.parent, orphan.parent_at) = (init, at);
            }
        }
        if let Some(at) = parent(&self.processes, &proc) {
            let parent = self.get_mut(Id(at));
            parent.children = parent.children.saturating_sub(1);
        }
        let exit = Exit { at: BootTime(self.now), process: proc.key, status: 0 };
        self.observe(&Observation::Exit(exit));
    }

    /// Creates a process and runs a program in it.
    pub(crate) fn spawn(&mut self, creator: Id, exe: &str, argv: &[&str]) -> Id {
        let id = self.fork(creator);
        self.exec(id, &Program::new(exe, argv));
        id
    }

    /// Runs a program from its beginning to its end, which is `lasts` nanoseconds later.
    pub(crate) fn run(&mut self, creator: Id, exe: &str, argv: &[&str], lasts: u64) {
        let id = self.spawn(creator, exe, argv);
        self.pass(lasts);
        self.exit(id);
    }

    /// Begins a session (setsid(2)), without a terminal.
    pub(crate) fn setsid(&mut self, id: Id) {
        let proc = self.get_mut(id);
        proc.state.sid = Sid(proc.key.pid.0);
        proc.state.pgid = Pgid(proc.key.pid.0);
        proc.state.tty = None;
        if let Ok(streams) = &mut proc.state.streams {
            streams.iter_mut().flatten().for_each(|stream| stream.is_ctty = false);
        }
    }

    /// Joins the process group that `leader` leads.
    pub(crate) fn setpgid(&mut self, id: Id, leader: Id) {
        let group = self.get(leader).key.pid.0;
        self.get_mut(id).state.pgid = Pgid(group);
    }

    /// Opens a pseudo-terminal as the controlling one, on all standard streams.
    pub(crate) fn open_terminal(&mut self, id: Id, minor: u32) {
        let device = Device { major: 136, minor };
        let stream = forebear_model::Stream { device, kind: StreamKind::Tty, is_ctty: true };
        let state = &mut self.get_mut(id).state;
        state.tty = Some(Terminal::new(device));
        state.streams = Ok([Some(stream); 3]);
    }

    /// Opens something else as a standard stream.
    pub(crate) fn redirect(&mut self, id: Id, descriptor: usize, kind: StreamKind) {
        let device = match kind {
            StreamKind::Char => Device { major: 1, minor: 3 },
            StreamKind::File => Device { major: 8, minor: 1 },
            _ => Device { major: 0, minor: 14 },
        };
        if let Ok(streams) = &mut self.get_mut(id).state.streams {
            streams[descriptor] = Some(forebear_model::Stream { device, kind, is_ctty: false });
        }
    }

    /// Sets all user and group ids.
    pub(crate) fn become_user(&mut self, id: Id, uid: u32) {
        self.get_mut(id).state.credentials = ids(uid, uid);
    }

    /// Sets the effective user to root, as the file mode of sudo does.
    pub(crate) fn set_user_id(&mut self, id: Id) {
        let uid = self.get(id).state.credentials.uid.0;
        self.get_mut(id).state.credentials = ids(uid, 0);
    }

    /// Opens an audit session for a user who logs in.
    pub(crate) fn login(&mut self, id: Id, uid: u32) {
        let session = self.next_audit_session;
        self.next_audit_session += 1;
        let state = &mut self.get_mut(id).state;
        state.login_uid = Some(Uid(uid));
        state.audit_session = Some(AuditSession(session));
    }

    /// Accepts a connection, or closes it.
    pub(crate) fn accept(&mut self, id: Id, peer: Option<TcpPeer>) {
        self.get_mut(id).accepted = peer;
    }

    /// Changes the working directory.
    pub(crate) fn chdir(&mut self, id: Id, cwd: impl Into<Text>) {
        self.get_mut(id).cwd = cwd.into();
    }

    /// A pid namespace that begins with the next process.
    pub(crate) fn new_namespace(&mut self) -> PidNamespace {
        self.next_group += 1;
        let id = forebear_model::NamespaceId(4_026_532_000 + self.next_group as u32);
        PidNamespace { id, level: 1, pid: Pid(1) }
    }

    /// Closes the last batch, and tells what was written or what went wrong.
    pub(crate) fn finish(mut self) -> Result<crate::stream::Written> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.stream.close()?;
        Ok(self.stream.written())
    }

    fn observe(&mut self, observation: &Observation<'_>) {
        if !self.is_watched {
            return;
        }
        let Self { model, recorder, line, .. } = self;
        model.apply(observation, &mut |model, fact| recorder.fact(model, &fact, line));
        self.observed += 1;
        self.deliver();
    }

    /// Hands the lines that were made to the stream.
    fn deliver(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let time = Timestamp(self.wall_of_boot + self.now.cast_signed());
        let now = Duration::from_nanos(self.now);
        for line in self.line.split_inclusive(|byte| *byte == b'\n') {
            if self.emitted >= self.quota || self.failed.is_some() {
                break;
            }
            self.failed = self.stream.add(line, time, now).err();
            self.emitted += 1;
        }
        self.line.clear();
    }

    fn insert(&mut self, proc: Proc) -> Id {
        match self.free.pop() {
            Some(index) => {
                self.processes[index] = Some(proc);
                Id(index)
            }
            None => {
                self.processes.push(Some(proc));
                Id(self.processes.len() - 1)
            }
        }
    }

    #[expect(clippy::expect_used, reason = "an id is held only as long as its process lives")]
    fn get(&self, id: Id) -> &Proc {
        self.processes[id.0].as_ref().expect("the process lives")
    }

    #[expect(clippy::expect_used, reason = "an id is held only as long as its process lives")]
    fn get_mut(&mut self, id: Id) -> &mut Proc {
        self.processes[id.0].as_mut().expect("the process lives")
    }
}

/// Where the parent of a process is, if it lives.
fn parent(processes: &[Option<Proc>], proc: &Proc) -> Option<usize> {
    let parent = processes.get(proc.parent_at)?.as_ref()?;
    (parent.key == proc.parent).then_some(proc.parent_at)
}

fn first(pid: u32, exe: &'static str) -> Proc {
    let null = forebear_model::Stream {
        device: Device { major: 1, minor: 3 },
        kind: StreamKind::Char,
        is_ctty: false,
    };
    let session = if exe.is_empty() { 0 } else { pid };
    Proc {
        key: ProcessKey { pid: Pid(pid), start: BootTime(u64::from(pid) * 10_000_000) },
        parent: ProcessKey { pid: Pid(0), start: BootTime(0) },
        parent_at: usize::MAX,
        children: 0,
        state: State {
            credentials: ids(0, 0),
            login_uid: None,
            audit_session: None,
            sid: Sid(session),
            pgid: Pgid(session),
            tty: None,
            streams: Ok([(!exe.is_empty()).then_some(null); 3]),
        },
        exe: exe.into(),
        argv: if exe.is_empty() { Vec::new() } else { b"/sbin/init\0".to_vec() },
        cwd: "/".into(),
        group: Group { id: 1, path: "/init.scope".into() },
        pid_namespace: None,
        accepted: None,
    }
}

/// Whether a program's name for itself can be a file's.
fn is_plain(name: &str) -> bool {
    !name.starts_with('-') && !name.contains([' ', ':', '/', '['])
}

fn ids(uid: u32, euid: u32) -> Credentials {
    Credentials { uid: Uid(uid), euid: Uid(euid), gid: Gid(uid), egid: Gid(uid) }
}

fn place(proc: &Proc, tells_path: bool) -> Place<'_> {
    Place {
        pid_namespace: proc.pid_namespace,
        cgroup: CgroupId(proc.group.id),
        cgroup_path: tells_path.then_some(proc.group.path.as_bytes()),
    }
}

fn executable(exe: &str) -> Executable<'_> {
    Executable {
        path: Ok(exe.as_bytes()),
        file: file(exe),
        owner: Uid(0),
        group: Gid(0),
        mode: 0o100_755,
        deleted: false,
        memfd: false,
        upper_layer: false,
    }
}

fn file(exe: &str) -> FileId {
    let inode = exe.bytes().fold(7_u64, |hash, byte| hash * 31 % 1_048_573 + u64::from(byte));
    FileId { device: Device { major: 8, minor: 1 }, inode: inode + 1 }
}

fn comm(exe: &str) -> &[u8] {
    let name = exe.rsplit('/').next().unwrap_or_default().as_bytes();
    &name[..name.len().min(15)]
}
