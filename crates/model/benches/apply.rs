//! The model alone: observations a second on one core, on the common life of a short process
//! (fork, exec, exit) below a login shell, with a populated table.
#![allow(missing_docs, reason = "a benchmark has no readers of its interface")]
#![allow(clippy::expect_used, reason = "a benchmark may stop")]

use divan::counter::ItemsCount;
use forebear_model::observation::{
    Argv, Exec, Executable, Exit, FileId, Fork, ParentFacts, Place, Running, State,
};
use forebear_model::{
    BootId, BootTime, CgroupId, Credentials, Device, Gid, HostId, Model, Observation, Pgid, Pid,
    ProcessKey, Sid, Stream, StreamKind, Terminal, Uid,
};

const TTY: Device = Device { major: 136, minor: 3 };
const NOBODY: ProcessKey = ProcessKey { pid: Pid(0), start: BootTime(0) };
/// Observations of one process.
const LIFE: usize = 3;
/// Processes a sample.
const LIVES: usize = 512;

fn main() {
    divan::main();
}

fn state(pgid: u32) -> State {
    let stream = Stream { device: TTY, kind: StreamKind::Tty, is_ctty: true };
    State {
        credentials: Credentials {
            uid: Uid(1000),
            euid: Uid(1000),
            gid: Gid(1000),
            egid: Gid(1000),
        },
        login_uid: Some(Uid(1000)),
        audit_session: None,
        sid: Sid(10),
        pgid: Pgid(pgid),
        tty: Some(Terminal::new(TTY)),
        streams: Ok([Some(stream); 3]),
    }
}

fn place() -> Place<'static> {
    Place { pid_namespace: None, cgroup: CgroupId(1), cgroup_path: None }
}

fn executable(path: &'static str) -> Executable<'static> {
    Executable {
        path: Ok(path.as_bytes()),
        file: FileId { device: Device { major: 8, minor: 1 }, inode: 77 },
        owner: Uid(0),
        group: Gid(0),
        mode: 0o100_755,
        deleted: false,
        memfd: false,
        upper_layer: false,
    }
}

fn key(pid: u32) -> ProcessKey {
    ProcessKey { pid: Pid(pid), start: BootTime(u64::from(pid) * 20_000_001) }
}

/// PID 1, a login shell with pid 10, and `others` more.
fn model(others: u32) -> Model {
    let mut model = Model::new(HostId([1; 16]), BootId([2; 16]));
    let mut apply = |observation: Observation<'_>| model.apply(&observation, &mut |_, _| {});
    apply(Observation::SnapshotBegin(BootTime(u64::MAX)));
    for pid in [1, 10].into_iter().chain(1000..1000 + others) {
        apply(Observation::Running(Box::new(Running {
            process: key(pid),
            parent: if pid == 1 { NOBODY } else { key(1) },
            state: state(10),
            place: place(),
            executable: Some(executable("/bin/bash")),
            comm: b"bash",
            argv: Ok(Argv::whole(b"-bash\0")),
            cwd: Ok(b"/home/user"),
            tcp_peer: None,
        })));
    }
    apply(Observation::SnapshotEnd);
    model
}

fn life(pid: u32, argv: &'static [u8]) -> [Observation<'static>; LIFE] {
    let child = key(pid);
    let at = BootTime(child.start.0 + 1000);
    let fork = Fork {
        at: child.start,
        creator: key(10),
        parent: key(10),
        child,
        state: state(10),
        place: place(),
        kernel_thread: false,
    };
    let exec = Exec {
        at,
        process: child,
        state: state(pid),
        place: place(),
        executable: executable("/usr/bin/ls"),
        filename: Ok(b"/usr/bin/ls"),
        interpreter: None,
        argv: Argv::whole(argv),
        cwd: Ok(b"/home/user"),
        setuid: false,
        setgid: false,
        parent: key(10),
        parent_facts: Some(ParentFacts {
            state: state(10),
            place: place(),
            cwd: Ok(b"/home/user"),
            file: Some(executable("/bin/bash").file),
            comm: b"bash",
            parent: key(1),
        }),
        tcp_peer: None,
    };
    let exit = Exit { at: BootTime(at.0 + 1000), process: child, status: 0 };
    [Observation::Fork(fork), Observation::Exec(Box::new(exec)), Observation::Exit(exit)]
}

#[divan::bench(args = [0, 10_000])]
fn short_lives(bencher: divan::Bencher<'_, '_>, others: u32) {
    let mut model = model(others);
    let mut pids = 100_000_u32..;
    bencher
        .with_inputs(|| -> Vec<_> {
            pids.by_ref()
                .take(LIVES)
                .flat_map(|pid| life(pid, b"ls\0-la\0--color=auto\0/var/log\0"))
                .collect()
        })
        .counter(ItemsCount::new(LIVES * LIFE))
        .bench_local_refs(|observations| {
            for observation in observations {
                model.apply(divan::black_box(observation), &mut |model, fact| {
                    if let forebear_model::Fact::Executed { process, .. } = fact {
                        divan::black_box(model.context(process));
                    }
                });
            }
        });
}
