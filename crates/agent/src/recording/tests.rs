//! The loop over a scripted source: what is in the stream, and in which order.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use forebear_events::Recorder;
use forebear_model::observation::{Argv, Exec, Executable, FileId, Lost, Place, Running, State};
use forebear_model::{
    BootId, BootTime, CgroupId, ClockPair, Credentials, Device, Gid, HostId, Model, Observation,
    Pgid, Pid, ProcessKey, Sid, Uid, WallTime,
};
use forebear_sensor::{LiveCounters, SnapshotReport};
use serde_json::Value;

use super::{Recording, Timing};
use crate::exit::Exit;
use crate::names::NssNames;
use crate::options::{Format, Target};
use crate::output::Output;
use crate::pipeline::Pipeline;
use crate::signals::Stop;
use crate::source::Source;

/// One drain of the script.
#[derive(Default)]
struct Drain {
    execs: Vec<u32>,
    lost: u64,
    /// Builtins that were lost, and that were held back.
    missed: (u64, u64),
    /// By how much the wall clock is stepped while the agent waits.
    step: i64,
}

/// A source that plays a script and asks to stop at its end.
struct Script {
    drains: VecDeque<Drain>,
    running: Vec<u32>,
    snapshots: u64,
    now: Rc<Cell<u64>>,
    wall: Rc<Cell<i64>>,
    lost: u64,
    missed: (u64, u64),
    received: u64,
    stop: Stop,
}

impl Source for &mut Script {
    fn drain(&mut self, timeout: Duration, sink: &mut dyn FnMut(&Observation<'_>)) -> Result<u64> {
        self.now.set(self.now.get() + u64::try_from(timeout.as_nanos()).unwrap());
        let now = BootTime(self.now.get());
        if timeout.is_zero() {
            return Ok(0);
        }
        let Some(drain) = self.drains.pop_front() else {
            self.stop.ask();
            return Ok(0);
        };
        self.wall.set(self.wall.get() + drain.step);
        for pid in &drain.execs {
            self.received += 1;
            sink(&exec(*pid, now));
        }
        self.missed.0 += drain.missed.0;
        self.missed.1 += drain.missed.1;
        if drain.lost > 0 {
            self.lost += drain.lost;
            let lost = Lost { at: now, forks: 0, execs: drain.lost, exits: 0 };
            sink(&Observation::Lost(lost));
        }
        Ok(drain.execs.len() as u64)
    }

    fn snapshot(&mut self, sink: &mut dyn FnMut(&Observation<'_>)) -> Result<SnapshotReport> {
        self.snapshots += 1;
        sink(&Observation::SnapshotBegin(BootTime(self.now.get())));
        for pid in &self.running {
            sink(&running(*pid));
        }
        Ok(SnapshotReport { processes: self.running.len() as u64, ..SnapshotReport::default() })
    }

    fn counters(&self) -> LiveCounters {
        LiveCounters {
            received: self.received,
            lost_execs: self.lost,
            lost_builtins: self.missed.0,
            suppressed: self.missed.1,
            ..LiveCounters::default()
        }
    }
}

fn key(pid: u32) -> ProcessKey {
    ProcessKey { pid: Pid(pid), start: BootTime(u64::from(pid) * 1_000_000) }
}

fn state(pid: u32) -> State {
    State {
        credentials: Credentials { uid: Uid(0), euid: Uid(0), gid: Gid(0), egid: Gid(0) },
        login_uid: None,
        audit_session: None,
        sid: Sid(pid),
        pgid: Pgid(pid),
        tty: None,
        streams: Ok([None; 3]),
    }
}

fn place() -> Place<'static> {
    Place { pid_namespace: None, cgroup: CgroupId(1), cgroup_path: None }
}

fn executable() -> Executable<'static> {
    Executable {
        path: Ok(b"/usr/bin/true"),
        file: FileId { device: Device { major: 8, minor: 1 }, inode: 7 },
        owner: Uid(0),
        group: Gid(0),
        mode: 0o100_755,
        deleted: false,
        memfd: false,
        upper_layer: false,
    }
}

fn exec(pid: u32, at: BootTime) -> Observation<'static> {
    Observation::Exec(Box::new(Exec {
        at,
        process: key(pid),
        state: state(pid),
        place: place(),
        executable: executable(),
        filename: Ok(b"/bin/true"),
        interpreter: None,
        argv: Argv::whole(b"true\0"),
        cwd: Ok(b"/"),
        setuid: false,
        setgid: false,
        parent: key(1),
        parent_facts: None,
        tcp_peer: None,
    }))
}

fn running(pid: u32) -> Observation<'static> {
    Observation::Running(Box::new(Running {
        process: key(pid),
        parent: key(1),
        state: state(pid),
        place: place(),
        executable: Some(executable()),
        comm: b"true",
        argv: Ok(Argv::whole(b"true\0")),
        cwd: Ok(b"/"),
        tcp_peer: None,
    }))
}

