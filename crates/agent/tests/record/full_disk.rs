//! A disk that is full for a while, or to the end: a tiny tmpfs in a mount namespace of the
//! agent's own.

use std::fs::File;
use std::io::Read as _;
use std::process::{Command, Stdio};

use forebear_testkit::wait;
use rustix::process::Signal;

use crate::agent::{Agent, can_record, events, program, run_true};

/// Mounts a small file system, fills most of it, and becomes the agent. Nothing of it is seen
/// outside.
const SCRIPT: &str = "mount -t tmpfs -o size=2m tmpfs \"$1\" && \
                      head -c 1800000 /dev/zero > \"$1/ballast\" && \
                      exec \"$2\" record --no-backfill --output \"$1/events\"";

/// An agent whose disk is full.
fn on_full_disk() -> (Agent, File, String) {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("disk");
    fs_err::create_dir(&disk).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", SCRIPT, "sh"]).arg(&disk).arg(program());
    command.stdout(Stdio::null());
    let agent = Agent::start(command, directory);
    // The agent's own view of the disk; an open file outlives the namespace.
    let inside = format!("/proc/{}/root{}", agent.pid(), disk.display());
    let written = File::open(format!("{inside}/events")).unwrap();
    wait::until("the disk to be full", || {
        run_true();
        agent.talk().contains("no space left on device: holding ").then_some(())
    });
    (agent, written, inside)
}

fn read(mut file: File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_disk_that_is_full_for_a_while_costs_no_line() {
    if !can_record() {
        return;
    }
    let (mut agent, written, inside) = on_full_disk();
    let word = run_true();
    fs_err::remove_file(format!("{inside}/ballast")).unwrap();
    wait::until("space to be noticed", || {
        agent.talk().contains(": there is space again").then_some(())
    });
    agent.signal(Signal::TERM);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    assert_eq!(agent.talk().matches("no space left").count(), 1, "{}", agent.talk());
    let text = read(written);
    assert!(text.contains(&word));
    for (index, event) in events(&text).iter().enumerate() {
        assert_eq!(event["seq"], index + 1);
    }
}

#[test]
fn a_disk_that_is_full_to_the_end_is_told_with_a_count() {
    if !can_record() {
        return;
    }
    let (mut agent, written, _) = on_full_disk();
    let before = written.metadata().unwrap().len();
    agent.signal(Signal::TERM);
    assert_eq!(agent.end(), Some(4), "{}", agent.talk());
    let last = agent.talk().lines().last().unwrap_or_default().to_owned();
    assert!(last.ends_with(" bytes) not written: there is no space"), "{last}");
    // Nothing that was written is taken back.
    assert!(written.metadata().unwrap().len() >= before);
}
