//! Runs `/bin/true`: as fast as it goes, or paced by the monotonic clock.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What is run; small, and there on every machine.
const PROGRAM: &str = "/bin/true";

/// Runs it `count` times, one after another, and returns how long that took.
///
/// The standard library uses posix_spawn(3) where nothing is asked that it cannot do.
pub(super) fn run(count: u32) -> Result<Duration> {
    let begun = Instant::now();
    for _ in 0..count {
        once()?;
    }
    Ok(begun.elapsed())
}

/// Runs it `per_second` times a second for `seconds`; returns how often in how long.
///
/// A start that is late is made up for, so the mean rate holds as long as the machine can keep up.
pub(super) fn run_paced(per_second: u32, seconds: u32) -> Result<(u32, Duration)> {
    let begun = Instant::now();
    let count = per_second * seconds;
    for number in 0..count {
        let due = Duration::from_secs(1) * number / per_second;
        if let Some(early) = due.checked_sub(begun.elapsed()) {
            std::thread::sleep(early);
        }
        once()?;
    }
    Ok((count, begun.elapsed()))
}

fn once() -> Result<()> {
    Command::new(PROGRAM)
        .stdin(Stdio::null())
        .status()
        .map(drop)
        .with_context(|| format!("running {PROGRAM}"))
}
