//! The text form of observations.

use forebear_model::observation::*;
use forebear_model::trace::{self, Content, Header, Line};
use forebear_model::*;
use proptest::prelude::*;

fn stream() -> impl Strategy<Value = Stream> {
    let kind = prop::sample::select(&StreamKind::ALL[..]);
    (device(), kind, any::<bool>()).prop_map(|(device, kind, is_ctty)| Stream {
        device,
        kind,
        is_ctty,
    })
}

fn device() -> impl Strategy<Value = Device> {
    (0..4096_u32, 0..(1_u32 << 20)).prop_map(|(major, minor)| Device { major, minor })
}

fn key() -> impl Strategy<Value = ProcessKey> {
    (any::<u32>(), any::<u64>())
        .prop_map(|(pid, start)| ProcessKey { pid: Pid(pid), start: BootTime(start) })
}

fn why() -> impl Strategy<Value = Why> {
    prop::sample::select(&Why::ALL[..])
}

fn state() -> impl Strategy<Value = State> {
    let streams = prop_oneof![
        4 => prop::array::uniform3(prop::option::of(stream())).prop_map(Ok),
        1 => why().prop_map(Err),
    ];
    (
        any::<[u32; 6]>(),
        prop::option::of(any::<u32>()),
        prop::option::of(any::<u32>()),
        prop::option::of(device()),
        streams,
    )
        .prop_map(|(ids, login_uid, audit_session, tty, streams)| State {
            credentials: Credentials {
                uid: Uid(ids[0]),
                euid: Uid(ids[1]),
                gid: Gid(ids[2]),
                egid: Gid(ids[3]),
            },
            login_uid: login_uid.map(Uid),
            audit_session: audit_session.map(AuditSession),
            sid: Sid(ids[4]),
            pgid: Pgid(ids[5]),
            tty: tty.map(Terminal::new),
            streams,
        })
}

type Bytes = Vec<u8>;

fn known_bytes() -> impl Strategy<Value = Known<Bytes>> {
    prop_oneof![4 => any::<Bytes>().prop_map(Ok), 1 => why().prop_map(Err)]
}

#[track_caller]
fn round_trip(observation: &Observation<'_>) {
    let mut text = Vec::new();
    trace::print(observation, &mut text);
    let text = String::from_utf8(text).expect("a trace is UTF-8");
    let line = Line::split(text.trim_end_matches('\n')).expect("what is printed can be split");
    match line.content().expect("what is printed can be read") {
        Content::Observation(read) => assert_eq!(&read, observation),
        other => panic!("not an observation: {other:?}"),
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        (process, parent, state, parents_state) in (key(), key(), state(), state()),
        (exe, cwd, filename) in (known_bytes(), known_bytes(), known_bytes()),
        (argv, more, interpreter, path) in
            (any::<Bytes>(), 0..3_u64, prop::option::of(any::<Bytes>()), prop::option::of(any::<Bytes>())),
        (flags, file, numbers) in (any::<[bool; 6]>(), device(), any::<[u32; 8]>()),
        namespace in prop::option::of(any::<[u32; 3]>()),
        peer in prop::option::of((any::<std::net::IpAddr>(), any::<u16>())),
    ) {
        let place = Place {
            pid_namespace: namespace.map(|[id, level, pid]| PidNamespace {
                id: NamespaceId(id), level, pid: Pid(pid),
            }),
            cgroup: CgroupId(u64::from(numbers[0])),
            cgroup_path: path.as_deref(),
        };
        let executable = Executable {
            path: exe.as_deref().map_err(|why| *why),
            file: FileId { device: file, inode: u64::from(numbers[1]) },
            owner: Uid(numbers[2]),
            group: Gid(numbers[3]),
            mode: numbers[4],
            deleted: flags[0],
            memfd: flags[1],
            upper_layer: flags[2],
        };
        let argv = Argv { bytes: &argv, total: argv.len() as u64 + more };
        let tcp_peer = peer.map(|(ip, port)| TcpPeer { ip, port });
        let cwd = cwd.as_deref().map_err(|why| *why);
        let exec = Exec {
            at: BootTime(u64::from(numbers[5])),
            process,
            state: state.clone(),
            place: place.clone(),
            executable: executable.clone(),
            filename: filename.as_deref().map_err(|why| *why),
            interpreter: interpreter.as_deref(),
            argv,
            cwd,
            setuid: flags[3],
            setgid: flags[4],
            parent,
            parent_facts: flags[5].then(|| ParentFacts {
                state: parents_state.clone(),
                place: place.clone(),
                cwd,
                file: flags[3].then_some(executable.file),
                comm: b"a comm",
                parent: process,
            }),
            tcp_peer,
        };
        round_trip(&Observation::Exec(Box::new(exec)));
        let running = Running {
            process,
            parent,
            state: state.clone(),
            place: place.clone(),
            executable: flags[5].then_some(executable),
            comm: b"",
            argv: Ok(argv),
            cwd,
            tcp_peer,
        };
        round_trip(&Observation::Running(Box::new(running)));
        let fork = Fork {
            at: BootTime(u64::from(numbers[6])),
            creator: process,
            parent,
            child: process,
            state: state.clone(),
            place: place.clone(),
            kernel_thread: flags[0],
        };
        round_trip(&Observation::Fork(fork));
        let builtin = Builtin {
            at: BootTime(u64::from(numbers[7])),
            process,
            parent,
            state,
            place,
            cwd,
            shell: if flags[1] { Shell::Bash } else { Shell::Zsh },
            source: if flags[2] { BuiltinSource::Call } else { BuiltinSource::Effect },
            name: b"cd",
            argv,
            exit_status: flags[3].then_some(numbers[0].cast_signed()),
        };
        round_trip(&Observation::Builtin(Box::new(builtin)));
        let text = TypedText { bytes: argv.bytes, total: argv.total };
        round_trip(&Observation::Line(forebear_model::observation::Line {
            at: BootTime(u64::from(numbers[7])),
            process,
            text: flags[1].then_some(text),
            continues: flags[2],
        }));
        let name = |flag: bool, text| flag.then_some(text);
        round_trip(&Observation::Verification(Box::new(Verification {
            at: BootTime(u64::from(numbers[7])),
            process,
            account: name(flags[0], "ann@example.com"),
            method: flags[1].then_some(VerificationMethod::BackupCode),
            outcome: VerificationOutcome::ALL[numbers[1] as usize % VerificationOutcome::ALL.len()],
            attempts: numbers[0],
            service: "sshd",
            user: "\u{e9}",
            remote: name(flags[2], "::1"),
        })));
        round_trip(&Observation::Bound(Bound {
            at: BootTime(u64::from(numbers[7])),
            process,
            account: "ann@example.com",
            roles: [name(flags[3], "ops"), name(flags[4], "")].into_iter().flatten().collect(),
            until: flags[5].then_some(BootTime(u64::from(numbers[6]))),
        }));
        round_trip(&Observation::Revoked(Revoked { at: BootTime(1), account: "ann \"" }));
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "\\PC{0,200}") {
        if let Err(error) = Line::split(&text).and_then(|line| line.content().map(|_| ())) {
            prop_assert!(error.column >= 1);
        }
    }

    #[test]
    fn any_damaged_line_is_read_or_refused(cut in 0..400_usize, put in any::<char>()) {
        let mut line = EXIT.to_owned() + " " + CLOCK;
        let at = line.char_indices().map(|(at, _)| at).nth(cut % line.len()).unwrap_or(0);
        line.insert(at, put);
        let _ = Line::split(&line).and_then(|line| line.content().map(|_| ()));
    }
}

