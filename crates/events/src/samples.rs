//! Samples: one event of each type, and for EXEC the example that explains the five processes.
//!
//! alice logs in by ssh and types `ls` in her login shell. At the shell's EXEC the shell is both
//! self and inception session, its parent is sshd, and the session leader is sshd's session
//! leader. At the EXEC of `ls` the shell is inception session, parent and session leader.
//! The BACKFILL is of a service, in which a person has no part.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use uuid::{Uuid, uuid};

use crate::v1::{
    Agent, Backfill, Builtin, BuiltinCall, BuiltinSource, Entry, Event, Evidence, Exec, Execution,
    Host, InceptionKind, InceptionSession, Mode, Process, Reason, Report, SCHEMA_VERSION,
    SensorDetails, SensorKind, Shell, Source, Stream, StreamKind, Terminal, TerminalKind,
    Timestamp, Verification, VerificationMethod, VerificationOutcome, Verify, Why,
};

/// Every sample with its name, in the order in which the events happen.
pub fn all() -> Vec<(&'static str, Event)> {
    vec![
        ("agent", agent()),
        ("backfill", backfill()),
        ("exec-login-shell", login_shell()),
        ("exec-ls", ls()),
        ("builtin-cd", cd()),
        ("verify", verify()),
    ]
}

const BOOT: i64 = 1_795_000_000_000_000_000;
const INIT: Uuid = uuid!("8d2ba1a6-5c1f-8e0e-9d0c-2f1b7e2a4c01");
const SSHD: Uuid = uuid!("3f1c22d7-90ab-8d3e-a6d5-57a0c3b0e812");
const SSHD_MONITOR: Uuid = uuid!("b7e6d1c0-1f2a-8b4c-8f3d-0d9c1b2a4101");
const SSHD_OF_ALICE: Uuid = uuid!("5a9e0f73-6b1d-8c2e-b4a7-91c8d7e64108");
const SHELL: Uuid = uuid!("c40d7a19-2e8f-8a5b-9c61-e3b5f0a94109");
const LS: Uuid = uuid!("e81f6b52-d3c4-8f7a-a0b9-6c5d4e3f4127");

fn agent() -> Event {
    let counters = [("emitted", 0), ("lost_kernel", 0), ("lost_user", 0), ("observed", 0)];
    Event::Agent(Box::new(Report {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_uuid: event_uuid(1),
        event_time: wall(3_600_000_000_000),
        boot_ns: 3_600_000_000_000,
        seq: 1,
        agent: run(),
        host: host(),
        reason: Reason::Start,
        counters: counters.map(|(name, count)| (name.to_owned(), count)).into(),
        config_hash: "2f6c1c0e9a7b4d35".to_owned(),
        sensor: SensorDetails {
            hooks: ["sched_process_fork", "sched_process_exec", "sched_process_exit"]
                .map(str::to_owned)
                .into(),
            features: ["task_iterator", "bpf_loop"].map(str::to_owned).into(),
            degraded: Vec::new(),
        },
    }))
}

fn backfill() -> Event {
    let init = service(process(1, INIT, &["/usr/lib/systemd/systemd"]), Evidence::CreatedByInit);
    let sshd = sshd();
    Event::Backfill(Box::new(Backfill {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_uuid: event_uuid(2),
        event_time: wall(3_600_012_000_000),
        boot_ns: 3_600_012_000_000,
        seq: 2,
        agent: run(),
        host: host(),
        cmd_user: None,
        cmd_roles: Vec::new(),
        parent: Some(init.process.clone()),
        session_leader: Some(init.process),
        inception_session: Some(service(sshd.clone(), Evidence::CreatedByInit)),
        last_user_entered: None,
        missing: BTreeMap::new(),
        this: sshd,
    }))
}

fn login_shell() -> Event {
    let shell = shell();
    let boot_ns = 3_725_000_104_211;
    Event::Exec(Box::new(Exec {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_uuid: event_uuid(3),
        event_time: wall(boot_ns),
        boot_ns,
        seq: 3,
        agent: run(),
        host: host(),
        cmd_user: None,
        cmd_roles: Vec::new(),
        parent: Some(sshd_of_alice()),
        session_leader: Some(sshd_monitor()),
        inception_session: Some(login(shell.clone())),
        last_user_entered: None,
        missing: BTreeMap::new(),
        this: shell,
        exec: Execution {
            filename: Some("/bin/bash".to_owned()),
            previous_exe: Some("/usr/lib/openssh/sshd-session".to_owned()),
            ..Execution::default()
        },
    }))
}

