//! The agent as a program: recording for real, and the ends that it can come to.
//!
//! Deliberately not here: what is in an event of a login (`crates/e2e`), and the writer's own
//! cases, which need no kernel (`src/output/tests.rs`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use forebear_testkit::wait;
use rustix::process::Signal;

use agent::{Agent, as_nobody, can_record, is_root, program, run_true};

#[path = "record/agent.rs"]
mod agent;
#[path = "record/filter.rs"]
mod filter;
#[path = "record/full_disk.rs"]
mod full_disk;

#[test]
fn what_runs_is_in_the_file_between_the_first_and_the_last_agent_event() {
    if !can_record() {
        return;
    }
    let mut agent = Agent::to_file(&[]);
    let word = run_true();
    agent.wait_for_line(&word);
    agent.signal(Signal::INT);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    let events = agent.events();
    let kinds: Vec<&str> = events.iter().map(|e| e["event_type"].as_str().unwrap()).collect();
    assert_eq!(events[0]["reason"], "start");
    assert_eq!(events.last().unwrap()["reason"], "stop");
    let first_exec = kinds.iter().position(|kind| *kind == "EXEC").unwrap();
    let found = kinds[1..].iter().position(|kind| *kind != "BACKFILL").unwrap();
    assert!(found > 1, "{kinds:?}");
    assert!(first_exec > found, "{kinds:?}");
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], index + 1);
    }
    let exec = events.iter().find(|e| e["self"]["argv"][1] == word.as_str()).unwrap();
    assert_eq!(exec["self"]["argv"][0], "/bin/true");
    assert_eq!(exec["parent"]["pid"], std::process::id());
    assert_eq!(events.last().unwrap()["counters"]["emitted"], events.len());
}

#[test]
fn without_backfill_only_the_backfill_events_are_left_out() {
    if !can_record() {
        return;
    }
    let mut agent = Agent::to_file(&["--no-backfill"]);
    let word = run_true();
    agent.wait_for_line(&word);
    agent.signal(Signal::TERM);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    let events = agent.events();
    assert!(events.iter().all(|event| event["event_type"] != "BACKFILL"));
    let exec = events.iter().find(|e| e["self"]["argv"][1] == word.as_str()).unwrap();
    // This process ran before the agent did, and is known all the same.
    assert_eq!(exec["parent"]["pid"], std::process::id());
    assert!(exec["parent"]["exe"].is_string(), "{exec}");
}

#[test]
fn a_duration_ends_it_by_itself() {
    if !can_record() {
        return;
    }
    let mut agent = Agent::to_file(&["--duration", "100ms"]);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    assert_eq!(agent.events().last().unwrap()["reason"], "stop");
}

#[test]
fn mode_control_is_said_in_the_stream() {
    if !can_record() {
        return;
    }
    let shells = ["--shells", "/nowhere"];
    let mut agent =
        Agent::to_file(&[&["--mode", "control", "--duration", "1ms"], &shells[..]].concat());
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    let first = &agent.events()[0];
    assert_eq!(first["agent"]["mode"], "control");
    assert_eq!(first["counters"]["shells_attached"], 0);
    let hooks = first["sensor"]["hooks"].as_array().unwrap();
    let degraded = first["sensor"]["degraded"].to_string();
    assert!(
        hooks.iter().any(|hook| hook == "uprobe.multi") || degraded.contains("probes on shells"),
        "{first}"
    );
}

#[test]
fn no_capability_is_left_once_it_is_ready() {
    if !can_record() {
        return;
    }
    let mut agent = Agent::to_file(&[]);
    let tasks = fs_err::read_dir(format!("/proc/{}/task", agent.pid())).unwrap();
    let mut threads = 0;
    for task in tasks {
        let status = fs_err::read_to_string(task.unwrap().path().join("status")).unwrap();
        let lines: Vec<_> = status.lines().filter(|line| line.starts_with("Cap")).collect();
        assert_eq!(lines.len(), 5, "{status}");
        for line in lines {
            assert!(line.ends_with("\t0000000000000000"), "{status}");
        }
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        threads += 1;
    }
    assert!(threads >= 1);
    // And it still records.
    let word = run_true();
    agent.wait_for_line(&word);
    agent.signal(Signal::TERM);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    if !can_record() {
        return;
    }
    let (reader, writer) = pipe();
    let mut agent = Agent::to(writer.into(), &["--no-backfill"]);
    let before = agent.talk();
    drop(reader);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    assert_eq!(agent.talk(), before);
}

/// A pipe whose ends no other program inherits.
fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap()
}

