//! The typed form is the law: whatever is recorded, the line is byte for byte what `serde_json`
//! makes of the typed event that it reads as.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use forebear_events::{ndjson, v1};
use forebear_model::observation::{Argv, PidNamespace, Place, State, TcpPeer};
use forebear_model::{
    AuditSession, CgroupId, Credentials, Device, Gid, Known, NamespaceId, Observation, Pgid, Pid,
    Sid, Stream, StreamKind, Streams, Terminal, TerminalKind, Uid, Why,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

#[path = "support/machine.rs"]
mod machine;

use machine::{Machine, SHELL};

/// Bytes such as paths and arguments have, some of them not UTF-8, none of them NUL.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let any_but_nul = || 1..=u8::MAX;
    prop_oneof![
        4 => "/[a-z0-9/._-]{0,40}".prop_map(String::into_bytes),
        2 => "[^\0]{0,40}".prop_map(String::into_bytes),
        1 => vec(any_but_nul(), 0..40),
        1 => vec(select(b"\"\\\n\t\x1b\x7f\x08\x0c\x01\xe2\x80\xa8".to_vec()), 0..40),
    ]
}

fn known<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Known<T>> {
    prop_oneof![4 => value.prop_map(Ok), 1 => select(Why::ALL.to_vec()).prop_map(Err)]
}

fn device() -> impl Strategy<Value = Device> {
    let usual = select(vec![(136, 3), (4, 1), (4, 64), (3, 17), (5, 0), (188, 2), (8, 1)]);
    let any = (0..4096_u32, 0..1_048_576_u32);
    prop_oneof![usual, any].prop_map(|(major, minor)| Device { major, minor })
}

fn streams() -> impl Strategy<Value = Streams> {
    let stream = (device(), select(StreamKind::ALL.to_vec()), any::<bool>())
        .prop_map(|(device, kind, is_ctty)| Stream { device, kind, is_ctty })
        .boxed();
    [option::of(stream.clone()), option::of(stream.clone()), option::of(stream)]
}

fn state() -> impl Strategy<Value = State> {
    let uid = || prop_oneof![Just(0), Just(1000), any::<u32>()];
    let tty = device().prop_map(Terminal::new);
    let other = device().prop_map(|device| Terminal { device, kind: TerminalKind::Serial });
    (
        (uid(), uid(), any::<u32>(), any::<u32>()),
        option::of(uid()),
        option::of(any::<u32>()),
        (0..6000_u32, any::<u32>()),
        option::of(prop_oneof![tty, other]),
        known(streams()),
    )
        .prop_map(|((uid, euid, gid, egid), login, audit, (sid, pgid), tty, streams)| State {
            credentials: Credentials {
                uid: Uid(uid),
                euid: Uid(euid),
                gid: Gid(gid),
                egid: Gid(egid),
            },
            login_uid: login.map(Uid),
            audit_session: audit.map(AuditSession),
            sid: Sid(sid),
            pgid: Pgid(pgid),
            tty,
            streams,
        })
}

/// The parts of an exec that come from outside.
#[derive(Clone, Debug)]
struct Ran {
    state: State,
    parent_state: State,
    parent: u32,
    exe: Known<Vec<u8>>,
    flags: (bool, bool, bool),
    filename: Known<Vec<u8>>,
    interpreter: Option<Vec<u8>>,
    argv: Vec<u8>,
    cut_by: u64,
    cwd: Known<Vec<u8>>,
    set_ids: (bool, bool),
    cgroup: Option<&'static str>,
    namespace: Option<u32>,
    peer: Option<(u128, u16)>,
}