fn ls() -> Event {
    let shell = shell();
    let mut ls = Process {
        ppid: Some(shell.pid),
        pgid: 4127,
        start_time: wall(3_731_412_007_388),
        parent_uuid: Some(SHELL),
        session_leader_uuid: Some(SHELL),
        exe: Some("/usr/bin/ls".to_owned()),
        user_entered: true,
        is_session_leader: false,
        ..shell.clone()
    };
    ls.uuid = LS;
    ls.pid = 4127;
    ls.name = Some("ls".to_owned());
    ls.argv = Some(["ls", "--color=auto", "-l"].map(str::to_owned).into());
    let boot_ns = 3_731_412_390_176;
    Event::Exec(Box::new(Exec {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_uuid: event_uuid(4),
        event_time: wall(boot_ns),
        boot_ns,
        seq: 4,
        agent: run(),
        host: host(),
        cmd_user: None,
        cmd_roles: Vec::new(),
        this: ls,
        parent: Some(shell.clone()),
        session_leader: Some(shell.clone()),
        inception_session: Some(login(shell)),
        last_user_entered: None,
        missing: BTreeMap::new(),
        exec: Execution {
            filename: Some("/usr/bin/ls".to_owned()),
            previous_exe: Some("/usr/bin/bash".to_owned()),
            ..Execution::default()
        },
    }))
}

fn cd() -> Event {
    let shell = shell();
    let boot_ns = 3_740_118_220_943;
    Event::Builtin(Box::new(Builtin {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_uuid: event_uuid(5),
        event_time: wall(boot_ns),
        boot_ns,
        seq: 5,
        agent: Agent { mode: Mode::Control, ..run() },
        host: host(),
        cmd_user: None,
        cmd_roles: Vec::new(),
        parent: Some(sshd_of_alice()),
        session_leader: Some(sshd_monitor()),
        inception_session: Some(login(shell.clone())),
        last_user_entered: None,
        missing: BTreeMap::new(),
        this: shell,
        builtin: BuiltinCall {
            shell: Shell::Bash,
            source: BuiltinSource::Call,
            name: "cd".to_owned(),
            name_b64: None,
            argv: ["cd", "/srv/shop"].map(str::to_owned).into(),
            argv_b64: None,
            argv_truncated: None,
            exit_status: Some(0),
            line: Some("cd /srv/$PROJECT".to_owned()),
            line_b64: None,
            line_truncated: None,
        },
    }))
}

fn verify() -> Event {
    let monitor = sshd_monitor();
    let boot_ns = 3_724_990_310_577;
    Event::Verify(Box::new(Verify {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_uuid: event_uuid(6),
        event_time: wall(boot_ns),
        boot_ns,
        seq: 6,
        agent: Agent { mode: Mode::Control, ..run() },
        host: host(),
        cmd_user: None,
        cmd_roles: Vec::new(),
        parent: Some(sshd()),
        session_leader: Some(sshd()),
        inception_session: Some(service(sshd(), Evidence::CreatedByInit)),
        last_user_entered: None,
        missing: BTreeMap::new(),
        this: Some(monitor),
        verification: Verification {
            account: Some("alice@example.com".to_owned()),
            method: Some(VerificationMethod::Totp),
            outcome: VerificationOutcome::Verified,
            attempts: 1,
            service: "sshd".to_owned(),
            user: "deploy".to_owned(),
            remote: Some("10.0.0.1".to_owned()),
        },
    }))
}

fn run() -> Agent {
    Agent {
        version: "0.1.0".to_owned(),
        mode: Mode::Audit,
        sensor: SensorKind::Ebpf,
        run_uuid: uuid!("6c4b3f0a-19d2-4e57-9b0c-7d1f2a3e5c48"),
    }
}

fn host() -> Host {
    Host {
        id: uuid!("1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6"),
        name: "web-1".to_owned(),
        boot_id: uuid!("0a5d6b5e-9f3f-4a53-8f0a-3d8f7c1b2e64"),
        kernel: "6.1.0-28-amd64".to_owned(),
        arch: "x86_64".to_owned(),
        labels: [("project".to_owned(), "shop".to_owned())].into(),
    }
}

fn event_uuid(seq: u128) -> Uuid {
    Uuid::from_u128(0x6c4b_3f0a_19d2_8e57_8000_0000_0000_0000 | seq)
}

/// The wall time at so many nanoseconds after boot.
fn wall(boot_ns: u64) -> Timestamp {
    Timestamp(BOOT + boot_ns.cast_signed())
}

