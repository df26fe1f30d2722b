//! Who a process is, who made it, where it is, and how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use forebear_model::{Pid, Sid};

use crate::deeds::deed;
use crate::watch::Watch;

fn this_pid() -> Pid {
    Pid(std::process::id())
}

#[test]
fn a_child_has_one_key_from_fork_to_exit() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(&mut Command::new("/bin/true"));
    let fork = watch.fork_of(pid);
    let exec = watch.exec_of(pid);
    let exit = watch.exit(pid).unwrap();
    assert_eq!(fork.child, exec.process);
    assert_eq!(fork.child, exit.process);
    assert_eq!((fork.creator.pid, fork.parent.pid), (this_pid(), this_pid()));
    assert_eq!(exec.parent, fork.creator);
    assert!(fork.child.start <= fork.at && fork.at <= exec.at && exec.at <= exit.at);
    assert!(!fork.kernel_thread);
    assert_eq!(exit.status, 0);
    assert_eq!(watch.live.counters().undecodable, 0);
}

#[test]
fn the_status_is_that_of_wait() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(Command::new("/bin/sh").args(["-c", "exit 127"]));
    assert_eq!(watch.exit(pid).unwrap().status, 0x7f00);
    let pid = watch.run(Command::new("/bin/sh").args(["-c", "kill -KILL $$"]));
    assert_eq!(watch.exit(pid).unwrap().status, 9);
}

#[test]
fn an_exec_by_another_thread_keeps_the_key() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(&mut deed("exec-in-thread:/bin/true"));
    let fork = watch.fork_of(pid).child;
    let exec = watch.execs().filter(|exec| exec.process == fork).last().unwrap();
    assert_eq!(exec.filename, Ok(&b"/bin/true"[..]));
    assert_eq!(
        watch
            .seen
            .iter()
            .filter(|seen| matches!(seen,
        forebear_model::Observation::Exit(exit) if exit.process == fork))
            .count(),
        1
    );
}

#[test]
fn a_process_lives_on_without_its_first_thread() {
    let Some(mut watch) = Watch::attach() else { return };
    let mut child =
        deed("leader-ends").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ended\n");

    let mut found = None;
    watch.drain(std::time::Duration::ZERO);
    let pid = child.id();
    watch
        .live
        .snapshot(&mut |observation| {
            if let forebear_model::Observation::Running(running) = observation
                && running.process.pid == Pid(pid)
            {
                assert!(found.is_none(), "it is told twice");
                found = Some(running.process);
                assert!(running.executable.is_some() && running.cwd.is_ok());
                assert!(running.state.streams.is_ok_and(|streams| streams[0].is_some()));
            }
        })
        .unwrap();
    assert_eq!(found, Some(watch.fork_of(pid).child));
    assert!(watch.exit(pid).is_none());

    drop(child.stdin.take());
    watch.finish(&mut child);
    let deed = watch.fork_of(pid).child;
    let fork = watch.forks().find(|fork| fork.creator == deed).unwrap();
    assert_eq!(fork.parent, deed);
    let facts = watch.child_exec_of(pid).parent_facts.clone().unwrap();
    assert!(facts.cwd.is_ok() && facts.file.is_some());
    assert!(facts.state.streams.is_ok_and(|streams| streams[0].is_some()));
    assert_eq!(watch.exit(pid).unwrap().status, 0x700);
}

#[test]
fn a_sibling_made_with_clone_parent_has_another_parent_than_creator() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(&mut deed("clone-parent"));
    let deed = watch.fork_of(pid).child;
    let fork = watch.forks().find(|fork| fork.creator == deed).unwrap().clone();
    assert_eq!(fork.parent.pid, this_pid());
    let sibling = rustix::process::Pid::from_raw(fork.child.pid.0 as i32);
    rustix::process::waitpid(sibling, rustix::process::WaitOptions::empty()).unwrap();
}

#[test]
fn a_new_session_is_seen_at_the_exec() {
    let Some(mut watch) = Watch::attach() else { return };
    let pid = watch.run(&mut deed("on-terminal:/dev/null"));
    let fork = watch.fork_of(pid);
    let exec = watch.execs().filter(|exec| exec.process.pid.0 == pid).last().unwrap();
    assert_ne!(fork.state.sid, Sid(pid));
    assert_eq!(exec.state.sid, Sid(pid));
    assert_eq!(exec.state.pgid.0, pid);
}

#[test]
fn the_first_process_of_a_pid_namespace_has_pid_one_in_it() {
    let Some(mut watch) = Watch::attach() else { return };
    let unshare = watch.run(Command::new("unshare").args(["--pid", "--fork", "/bin/true"]));
    let exec = watch.child_exec_of(unshare);
    let namespace = exec.place.pid_namespace.unwrap();
    let own = std::fs::read_link("/proc/self/ns/pid").unwrap();
    let inner = format!("pid:[{}]", namespace.id);
    assert_eq!((namespace.level, namespace.pid), (1, Pid(1)));
    assert_ne!(own.to_string_lossy(), inner);
    assert_eq!(watch.fork_of(exec.process.pid.0).place.pid_namespace, Some(namespace));
    assert_eq!(watch.fork_of(unshare).place.pid_namespace, None);
}

#[test]
fn a_control_group_comes_with_its_path_once() {
    let Some(mut watch) = Watch::attach() else { return };
    let inside = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let unified = std::path::Path::new("/sys/fs/cgroup/cgroup.procs");
    let base = if unified.exists() { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/memory" };
    let group = format!("{base}/forebear-test-{}", std::process::id());
    if inside.count() == 0 || std::fs::create_dir(&group).is_err() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no control groups can be made");
        eprintln!("not run: no control group can be made below {base}");
        return;
    }
    let script = format!("echo $$ > {group}/cgroup.procs; /bin/true; exec /bin/true");
    let pid = watch.run(Command::new("/bin/sh").args(["-c", &script]));
    let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&group).unwrap());
    std::fs::remove_dir(&group).unwrap();
    let child = watch.execs().find(|exec| exec.parent.pid.0 == pid).unwrap();
    let execs: Vec<_> = watch.execs().filter(|exec| exec.process.pid.0 == pid).collect();
    assert_ne!(execs[0].place.cgroup.0, inode);
    assert_eq!(execs[1].place.cgroup.0, inode);
    let path = &group[base.len()..];
    assert_eq!(child.place.cgroup.0, inode);
    assert_eq!(child.place.cgroup_path, Some(path.as_bytes()), "the first in the group");
    assert_eq!(execs[1].place.cgroup_path, None, "told before");
}
