//! CPU time of the agent per exec at a fixed rate.
//!
//! The method is the one that laurel published for auditd's chains: 1,000 runs of `/bin/true` a
//! second, everything that the recording costs outside the kernel's hooks included.

use anyhow::{Result, ensure};

use super::recording::{Recording, count_execs};
use super::spawner;

pub(super) const PER_SECOND: u32 = 1_000;
pub(super) const SECONDS: u32 = 30;

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let (figure, count) = measure()?;
    Ok(format!("{figure:.1} µs ({count} execs at {PER_SECOND} a second, all recorded)"))
}

/// Microseconds per exec, and the number of execs.
pub(super) fn measure() -> Result<(f64, u32)> {
    let recording = Recording::start()?;
    let before = recording.cpu_time()?;
    let (count, _) = spawner::run_paced(PER_SECOND, SECONDS)?;
    let after = recording.cpu_time()?;
    let events = recording.stop()?;
    let recorded = count_execs(&events, "true")?;
    ensure!(recorded >= count as usize, "only {recorded} of {count} execs were recorded");
    Ok(((after - before).as_secs_f64() * 1e6 / f64::from(count), count))
}