const EXIT: &str = "exit at=2000 process=17@1500 status=0";
const CLOCK: &str = "clock boot=1 wall=2";

#[test]
fn the_small_observations_are_read_back() {
    let exit = Exit {
        at: BootTime(1),
        process: ProcessKey { pid: Pid(3), start: BootTime(4) },
        status: 9,
    };
    round_trip(&Observation::Exit(exit));
    round_trip(&Observation::Clock(ClockPair { boot: BootTime(1), wall: WallTime(-5) }));
    round_trip(&Observation::SnapshotBegin(BootTime(7)));
    round_trip(&Observation::SnapshotEnd);
    round_trip(&Observation::Lost(Lost { at: BootTime(1), forks: 2, execs: 3, exits: 4 }));
}

#[test]
fn the_header_is_read_back() {
    let header = Header {
        host: HostId([0xab; 16]),
        boot: BootId([0; 16]),
        about: vec![("kernel".to_owned(), "6.18 \"x\"".to_owned())],
    };
    let mut text = Vec::new();
    trace::print_header(&header, &mut text);
    let text = String::from_utf8(text).expect("UTF-8");
    let line = Line::split(text.trim_end()).expect("splits");
    assert_eq!(line.content(), Ok(Content::Header(header)));
}

#[track_caller]
fn refused(line: &str, expected: &str) {
    let error = Line::split(line).and_then(|line| line.content().map(|_| ()));
    assert_eq!(error.expect_err("refused").to_string(), expected);
}

#[test]
fn a_malformed_line_is_refused_with_the_place_and_what_would_be_right() {
    refused("exec at=1", "column 10: the field `process` is missing");
    refused(
        "exti at=1",
        "column 1: a line cannot begin with `exti`; known are trace, clock, fork, \
        exec, exit, builtin, line, bound, revoked, verification, snapshot-begin, running, snapshot-end, lost",
    );
    refused("clock boot=x wall=1", "column 7: `boot` takes a number in range, found `x`");
    refused("clock boot=1 wall=1 wal=2", "column 21: `clock` has no field `wal`");
    refused("clock boot=1 boot=1", "column 14: `boot` is given twice");
    refused(
        "exit at=1 process=17 status=0",
        "column 11: `process` takes a process as pid@start, found `17`",
    );
    refused(
        "trace version=2 host=0 boot=0",
        "column 7: `version` takes 1, the only version this program reads, found `2`",
    );
    refused("running comm=\"a", "column 14: the closing quote is missing");
    refused(
        "running comm=\"\\q\"",
        "column 15: unknown escape; known are \\0 \\n \\r \\t \\\" \\\\ and \\xNN",
    );
}
