//! CPU time of the agent per exec at a fixed rate.
//!
//! The method is the one that laurel published for auditd's chains: 1,000 runs of `/bin/true` a
//! second, everything that the recording costs outside the kernel's hooks included.

use anyhow::{Context, Result, ensure};

use super::recording::{Recording, count_execs};
use super::spawner;

const PER_SECOND: u32 = 1_000;
const SECONDS: u32 = 30;

/// The unit of the times in `/proc/<pid>/stat`: USER_HZ, which is 100 on every architecture that
/// the agent is built for.
const TICKS_PER_SECOND: u64 = 100;

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let recording = Recording::start()?;
    let before = ticks(&recording)?;
    let (count, took) = spawner::run_paced(PER_SECOND, SECONDS)?;
    let after = ticks(&recording)?;
    let events = recording.stop()?;
    let recorded = count_execs(&events, "true")?;
    ensure!(recorded >= count as usize, "only {recorded} of {count} execs were recorded");
    let rate = f64::from(count) / took.as_secs_f64();
    let microseconds = (after - before) as f64 * 1e6 / TICKS_PER_SECOND as f64;
    let figure = microseconds / f64::from(count);
    Ok(format!("{figure:.1} µs ({count} execs at {rate:.0} a second, all recorded)"))
}

/// User and system time of all the agent's threads, in clock ticks.
fn ticks(recording: &Recording) -> Result<u64> {
    let stat = recording.proc("stat")?;
    // The name may hold blanks and brackets, so the fields are counted after its last bracket;
    // the first of them is field 3 of proc_pid_stat(5), and 14 and 15 are wanted.
    let (_, fields) = stat.rsplit_once(')').context("reading the agent's stat")?;
    let mut times = fields.split_whitespace().skip(11);
    let mut next = || -> Result<u64> {
        times.next().context("a time is missing in the agent's stat")?.parse().context("a time")
    };
    Ok(next()? + next()?)
}
