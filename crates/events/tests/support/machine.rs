//! A small machine to record: a model, a recorder, and the observations of a few processes.
//!
//! It has PID 1 and an ssh server running; [`Machine::log_in`] lets alice in.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::sync::Arc;

use forebear_events::{Host, Mode, Names, Recorder, Run, SensorKind};
use forebear_model::observation::{
    Argv, Bound, Builtin, Exec, Executable, FileId, Fork, Line, ParentFacts, Place, Running, State,
    TcpPeer, TypedText, Verification,
};
use forebear_model::{
    AuditSession, BootId, BootTime, BuiltinSource, CgroupId, ClockPair, Credentials, Device, Gid,
    HostId, Model, Observation, Pgid, Pid, ProcessKey, Shell, Sid, Stream, StreamKind, Streams,
    Terminal, Uid, VerificationMethod, VerificationOutcome, WallTime,
};

/// root and alice have names.
pub(crate) struct TwoUsers;

impl Names for TwoUsers {
    fn user(&mut self, uid: Uid) -> Option<Arc<str>> {
        match uid.0 {
            0 => Some("root".into()),
            1000 => Some("alice".into()),
            _ => None,
        }
    }
}

/// A recorded machine.
pub(crate) struct Machine {
    pub(crate) model: Model,
    pub(crate) recorder: Recorder,
    /// What was recorded.
    pub(crate) lines: Vec<u8>,
}

pub(crate) const INIT: Pid = Pid(1);
pub(crate) const SSHD: Pid = Pid(812);
pub(crate) const MONITOR: Pid = Pid(4101);
pub(crate) const SSHD_OF_ALICE: Pid = Pid(4108);
pub(crate) const SHELL: Pid = Pid(4109);
pub(crate) const LS: Pid = Pid(4127);

/// What a run of the tests always is.
pub(crate) fn run() -> Run {
    Run {
        agent_version: "0.1.0".to_owned(),
        mode: Mode::Audit,
        sensor: SensorKind::Ebpf,
        run_uuid: *b"\x6c\x4b\x3f\x0a\x19\xd2\x4e\x57\x9b\x0c\x7d\x1f\x2a\x3e\x5c\x48",
        host: Host {
            id: HostId([0x11; 16]),
            name: "web-1".to_owned(),
            boot_id: BootId([0x22; 16]),
            kernel: "6.1.0-28-amd64".to_owned(),
            arch: "x86_64".to_owned(),
            labels: BTreeMap::from([("project".to_owned(), "shop".to_owned())]),
        },
    }
}

/// A process that starts a second after boot for each pid.
pub(crate) fn key(pid: Pid) -> ProcessKey {
    ProcessKey { pid, start: BootTime(u64::from(pid.0) * 1_000_000_007) }
}

/// A moment after the start of `pid`.
pub(crate) fn after(pid: Pid, ns: u64) -> BootTime {
    BootTime(key(pid).start.0 + ns)
}

pub(crate) fn stream(major: u32, minor: u32, kind: StreamKind) -> Option<Stream> {
    Some(Stream { device: Device { major, minor }, kind, is_ctty: kind == StreamKind::Tty })
}

/// Root's, on /dev/null, leading its own session.
pub(crate) fn state_of_service(pid: Pid) -> State {
    State {
        credentials: Credentials { uid: Uid(0), euid: Uid(0), gid: Gid(0), egid: Gid(0) },
        login_uid: None,
        audit_session: None,
        sid: Sid(pid.0),
        pgid: Pgid(pid.0),
        tty: None,
        streams: Ok([stream(1, 3, StreamKind::Char); 3]),
    }
}

/// Alice's, on her terminal.
pub(crate) fn state_of_alice(sid: Pid, pgid: Pid) -> State {
    let terminal: Streams = [stream(136, 0, StreamKind::Tty); 3];
    State {
        credentials: Credentials {
            uid: Uid(1000),
            euid: Uid(1000),
            gid: Gid(1000),
            egid: Gid(1000),
        },
        login_uid: Some(Uid(1000)),
        audit_session: Some(AuditSession(7)),
        sid: Sid(sid.0),
        pgid: Pgid(pgid.0),
        tty: Some(Terminal::new(Device { major: 136, minor: 0 })),
        streams: Ok(terminal),
    }
}

