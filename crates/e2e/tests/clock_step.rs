//! The wall clock is set while recording: no id changes, and times follow the clock.
//!
//! The clock is set forward by a few seconds and back by as much within a moment, so that only
//! this moment is out of order for everything else on the machine.

use std::process::Command;

use forebear_testkit::means::{LOGIN, available};
use forebear_testkit::scene::{Login, Scene};
use forebear_testkit::{Event, Expect};
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};

/// How far the clock is set.
const STEP_SECONDS: i64 = 7;

/// The wall clock, set back by the same amount when dropped.
struct Stepped;

impl Stepped {
    fn new() -> Option<Self> {
        step(STEP_SECONDS).then_some(Self)
    }
}

impl Drop for Stepped {
    fn drop(&mut self) {
        step(-STEP_SECONDS);
    }
}

fn step(seconds: i64) -> bool {
    let now = clock_gettime(ClockId::Realtime);
    let then = Timespec { tv_sec: now.tv_sec + seconds, tv_nsec: now.tv_nsec };
    clock_settime(ClockId::Realtime, then).is_ok()
}

/// The EXEC of an `ls` that is typed when one event has come through since the clock was set: what
/// happens within the delay of a step may have been seen with either clock.
fn typed(scene: &mut Scene, login: &mut Login, label: &str) -> Event {
    let markers = [scene.marker(&format!("first-{label}")), scene.marker(label)];
    let events = markers.map(|marker| {
        login.run(&format!("ls {marker}"));
        scene.agent.wait_for_exec_of(&["ls", &marker])
    });
    let [_, event] = events;
    event
}

#[test]
fn a_step_of_the_clock_changes_no_id_and_is_followed() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let before = typed(&mut scene, &mut login, "before");
    let clock = Stepped::new().expect("the clock cannot be set: the test needs CAP_SYS_TIME");
    let stepped = typed(&mut scene, &mut login, "stepped");
    drop(clock);
    let restored = typed(&mut scene, &mut login, "restored");

    for event in [&before, &stepped, &restored] {
        Expect::of(event, "ls")
            .process("parent", login.uuid())
            .process("inception_session", login.uuid())
            .is("parent.start_time", login.shell.text("self.start_time"))
            .met();
    }
    // Seconds by the wall clock minus seconds since boot: what the clock was set to.
    let offset = |event: &Event| {
        let time = event.text("event_time").unwrap();
        let output = Command::new("date").args(["-u", "-d", time, "+%s.%N"]).output().unwrap();
        let wall: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        wall - event.number("boot_ns").unwrap() as f64 / 1e9
    };
    let forward = offset(&stepped) - offset(&before);
    assert!((forward - STEP_SECONDS as f64).abs() < 1.0, "the step was seen as {forward} s");
    let back = offset(&restored) - offset(&before);
    assert!(back.abs() < 1.0, "after the step back the clock is {back} s off");
    assert!(before.number("boot_ns") < stepped.number("boot_ns"));
    assert!(stepped.number("boot_ns") < restored.number("boot_ns"));
    login.logout();
    scene.finish();
}
