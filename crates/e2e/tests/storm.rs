//! Two spawners as fast as the machine goes.
//!
//! For 5 seconds, or 60 with `FOREBEAR_STORM=full` or under CI.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use forebear_testkit::means::{self, DEED, LOGIN, available};
use forebear_testkit::scene::{Scene, Stage, marker};
use forebear_testkit::{Event, Expect, deed};
use rustix::process::Signal;

/// Starts a spawner that ends after so many seconds or programs.
fn spawner(deed: &Path, seconds: u64, most: u64, mark: &str) -> Child {
    let arguments = [&seconds.to_string(), &most.to_string(), mark];
    Command::new(deed).args(arguments).stdout(Stdio::piped()).spawn().unwrap()
}

/// Waits for a spawner; how many programs it has run.
fn ran(spawner: Child) -> u64 {
    let output = spawner.wait_with_output().unwrap();
    assert!(output.status.success(), "a spawner failed: {}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

/// The argument that `spawn_storm` makes from a program's number.
fn filler(number: u64) -> String {
    let length = if number % 256 == 255 { 20_000 } else { number * 37 % 300 };
    let letter = char::from(b'a' + u8::try_from(number % 26).unwrap());
    std::iter::repeat_n(letter, usize::try_from(length).unwrap()).collect()
}

/// Looks at each program of a spawner that was recorded.
#[derive(Default)]
struct Seen {
    /// How often each number was recorded.
    numbers: HashMap<u64, u32>,
    /// The spawner's uuid, by its own EXEC.
    spawner: Option<String>,
    wrong: Vec<String>,
}

impl Seen {
    fn event(&mut self, event: &Event, mark: &str) {
        let argv = event.argv();
        if event.name() == "spawn_storm" && argv.get(3) == Some(&mark) {
            self.spawner = event.uuid("self").map(str::to_owned);
        }
        if event.name() != "true" || argv.get(1) != Some(&mark) {
            return;
        }
        let number: u64 = argv[2].parse().unwrap();
        *self.numbers.entry(number).or_default() += 1;
        let right_arguments = argv.len() == 4 && argv[3] == filler(number);
        let right_parent =
            self.spawner.is_some() && event.uuid("parent") == self.spawner.as_deref();
        let right_name = event.text("parent.name") == Some("spawn_storm");
        if !right_arguments || !right_parent || !right_name {
            self.wrong.push(event.summary());
        }
    }

    /// All programs from 0 up, each once, with whole arguments and the right parent.
    #[track_caller]
    fn complete(&self, ran: u64) {
        assert!(self.wrong.is_empty(), "{} wrong, such as {}", self.wrong.len(), self.wrong[0]);
        let absent: Vec<u64> = (0..ran).filter(|n| self.numbers.get(n) != Some(&1)).collect();
        assert!(absent.is_empty(), "{} of {ran} not recorded once: {absent:.10?}", absent.len());
        assert_eq!(self.numbers.len() as u64, ran);
    }
}

#[test]
fn a_storm_is_recorded_whole_with_default_buffers() {
    if !available(DEED) {
        return;
    }
    let full = means::in_ci() || std::env::var_os("FOREBEAR_STORM").is_some_and(|v| v == "full");
    let seconds = if full { 60 } else { 5 };
    let stage = Stage::new();
    let deed = deed::build("spawn_storm", stage.folder());
    let marks = [marker("storm-one"), marker("storm-two")];
    let spawners = marks.each_ref().map(|mark| spawner(&deed, seconds, u64::MAX >> 1, mark));
    let counts = spawners.map(ran);
    let mut seen = [Seen::default(), Seen::default()];
    stage.agent.stop_and_read(true, |event| {
        if event.is_exec() {
            seen.iter_mut().zip(&marks).for_each(|(seen, mark)| seen.event(event, mark));
        }
    });
    for (seen, count) in seen.iter().zip(counts) {
        assert!(count > 100, "the storm was a breeze of {count} programs");
        seen.complete(count);
    }
}

/// What does not fit is counted, and afterwards everything is right again.
#[test]
fn a_storm_that_overflows_a_tiny_buffer_is_counted_and_survived() {
    if !available(LOGIN) || !available(DEED) {
        return;
    }
    let mut scene = Scene::with_agent(&["--buffer-size", "64KiB"]);
    let deed = deed::build("spawn_storm", scene.account.folder());
    let marks = [marker("overflow-one"), marker("overflow-two")];
    let forks_before = forks();
    // The agent stands still, so that the buffer certainly overflows.
    scene.agent.signal(Signal::STOP);
    let counts = marks.each_ref().map(|mark| spawner(&deed, 100, 2000, mark)).map(ran);
    let ran: u64 = counts.iter().sum();
    scene.agent.signal(Signal::CONT);
    let forks = forks() - forks_before;

    // The next login is complete and right.
    let mut login = scene.login();
    let after = scene.marker("after-the-storm");
    login.run(&format!("ls {after}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &after]);
    Expect::of(&ls, "ls after the storm")
        .process("parent", login.uuid())
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .is("session_leader.name", "bash")
        .on_pts("self", login.pts)
        .absent("missing")
        .met();
    login.logout();

    let mut seen = [Seen::default(), Seen::default()];
    let (mut lost, mut reported, mut known) = (0, false, 0);
    scene.agent.stop_and_read(false, |event| {
        if event.is_exec() {
            seen.iter_mut().zip(&marks).for_each(|(seen, mark)| seen.event(event, mark));
        }
        if event.kind() == "AGENT" {
            lost = event.number("counters.lost_kernel").unwrap();
            known = event.number("counters.processes").unwrap();
            reported |= event.text("reason") == Some("lost");
        }
    });
    let recorded: u64 = seen.iter().map(|seen| seen.numbers.len() as u64).sum();
    assert!(reported, "no AGENT event says at once that events were lost");
    assert!(recorded < ran, "nothing was lost, so nothing was tested");
    assert!(recorded + lost >= ran, "{recorded} recorded and {lost} lost are less than {ran}");
    // Whatever else ran meanwhile on the machine may have been lost too, and nothing else.
    let others = forks.saturating_sub(ran);
    assert!(lost <= ran - recorded + others, "{lost} lost, but only {ran} and {others} others ran");
    // No process whose end was lost is believed to live for ever. The machine does not stand still
    // while it is counted, so the numbers may differ a little; the storm was thousands.
    let living = forebear_testkit::process::all_pids().len() as u64;
    assert!(known.abs_diff(living) < 200, "{known} believed to live, {living} live");
    for seen in &seen {
        // A spawner whose own EXEC was lost has no name, but never a wrong one.
        assert!(seen.wrong.len() <= seen.numbers.len());
    }
}

/// How many processes and threads were created since boot.
fn forks() -> u64 {
    let text = fs_err::read_to_string("/proc/stat").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("processes ")).unwrap();
    line.parse().unwrap()
}
