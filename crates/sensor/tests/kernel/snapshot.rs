//! The three views of one process agree: live, the task iterator, and `/proc`.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use forebear_model::Observation;
use forebear_model::observation::Running;
use forebear_sensor::ProcFs;

use crate::watch::{Watch, keep};

fn waiting_child() -> Child {
    let mut command = Command::new("/bin/cat");
    command.arg("-").arg("").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.current_dir("/usr").spawn().unwrap()
}

fn running(seen: &[Observation<'static>], pid: u32) -> Running<'static> {
    let mut found = seen.iter().filter_map(|observation| match observation {
        Observation::Running(running) if running.process.pid.0 == pid => Some((**running).clone()),
        _ => None,
    });
    let running = found.next().unwrap();
    assert_eq!(found.next(), None);
    running
}

fn snapshot(watch: &mut Watch) -> Vec<Observation<'static>> {
    let mut seen = Vec::new();
    let report = watch.live.snapshot(&mut |observation| seen.push(keep(observation))).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert!(matches!(seen[0], Observation::SnapshotBegin(_)));
    assert_eq!(report.processes, seen.len() as u64 - 1);
    seen
}

fn proc_snapshot() -> Vec<Observation<'static>> {
    let mut seen = Vec::new();
    let proc_fs = ProcFs::new(Path::new("/")).unwrap();
    proc_fs.snapshot(&mut |observation| seen.push(keep(observation))).unwrap();
    seen
}

#[test]
fn live_iterator_and_proc_show_the_same_process() {
    let Some(mut watch) = Watch::attach() else { return };
    let mut child = waiting_child();
    let pid = child.id();
    watch.until("the exec", |watch| watch.execs().any(|exec| exec.process.pid.0 == pid));
    let by_iterator = running(&snapshot(&mut watch), pid);
    let by_proc = running(&proc_snapshot(), pid);
    drop(child.stdin.take());
    watch.finish(&mut child);
    let exec = watch.exec_of(pid);

    assert_eq!(by_iterator.process, exec.process);
    assert_eq!(by_iterator.parent, exec.parent);
    assert_eq!(by_iterator.state, exec.state);
    assert_eq!(by_iterator.executable.as_ref(), Some(&exec.executable));
    assert_eq!(by_iterator.argv, Ok(exec.argv));
    assert_eq!(by_iterator.cwd, exec.cwd);
    assert_eq!(by_iterator.place.pid_namespace, exec.place.pid_namespace);
    assert_eq!(by_iterator.place.cgroup, exec.place.cgroup);
    assert_eq!(exec.cwd, Ok(&b"/usr"[..]));

    assert_eq!(by_proc.process.pid, by_iterator.process.pid);
    assert_eq!(by_proc.process.start.ticks(), by_iterator.process.start.ticks());
    assert_eq!(by_proc.parent.start.ticks(), by_iterator.parent.start.ticks());
    let same_keys = Running { process: by_iterator.process, parent: by_iterator.parent, ..by_proc };
    assert_eq!(same_keys, by_iterator);
}

#[test]
fn the_parent_at_the_exec_is_as_its_own_snapshot() {
    let Some(mut watch) = Watch::attach() else { return };
    let mut child = waiting_child();
    let pid = child.id();
    watch.until("the exec", |watch| watch.execs().any(|exec| exec.process.pid.0 == pid));
    let parent = running(&snapshot(&mut watch), std::process::id());
    drop(child.stdin.take());
    watch.finish(&mut child);
    let exec = watch.exec_of(pid);
    let facts = exec.parent_facts.as_ref().unwrap();
    assert_eq!(exec.parent, parent.process);
    assert_eq!(facts.state, parent.state);
    assert_eq!(facts.place.cgroup, parent.place.cgroup);
    assert_eq!(facts.cwd, parent.cwd);
    assert_eq!(facts.file, parent.executable.map(|file| file.file));
    assert_eq!(facts.comm, parent.comm);
    assert_eq!(facts.parent, parent.parent);
}

#[test]
fn what_a_reader_may_not_see_is_a_reason() {
    let Some(_) = Watch::attach() else { return };
    // A place that everybody may read, for a user that is nobody.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), everybody).unwrap();
    let output = Command::new(&program)
        .env("FOREBEAR_TEST_DEED", format!("show-by-proc:{}", std::process::id()))
        .uid(4321)
        .current_dir("/")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Some(false) Err(PermissionDenied) Err(PermissionDenied)\n",
        "{output:?}"
    );
}

#[test]
fn every_process_of_proc_is_in_the_iterator() {
    let Some(mut watch) = Watch::attach() else { return };
    let before = proc_snapshot();
    let by_iterator = snapshot(&mut watch);
    let after = proc_snapshot();
    let pids = |seen: &[Observation<'_>]| -> std::collections::BTreeSet<(u32, u64)> {
        seen.iter()
            .filter_map(|observation| match observation {
                Observation::Running(running) => {
                    Some((running.process.pid.0, running.process.start.ticks().0))
                }
                _ => None,
            })
            .collect()
    };
    let (before, by_iterator, after) = (pids(&before), pids(&by_iterator), pids(&after));
    let always: Vec<_> = before.intersection(&after).collect();
    let missing: Vec<_> = always.iter().filter(|key| !by_iterator.contains(**key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(always.len() > 5);
}

#[test]
fn a_long_list_of_arguments_is_completed_from_proc() {
    let Some(mut watch) = Watch::attach() else { return };
    let argument = "x".repeat(100_000);
    let mut child = Command::new("/bin/sh")
        .args(["-c", "read line", "sh", &argument])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    watch.until("the exec", |watch| watch.execs().any(|exec| exec.process.pid.0 == pid));
    let found = running(&snapshot(&mut watch), pid);
    assert_eq!(found.argv, Ok(watch.exec_of(pid).argv));
    drop(child.stdin.take());
    watch.finish(&mut child);
}