/// An agent whose reader does not read, until its pipe is full.
fn stuck(reader: &OwnedFd, writer: OwnedFd) -> Agent {
    let agent = Agent::to(writer.into(), &[]);
    let before = |fd| rustix::io::ioctl_fionread(fd).unwrap();
    // Backfill alone fills a pipe on most machines; programs do the rest.
    wait::until("the pipe to be full", || {
        run_true();
        (before(reader) >= 60 << 10).then_some(())
    });
    agent
}

#[test]
fn a_reader_that_does_not_read_keeps_nobody_waiting_and_is_told() {
    if !can_record() {
        return;
    }
    let (reader, writer) = pipe();
    let mut agent = stuck(&reader, writer);
    let began = Instant::now();
    agent.signal(Signal::TERM);
    assert_eq!(agent.end(), Some(4), "{}", agent.talk());
    assert!(began.elapsed() < Duration::from_secs(20));
    let last = agent.talk().lines().last().unwrap_or_default().to_owned();
    assert!(
        last.starts_with("error: standard output: ")
            && last.ends_with(" bytes) not written: its reader does not read"),
        "{last}"
    );
}

#[test]
fn a_second_signal_ends_it_at_once() {
    if !can_record() {
        return;
    }
    let (reader, writer) = pipe();
    let mut agent = stuck(&reader, writer);
    // Two different ones: the same one twice can become one on its way.
    agent.signal(Signal::INT);
    agent.signal(Signal::TERM);
    let code = agent.end();
    assert!(code == Some(130) || code == Some(143), "{code:?} {}", agent.talk());
}

#[test]
fn a_reader_that_is_only_slow_gets_everything() {
    if !can_record() {
        return;
    }
    let (reader, writer) = pipe();
    let mut agent = stuck(&reader, writer);
    let word = run_true();
    agent.signal(Signal::TERM);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut std::fs::File::from(reader), &mut text).unwrap();
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    assert!(text.ends_with('\n'));
    assert!(text.contains(&word));
    let mut seq = 0;
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        seq += 1;
        assert_eq!(event["seq"], seq);
    }
}

#[test]
fn a_service_manager_is_told_when_it_is_ready() {
    if !can_record() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(wait::SOON)).unwrap();
    let output = directory.path().join("events");
    let mut command = Command::new(program());
    command.args(["record", "--duration", "1ms", "--output"]).arg(&output);
    command.env("NOTIFY_SOCKET", &path).stderr(Stdio::null());
    let status = command.status().unwrap();
    assert_eq!(status.code(), Some(0));
    let mut told = [0; 64];
    let length = socket.recv(&mut told).unwrap();
    assert_eq!(&told[..length], b"READY=1\n");
}

#[test]
fn a_trace_holds_every_observation_that_was_made() {
    if !can_record() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace");
    let mut agent = Agent::to_file(&["--trace", path.to_str().unwrap()]);
    let word = run_true();
    agent.wait_for_line(&word);
    agent.signal(Signal::TERM);
    assert_eq!(agent.end(), Some(0), "{}", agent.talk());
    let text = fs_err::read_to_string(&path).unwrap();
    for (index, line) in text.lines().enumerate() {
        let split = forebear_model::trace::Line::split(line)
            .unwrap_or_else(|error| panic!("line {}: {error}: {line}", index + 1));
        split.content().unwrap_or_else(|error| panic!("line {}: {error}: {line}", index + 1));
    }
    assert!(text.starts_with("trace version=1 host="), "{}", text.lines().next().unwrap());
    assert!(text.contains(&word));
}

#[test]
fn without_privileges_record_says_which_why_and_what_to_do() {
    if !is_root() {
        return;
    }
    let output = as_nobody(&["record"]);
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{talk}");
    assert!(talk.starts_with("error: cannot record: "), "{talk}");
    assert!(talk.contains("\n  why: ") && talk.contains("\n  do:  "), "{talk}");
    let output = as_nobody(&["doctor"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stdout).unwrap().contains("missing"));
}

#[test]
fn without_privileges_a_snapshot_still_names_every_process() {
    if !is_root() {
        return;
    }
    let output = as_nobody(&["snapshot"]);
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{talk}");
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["reason"], "start");
    assert_eq!(events.last().unwrap()["reason"], "stop");
    let own = std::process::id();
    assert!(events.iter().any(|event| event["self"]["pid"] == own));
}

#[test]
fn the_talk_of_a_recording_is_one_line() {
    if !can_record() {
        return;
    }
    let mut agent = Agent::to_file(&["--duration", "1ms"]);
    agent.end();
    let talk = agent.talk();
    let ready: Vec<_> = talk.lines().filter(|line| line.starts_with("ready: recording ")).collect();
    assert_eq!(ready.len(), 1, "{talk}");
    assert!(ready[0].contains(" processes, ebpf, ") && ready[0].ends_with(" ms"), "{talk}");
}