fn ran() -> impl Strategy<Value = Ran> {
    let argv = vec(bytes(), 0..6).prop_map(|list| {
        list.into_iter().flat_map(|mut argument| {
            argument.push(0);
            argument
        })
    });
    let cgroup = option::of(select(vec![
        "/system.slice/docker-4f5c2d7e8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7e8f9.scope",
        "/user.slice/user-1000.slice",
    ]));
    (
        (state(), state(), select(vec![1, 812, 4101, 4108, 4109, 5000, 5001, 5002, 77])),
        (known(bytes()), any::<(bool, bool, bool)>(), known(bytes()), option::of(bytes())),
        (argv.prop_map(Iterator::collect), prop_oneof![3 => Just(0), 1 => 1..200_000_u64]),
        (known(bytes()), any::<(bool, bool)>(), cgroup),
        (option::of(any::<u32>()), option::of(any::<(u128, u16)>())),
    )
        .prop_map(|(who, what, argv, place, more)| Ran {
            state: who.0,
            parent_state: who.1,
            parent: who.2,
            exe: what.0,
            flags: what.1,
            filename: what.2,
            interpreter: what.3,
            argv: argv.0,
            cut_by: argv.1,
            cwd: place.0,
            set_ids: place.1,
            cgroup: place.2,
            namespace: more.0,
            peer: more.1,
        })
}

fn record(machine: &mut Machine, pid: Pid, ran: &Ran) {
    fn borrow(bytes: &Known<Vec<u8>>) -> Known<&[u8]> {
        bytes.as_deref().map_err(|why| *why)
    }
    let parent = Pid(ran.parent);
    let (state, parent_state) = (ran.state.clone(), ran.parent_state.clone());
    let mut exec = machine::exec(pid, state, parent, parent_state, b"/bin/x", &ran.argv);
    exec.executable.path = borrow(&ran.exe);
    (exec.executable.deleted, exec.executable.memfd, exec.executable.upper_layer) = ran.flags;
    exec.filename = borrow(&ran.filename);
    exec.interpreter = ran.interpreter.as_deref();
    exec.argv = Argv { bytes: &ran.argv, total: ran.argv.len() as u64 + ran.cut_by };
    exec.cwd = borrow(&ran.cwd);
    (exec.setuid, exec.setgid) = ran.set_ids;
    let namespace = |id| PidNamespace { id: NamespaceId(id), level: 1, pid: Pid(1) };
    exec.place = Place {
        pid_namespace: ran.namespace.map(namespace),
        cgroup: CgroupId(u64::from(pid.0)),
        cgroup_path: ran.cgroup.map(str::as_bytes),
    };
    exec.tcp_peer = ran.peer.map(|(ip, port)| TcpPeer { ip: ip.to_be_bytes().into(), port });
    machine.apply(&Observation::Exec(Box::new(exec)));
}

#[track_caller]
fn obeys(line: &str) -> v1::Event {
    let event: v1::Event = serde_json::from_str(line).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), line);
    assert_eq!(ndjson::read(line.as_bytes()).unwrap().as_ref(), Some(&event));
    event
}