pub(crate) fn place() -> Place<'static> {
    Place { pid_namespace: None, cgroup: CgroupId(1), cgroup_path: None }
}

/// Root's program at this path; its inode follows from the path.
pub(crate) fn executable(path: &[u8]) -> Executable<'_> {
    Executable {
        path: Ok(path),
        file: file(path),
        owner: Uid(0),
        group: Gid(0),
        mode: 0o100_755,
        deleted: false,
        memfd: false,
        upper_layer: false,
    }
}

fn file(path: &[u8]) -> FileId {
    let inode = path.iter().fold(7_u64, |sum, byte| sum * 31 % 1_000_003 + u64::from(*byte));
    FileId { device: Device { major: 8, minor: 1 }, inode }
}

pub(crate) fn running<'a>(pid: Pid, parent: Pid, path: &'a [u8], argv: &'a [u8]) -> Running<'a> {
    let parent =
        if parent.0 == 0 { ProcessKey { pid: parent, start: BootTime(0) } } else { key(parent) };
    Running {
        process: key(pid),
        parent,
        state: state_of_service(pid),
        place: place(),
        executable: Some(executable(path)),
        comm: b"",
        argv: Ok(Argv::whole(argv)),
        cwd: Ok(b"/"),
        tcp_peer: None,
    }
}

pub(crate) fn fork(creator: Pid, child: Pid, state: State) -> Fork<'static> {
    Fork {
        at: key(child).start,
        creator: key(creator),
        parent: key(creator),
        child: key(child),
        state,
        place: place(),
        kernel_thread: false,
    }
}

/// `pid` runs the program at `path`; its parent is in `parent_state` and runs what it ran.
pub(crate) fn exec<'a>(
    pid: Pid,
    state: State,
    parent: Pid,
    parent_state: State,
    path: &'a [u8],
    argv: &'a [u8],
) -> Exec<'a> {
    Exec {
        at: after(pid, 382_788),
        process: key(pid),
        state,
        place: place(),
        executable: executable(path),
        filename: Ok(path),
        interpreter: None,
        argv: Argv::whole(argv),
        cwd: Ok(b"/home/alice"),
        setuid: false,
        setgid: false,
        parent: key(parent),
        parent_facts: Some(ParentFacts {
            state: parent_state,
            place: place(),
            cwd: Ok(b"/home/alice"),
            file: None,
            comm: b"",
            parent: key(INIT),
        }),
        tcp_peer: None,
    }
}

/// alice's login shell runs a builtin that succeeds.
pub(crate) fn builtin<'a>(name: &'a [u8], argv: &'a [u8]) -> Builtin<'a> {
    Builtin {
        at: after(LS, 1_050_000),
        process: key(SHELL),
        parent: key(SSHD_OF_ALICE),
        state: state_of_alice(SHELL, SHELL),
        place: place(),
        cwd: Ok(b"/home/alice"),
        shell: Shell::Bash,
        source: BuiltinSource::Call,
        name,
        argv: Argv::whole(argv),
        exit_status: Some(0),
    }
}

impl Machine {
    /// Started, with PID 1 and sshd found running.
    pub(crate) fn boot() -> Self {
        let run = run();
        let model = Model::new(run.host.id, run.host.boot_id);
        let recorder = Recorder::new(run, Box::new(TwoUsers));
        let mut machine = Self { model, recorder, lines: Vec::new() };
        let boot = WallTime(1_795_000_000_000_000_000);
        machine.apply(&Observation::Clock(ClockPair { boot: BootTime(0), wall: boot }));
        machine.apply(&Observation::SnapshotBegin(BootTime(900_000_000_000)));
        let init = running(INIT, Pid(0), b"/usr/lib/systemd/systemd", b"/sbin/init\0splash\0");
        machine.apply(&Observation::Running(Box::new(init)));
        let sshd = running(SSHD, INIT, b"/usr/sbin/sshd", b"/usr/sbin/sshd\0-D\0");
        machine.apply(&Observation::Running(Box::new(sshd)));
        machine.apply(&Observation::SnapshotEnd);
        machine
    }