/// A process of root that leads its own session and group, as PID 1 starts them.
fn process(pid: u32, uuid: Uuid, argv: &[&str]) -> Process {
    let exe = argv.first().copied().unwrap_or_default();
    let null = Stream { major: 1, minor: 3, kind: StreamKind::Char, is_ctty: false };
    let is_first = pid == 1;
    let relatives = ["creator_uuid", "parent_uuid", "session_leader_uuid"];
    let beyond = relatives.map(|name| (name.to_owned(), Why::StartedBeforeBootOfNamespace));
    Process {
        uuid,
        pid,
        ppid: Some(u32::from(!is_first)),
        sid: pid,
        pgid: pid,
        start_time: wall(u64::from(pid) * 10_000_000),
        parent_uuid: (!is_first).then_some(INIT),
        creator_uuid: None,
        session_leader_uuid: (!is_first).then_some(INIT),
        exec_count: 1,
        exe: Some(exe.to_owned()),
        exe_b64: None,
        exe_flags: Vec::new(),
        name: exe.rsplit('/').next().map(str::to_owned),
        name_b64: None,
        argv: Some(argv.iter().map(|argument| (*argument).to_owned()).collect()),
        argv_b64: None,
        argv_truncated: None,
        cwd: Some("/".to_owned()),
        cwd_b64: None,
        uid: 0,
        euid: 0,
        gid: 0,
        egid: 0,
        user: Some("root".to_owned()),
        effective_user: Some("root".to_owned()),
        login_uid: None,
        login_user: None,
        audit_session: None,
        tty: None,
        stdin: Some(null.clone()),
        stdout: Some(null.clone()),
        stderr: Some(null),
        interactive: false,
        is_session_leader: true,
        user_entered: false,
        container: None,
        pid_namespace: None,
        unknown: if is_first { beyond.into() } else { BTreeMap::new() },
    }
}

fn service(process: Process, evidence: Evidence) -> InceptionSession {
    InceptionSession {
        process,
        kind: InceptionKind::Internal,
        entry: Entry::Service,
        evidence: vec![evidence],
        source: None,
    }
}

fn sshd() -> Process {
    process(812, SSHD, &["/usr/sbin/sshd", "-D"])
}

/// sshd's process for one connection, still root's; it leads a session of its own.
fn sshd_monitor() -> Process {
    Process {
        ppid: Some(812),
        start_time: wall(3_724_100_203_550),
        parent_uuid: Some(SSHD),
        session_leader_uuid: Some(SSHD),
        login_uid: Some(1000),
        login_user: Some("alice".to_owned()),
        audit_session: Some(7),
        ..process(4101, SSHD_MONITOR, &["/usr/lib/openssh/sshd-session", "-D", "-R"])
    }
}

/// sshd's process for alice, below the monitor and in its session.
fn sshd_of_alice() -> Process {
    Process {
        uuid: SSHD_OF_ALICE,
        pid: 4108,
        ppid: Some(4101),
        start_time: wall(3_724_910_847_002),
        parent_uuid: Some(SSHD_MONITOR),
        session_leader_uuid: Some(SSHD_MONITOR),
        exec_count: 0,
        uid: 1000,
        euid: 1000,
        gid: 1000,
        egid: 1000,
        user: Some("alice".to_owned()),
        effective_user: Some("alice".to_owned()),
        is_session_leader: false,
        ..sshd_monitor()
    }
}

fn shell() -> Process {
    let terminal = Stream { major: 136, minor: 0, kind: StreamKind::Tty, is_ctty: true };
    Process {
        uuid: SHELL,
        pid: 4109,
        ppid: Some(4108),
        sid: 4109,
        pgid: 4109,
        start_time: wall(3_724_998_310_045),
        parent_uuid: Some(SSHD_OF_ALICE),
        exec_count: 1,
        exe: Some("/usr/bin/bash".to_owned()),
        name: Some("bash".to_owned()),
        argv: Some(vec!["-bash".to_owned()]),
        cwd: Some("/home/alice".to_owned()),
        tty: Some(Terminal {
            major: 136,
            minor: 0,
            kind: TerminalKind::Pseudo,
            name: Some("pts/0".to_owned()),
        }),
        stdin: Some(terminal.clone()),
        stdout: Some(terminal.clone()),
        stderr: Some(terminal),
        interactive: true,
        is_session_leader: true,
        ..sshd_of_alice()
    }
}

fn login(process: Process) -> InceptionSession {
    InceptionSession {
        process,
        kind: InceptionKind::External,
        entry: Entry::Ssh,
        evidence: vec![
            Evidence::BrokerExecutable,
            Evidence::LoginUidSet,
            Evidence::AuditSessionSet,
            Evidence::TcpPeer,
            Evidence::ControllingTerminal,
        ],
        source: Some(Source { ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), port: 51234 }),
    }
}