proptest! {
    #[test]
    fn a_recorded_line_is_what_the_typed_form_says(
        story in vec((5000..5004_u32, ran()), 1..8),
    ) {
        let mut machine = Machine::boot();
        machine.log_in();
        for (pid, _) in &story {
            let shell = machine::state_of_alice(SHELL, SHELL);
            machine.apply(&Observation::Fork(machine::fork(SHELL, Pid(*pid), shell)));
        }
        machine.lines.clear();
        for (pid, ran) in &story {
            record(&mut machine, Pid(*pid), ran);
        }
        let lines = machine.take_lines();
        prop_assert_eq!(lines.len(), story.len());
        for (line, (_, ran)) in lines.iter().zip(&story) {
            let v1::Event::Exec(exec) = obeys(line) else { panic!("not an EXEC: {line}") };
            // Exact bytes come back.
            let argv = exec.this.argv_bytes().unwrap();
            let flat: Vec<u8> = argv.iter().flat_map(|it| [it, b"\0".as_slice()].concat()).collect();
            prop_assert_eq!(&flat, &ran.argv);
            prop_assert_eq!(exec.this.exe_bytes(), ran.exe.as_deref().ok());
            prop_assert_eq!(exec.this.cwd_bytes(), ran.cwd.as_deref().ok());
            prop_assert_eq!(exec.this.argv_truncated.is_some(), ran.cut_by > 0);
            // Absence has a reason.
            let unknown = |name: &str| exec.this.unknown.get(name).map(|why| why.as_str().to_owned());
            prop_assert_eq!(unknown("exe"), ran.exe.as_ref().err().map(Why::to_string));
            prop_assert_eq!(unknown("stdin"), ran.state.streams.err().map(|why| why.to_string()));
        }
        // The same again, now from the cache.
        let (pid, ran) = &story[0];
        record(&mut machine, Pid(*pid), ran);
        record(&mut machine, Pid(*pid), ran);
        for line in machine.take_lines() {
            obeys(&line);
        }
    }

    #[test]
    fn a_recorded_builtin_is_what_the_typed_form_says(
        (name, words) in (bytes(), vec(bytes(), 0..4)),
        (status, cut_by) in (option::of(any::<i32>()), prop_oneof![Just(0), 1..200_000_u64]),
        line in option::of((vec(any::<u8>(), 0..40), 0..9_u64)),
    ) {
        use forebear_model::observation::{Line, TypedText};

        let mut machine = Machine::boot();
        machine.log_in();
        machine.lines.clear();
        if let Some((bytes, more)) = &line {
            machine.apply(&Observation::Line(Line {
                at: machine::after(SHELL, 5),
                process: machine::key(SHELL),
                text: Some(TypedText { bytes, total: bytes.len() as u64 + more }),
                continues: false,
            }));
        }
        let argv: Vec<u8> =
            [&name].into_iter().chain(&words).flat_map(|it| [it, b"\0".as_slice()].concat()).collect();
        let mut builtin = machine::builtin(&name, &argv);
        builtin.argv.total += cut_by;
        builtin.exit_status = status;
        machine.apply(&Observation::Builtin(Box::new(builtin)));
        // An EXEC of a child of the shell has the line too.
        machine.type_ls();
        let lines = machine.take_lines();
        prop_assert_eq!(lines.len(), 2);
        let v1::Event::Builtin(told) = obeys(&lines[0]) else { panic!("{}", lines[0]) };
        let call = &told.builtin;
        prop_assert_eq!(forebear_events::bytes::join(&call.name, call.name_b64.as_ref()), &name);
        let list = forebear_events::bytes::join_list(&call.argv, call.argv_b64.as_deref());
        prop_assert_eq!(list.len(), words.len() + 1);
        prop_assert_eq!(call.argv_truncated.is_some(), cut_by > 0);
        prop_assert_eq!(call.exit_status, status);
        let v1::Event::Exec(told) = obeys(&lines[1]) else { panic!("{}", lines[1]) };
        prop_assert_eq!(&told.exec.line, &call.line);
        let typed = call.line.as_deref().map(|text| {
            forebear_events::bytes::join(text, call.line_b64.as_ref()).to_vec()
        });
        prop_assert_eq!(typed, line.as_ref().map(|(bytes, _)| bytes.clone()));
        prop_assert_eq!(call.line_truncated.is_some(), line.is_some_and(|(_, more)| more > 0));
    }

    #[test]
    fn a_recorded_verification_is_what_the_typed_form_says(
        (account, service, user) in (option::of(any::<String>()), any::<String>(), any::<String>()),
        (remote, roles) in (option::of(any::<String>()), vec(any::<String>(), 0..3)),
        (is_there, method, attempts) in (any::<bool>(), 0..4_usize, any::<u32>()),
    ) {
        use forebear_model::observation::{Bound, Verification};
        use forebear_model::{VerificationMethod, VerificationOutcome};

        let mut machine = Machine::boot();
        machine.log_in();
        machine.lines.clear();
        let at = machine::after(SHELL, 5);
        machine.apply(&Observation::Bound(Bound {
            at,
            process: machine::key(SHELL),
            account: account.as_deref().unwrap_or("nobody"),
            roles: roles.iter().map(String::as_str).collect(),
            until: None,
        }));
        machine.apply(&Observation::Verification(Box::new(Verification {
            at,
            process: machine::key(if is_there { SHELL } else { machine::LS }),
            account: account.as_deref(),
            method: VerificationMethod::ALL.get(method).copied(),
            outcome: VerificationOutcome::Verified,
            attempts,
            service: &service,
            user: &user,
            remote: remote.as_deref(),
        })));
        machine.type_ls();
        let lines = machine.take_lines();
        prop_assert_eq!(lines.len(), 2);
        let v1::Event::Verify(told) = obeys(&lines[0]) else { panic!("{}", lines[0]) };
        prop_assert_eq!(told.this.is_some(), is_there);
        prop_assert_eq!(told.missing.contains_key("self"), !is_there);
        prop_assert_eq!(&told.verification.account, &account);
        prop_assert_eq!(&told.verification.user, &user);
        prop_assert_eq!(told.verification.attempts, attempts);
        let v1::Event::Exec(told) = obeys(&lines[1]) else { panic!("{}", lines[1]) };
        prop_assert_eq!(told.cmd_user, Some(account.unwrap_or_else(|| "nobody".to_owned())));
        prop_assert_eq!(told.cmd_roles, roles);
    }

    #[test]
    fn reading_never_panics(bytes: Vec<u8>) {
        _ = ndjson::read(&bytes);
    }

    #[test]
    fn reading_a_damaged_line_never_panics(at in 0..3000_usize, byte: u8, cut in 0..3000_usize) {
        let mut machine = Machine::boot();
        machine.log_in();
        let mut line = machine.take_lines().pop().unwrap().into_bytes();
        let (at, cut) = (at % line.len(), cut % line.len());
        line[at] = byte;
        if let Ok(Some(event)) = ndjson::read(&line) {
            _ = ndjson::line(&event);
            forebear_events::pretty::line(&event, true, &mut String::new());
        }
        _ = ndjson::read(&line[..cut]);
    }
}