/// Plays a script and returns the events, and how many snapshots were taken.
#[track_caller]
fn record(drains: Vec<Drain>, running: Vec<u32>) -> (Vec<Value>, u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.ndjson");
    let stop = Stop::default();
    let now = Rc::new(Cell::new(1_000_000_000));
    let wall = Rc::new(Cell::new(1_764_000_000_000_000_000));
    let mut script = Script {
        drains: drains.into(),
        running,
        snapshots: 0,
        now: Rc::clone(&now),
        wall: Rc::clone(&wall),
        lost: 0,
        missed: (0, 0),
        received: 0,
        stop: stop.clone(),
    };
    let recorder = Recorder::new(crate::run::of_tests(), Box::new(NssNames::through(|_| None)));
    let model = Model::new(HostId([1; 16]), BootId([2; 16]));
    let pipeline = Pipeline::new(model, recorder, Format::Ndjson);
    let output = Output::open(&Target::File(path.clone())).unwrap();
    let clock = move || ClockPair { boot: BootTime(now.get()), wall: WallTime(wall.get()) };
    let mut recording = Recording::new(&mut script, Box::new(clock), pipeline, output, None);
    recording.start().unwrap();
    let timing = Timing {
        max_delay: Duration::from_millis(500),
        duration: None,
        status_interval: Some(Duration::from_secs(60)),
    };
    recording.until(&stop, timing).unwrap();
    assert_eq!(recording.finish().unwrap(), Exit::Done);
    let text = fs_err::read_to_string(&path).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event["seq"], index + 1, "{event}");
    }
    (events, script.snapshots)
}

/// Plays a script and returns the events as `TYPE` or `AGENT reason lost_kernel`, and how many
/// snapshots were taken.
#[track_caller]
fn play(drains: Vec<Drain>, running: Vec<u32>) -> (Vec<String>, u64) {
    let (events, snapshots) = record(drains, running);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let events = events.iter().map(|event| match text(&event["event_type"]) {
        kind if kind == "AGENT" => {
            format!("AGENT {} {}", text(&event["reason"]), event["counters"]["lost_kernel"])
        }
        kind => kind,
    });
    (events.collect(), snapshots)
}

fn quiet(drains: usize) -> Vec<Drain> {
    (0..drains).map(|_| Drain::default()).collect()
}

#[test]
fn the_stream_begins_and_ends_with_an_agent_event_and_backfill_comes_first() {
    let (events, snapshots) =
        play(vec![Drain { execs: vec![20, 21], ..Drain::default() }], vec![10, 11]);
    assert_eq!(events, ["AGENT start 0", "BACKFILL", "BACKFILL", "EXEC", "EXEC", "AGENT stop 0"]);
    assert_eq!(snapshots, 1);
}

#[test]
fn a_loss_is_told_at_once_and_what_was_missed_is_found() {
    let (events, snapshots) =
        play(vec![Drain { execs: vec![20], lost: 3, ..Drain::default() }], vec![]);
    assert_eq!(events, ["AGENT start 0", "EXEC", "AGENT lost 3", "AGENT stop 3"]);
    assert_eq!(snapshots, 2);
}

#[test]
fn losses_that_go_on_are_told_once_a_second_and_healed_every_two() {
    // Each drain takes half a second of the script's time: ten seconds of losses, three of quiet.
    let mut drains: Vec<_> = (0..20).map(|_| Drain { lost: 1, ..Drain::default() }).collect();
    drains.extend(quiet(6));
    let (events, snapshots) = play(drains, vec![]);
    let told = events.iter().filter(|event| event.starts_with("AGENT lost")).count();
    assert!((10..=11).contains(&told), "{events:?}");
    assert!((6..=7).contains(&snapshots), "{snapshots}");
    assert!(events.contains(&"AGENT lost 20".to_owned()), "{events:?}");
}

#[test]
fn builtins_that_were_missed_are_told_at_once_and_need_no_new_look() {
    let missed = |lost, suppressed| Drain { missed: (lost, suppressed), ..Drain::default() };
    let mut drains = vec![missed(2, 0), Drain::default(), Drain::default(), missed(0, 5)];
    drains.extend(quiet(4));
    let (events, snapshots) = record(drains, vec![]);
    let told = events.iter().filter(|event| event["reason"] == "lost").map(|event| {
        let count = |name: &str| event["counters"][name].as_u64().unwrap();
        (count("lost_kernel_builtins"), count("suppressed"))
    });
    assert_eq!(told.collect::<Vec<_>>(), [(2, 0), (2, 5)]);
    assert_eq!(snapshots, 1, "what runs is known");
}

#[test]
fn the_counters_are_told_at_the_interval() {
    let (events, _) = play(quiet(250), vec![]);
    let told = events.iter().filter(|event| event.starts_with("AGENT status")).count();
    assert_eq!(told, 2, "{events:?}");
}

#[test]
fn a_clock_that_is_stepped_during_the_wait_gives_the_records_the_new_time() {
    const HOUR: i64 = 3_600_000_000_000;
    let drains = vec![Drain { execs: vec![20], step: HOUR, ..Drain::default() }];
    let (events, _) = record(drains, vec![]);
    let hour =
        |event: &Value| event["event_time"].as_str().unwrap()[11..13].parse::<u32>().unwrap();
    let start = events.iter().find(|event| event["reason"] == "start").unwrap();
    let exec = events.iter().find(|event| event["event_type"] == "EXEC").unwrap();
    assert_eq!((hour(start) + 1) % 24, hour(exec), "{exec}");
}
