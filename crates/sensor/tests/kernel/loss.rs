//! A buffer that is too small: everything lost is counted, nothing that arrives is wrong.

use std::process::Command;
use std::time::{Duration, Instant};

use forebear_model::{BootTime, Observation};
use forebear_sensor::{LiveOptions, boot_time};

use crate::watch::Watch;

/// Forks, execs and exits between two moments.
fn count(seen: &[Observation<'_>], from: BootTime, to: BootTime) -> [u64; 3] {
    let mut counts = [0; 3];
    for observation in seen {
        let (at, kind) = match observation {
            Observation::Fork(fork) => (fork.at, 0),
            Observation::Exec(exec) => (exec.at, 1),
            Observation::Exit(exit) => (exit.at, 2),
            _ => continue,
        };
        counts[kind] += u64::from(from <= at && at <= to);
    }
    counts
}

#[test]
fn received_and_lost_are_what_was_done() {
    let Some(mut whole) = Watch::attach() else { return };
    let before = boot_time();
    let tiny = LiveOptions { buffer_bytes: 4096, ..LiveOptions::default() };
    let mut tiny = Watch::attach_with(&tiny).unwrap();
    let attached = boot_time();
    for _ in 0..200 {
        Command::new("/bin/true").status().unwrap();
    }
    let done = boot_time();
    tiny.drain(Duration::ZERO);
    let counters = tiny.live.counters();
    let drained = boot_time();
    whole.drain(Duration::ZERO);

    assert!(counters.lost_execs > 100, "{counters:?}");
    let received = count(&tiny.seen, BootTime(0), drained);
    let lost = [counters.lost_forks, counters.lost_execs, counters.lost_exits];
    // Others work on this machine too, so the sums are bounded from both sides.
    let least = count(&whole.seen, attached, done);
    let most = count(&whole.seen, before, drained);
    for kind in 0..3 {
        let sum = received[kind] + lost[kind];
        assert!(
            (least[kind]..=most[kind]).contains(&sum),
            "kind {kind}: {received:?} + {lost:?}, {least:?} to {most:?}"
        );
    }
    assert!(least[1] >= 200);
    assert_eq!(counters.undecodable, 0);

    let told = tiny.seen.iter().find_map(|observation| match observation {
        Observation::Lost(lost) => Some([lost.forks, lost.execs, lost.exits]),
        _ => None,
    });
    assert_eq!(told, Some(lost));
}

#[test]
fn a_filling_buffer_wakes_the_reader_early() {
    // The threshold is a quarter of the buffer, so some hundred records reach it.
    let options = LiveOptions { buffer_bytes: 1 << 18, ..LiveOptions::default() };
    let Some(mut watch) = Watch::attach_with(&options) else { return };
    let busy = std::thread::spawn(|| {
        for _ in 0..200 {
            Command::new("/bin/true").status().unwrap();
        }
    });
    let long = Duration::from_secs(60);
    let start = Instant::now();
    watch.drain(long);
    let waited = start.elapsed();
    assert!(waited < long / 2 && !watch.seen.is_empty(), "{} in {waited:?}", watch.seen.len());
    busy.join().unwrap();
}

#[test]
fn a_quiet_machine_is_looked_at_in_time() {
    let Some(mut watch) = Watch::attach() else { return };
    Command::new("/bin/true").status().unwrap();
    let start = Instant::now();
    watch.drain(LiveOptions::default().max_delay);
    // One record wakes nobody; it is there when the wait is over.
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(watch.execs().any(|exec| exec.filename == Ok(b"/bin/true")));
}

#[test]
fn the_sensor_may_be_handed_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<forebear_sensor::Live>();
}

#[test]
fn what_arrives_after_a_loss_is_right() {
    let Some(mut whole) = Watch::attach() else { return };
    let tiny = LiveOptions { buffer_bytes: 16384, ..LiveOptions::default() };
    let mut tiny = Watch::attach_with(&tiny).unwrap();
    // Pieces of long lists find room where exec records do not, and the other way round.
    let argument = "w".repeat(30_000);
    for round in 0..60 {
        Command::new("/bin/true").args([&argument, "end"]).status().unwrap();
        if round % 5 == 0 {
            tiny.drain(Duration::ZERO);
            whole.drain(Duration::ZERO);
        }
    }
    tiny.drain(Duration::ZERO);
    whole.drain(Duration::ZERO);
    for observation in &tiny.seen {
        let Observation::Exec(exec) = observation else { continue };
        if exec.filename != Ok(b"/bin/true") {
            continue;
        }
        let other = whole.execs().find(|other| other.process == exec.process).unwrap();
        assert_eq!(exec.argv.total, other.argv.total);
        assert!(other.argv.bytes.starts_with(exec.argv.bytes), "a beginning, or all of it");
        assert_eq!(
            (&exec.state, &exec.executable, exec.cwd),
            (&other.state, &other.executable, other.cwd)
        );
    }
    assert_eq!(tiny.live.counters().undecodable, 0);
    let cut = tiny.execs().filter(|exec| exec.argv.is_cut()).count() as u64;
    assert_eq!(tiny.live.counters().argv_incomplete, cut);
}