#[test]
fn every_word_of_the_model_is_a_known_word_of_the_format() {
    use forebear_model::{
        BuiltinSource, Entry, Evidence, InceptionKind, Shell, VerificationMethod,
        VerificationOutcome,
    };

    #[track_caller]
    fn check<'w>(words: impl IntoIterator<Item = &'w str>, known: &[(&str, &str)]) {
        for word in words {
            assert!(known.iter().any(|(other, _)| *other == word), "{word} is not known");
        }
    }
    let terminals =
        [TerminalKind::Pseudo, TerminalKind::Serial, TerminalKind::Console, TerminalKind::Other];
    let doors = [
        Entry::Ssh,
        Entry::Ssm,
        Entry::Login,
        Entry::Serial,
        Entry::ContainerExec,
        Entry::Pty,
        Entry::Service,
        Entry::Container,
        Entry::Kernel,
        Entry::Unknown,
    ];
    let evidence = [
        Evidence::BrokerExecutable,
        Evidence::LoginUidSet,
        Evidence::AuditSessionSet,
        Evidence::TcpPeer,
        Evidence::ControllingTerminal,
        Evidence::CreatedByInit,
        Evidence::PidNamespaceInit,
        Evidence::KernelThread,
        Evidence::Inferred,
    ];
    check(Why::ALL.map(Why::as_str), v1::Why::WORDS);
    check(StreamKind::ALL.map(StreamKind::as_str), v1::StreamKind::WORDS);
    check(terminals.map(TerminalKind::as_str), v1::TerminalKind::WORDS);
    check(
        [InceptionKind::Internal, InceptionKind::External].map(InceptionKind::as_str),
        v1::InceptionKind::WORDS,
    );
    check(doors.map(Entry::as_str), v1::Entry::WORDS);
    check(Shell::ALL.map(Shell::as_str), v1::Shell::WORDS);
    check(BuiltinSource::ALL.map(BuiltinSource::as_str), v1::BuiltinSource::WORDS);
    check(evidence.map(Evidence::as_str), v1::Evidence::WORDS);
    check(VerificationMethod::ALL.map(VerificationMethod::as_str), v1::VerificationMethod::WORDS);
    check(
        VerificationOutcome::ALL.map(VerificationOutcome::as_str),
        v1::VerificationOutcome::WORDS,
    );
}