    /// Lets the model and the recorder see one observation.
    pub(crate) fn apply(&mut self, observation: &Observation<'_>) {
        let Self { model, recorder, lines } = self;
        model.apply(observation, &mut |model, fact| recorder.fact(model, &fact, lines));
    }

    /// alice comes in by ssh: her login shell runs.
    pub(crate) fn log_in(&mut self) {
        let session = b"/usr/lib/openssh/sshd-session";
        let listener = state_of_service(SSHD);
        self.apply(&Observation::Fork(fork(SSHD, MONITOR, listener.clone())));
        let monitor = state_of_service(MONITOR);
        let argv = b"/usr/lib/openssh/sshd-session\0-D\0-R\0";
        let ran = exec(MONITOR, monitor.clone(), SSHD, listener, session, argv);
        self.apply(&Observation::Exec(Box::new(ran)));
        let logged_in =
            State { login_uid: Some(Uid(1000)), audit_session: Some(AuditSession(7)), ..monitor };
        self.apply(&Observation::Fork(fork(MONITOR, SSHD_OF_ALICE, logged_in.clone())));
        let sshd_of_alice =
            State { credentials: state_of_alice(SHELL, SHELL).credentials, ..logged_in };
        self.apply(&Observation::Fork(fork(SSHD_OF_ALICE, SHELL, sshd_of_alice.clone())));
        let shell = state_of_alice(SHELL, SHELL);
        let mut ran =
            exec(SHELL, shell, SSHD_OF_ALICE, sshd_of_alice, b"/usr/bin/bash", b"-bash\0");
        ran.filename = Ok(b"/bin/bash");
        ran.tcp_peer = Some(TcpPeer { ip: [10, 0, 0, 1].into(), port: 51234 });
        self.apply(&Observation::Exec(Box::new(ran)));
    }

    /// alice types `ls` in her login shell.
    pub(crate) fn type_ls(&mut self) {
        let shell = state_of_alice(SHELL, SHELL);
        self.apply(&Observation::Fork(fork(SHELL, LS, shell.clone())));
        let argv = b"ls\0--color=auto\0-l\0";
        let ls = state_of_alice(SHELL, LS);
        let ran = exec(LS, ls, SHELL, shell, b"/usr/bin/ls", argv);
        self.apply(&Observation::Exec(Box::new(ran)));
    }

    /// alice types `cd /srv/$PROJECT` in her login shell.
    pub(crate) fn type_cd(&mut self) {
        let text = b"cd /srv/$PROJECT";
        self.apply(&Observation::Line(Line {
            at: after(LS, 1_000_000),
            process: key(SHELL),
            text: Some(TypedText { bytes: text, total: text.len() as u64 }),
            continues: false,
        }));
        self.apply(&Observation::Builtin(Box::new(builtin(b"cd", b"cd\0/srv/shop\0"))));
    }

    /// Somebody proves at sshd's prompt to be ann, who then is behind the login that is made.
    pub(crate) fn verify_ann(&mut self, asking: Pid, outcome: VerificationOutcome) {
        let (process, at) = (key(asking), after(LS, 2_000_000));
        if outcome == VerificationOutcome::Verified {
            self.apply(&Observation::Bound(Bound {
                at,
                process,
                account: "ann@example.com",
                roles: vec!["ops", "db \"all\""],
                until: None,
            }));
        }
        self.apply(&Observation::Verification(Box::new(Verification {
            at,
            process,
            account: Some("ann@example.com"),
            method: Some(VerificationMethod::Totp),
            outcome,
            attempts: 2,
            service: "sshd",
            user: "alice",
            remote: Some("10.0.0.1"),
        })));
    }

    /// The lines recorded so far, and none after.
    pub(crate) fn take_lines(&mut self) -> Vec<String> {
        let lines = std::mem::take(&mut self.lines);
        String::from_utf8(lines).unwrap().lines().map(str::to_owned).collect()
    }
}
