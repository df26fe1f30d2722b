//! What the recording costs those who are recorded.
//!
//! Rounds without and with the agent alternate, so that a slow spell of the machine falls on
//! both; the median of the pairs' ratios is the figure.

use anyhow::Result;

use super::recording::Recording;
use super::spawner;

const ROUNDS: usize = 8;
const PROCESSES: u32 = 10_000;

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    // Warms the page cache and the processor's clock.
    spawner::run(PROCESSES / 4)?;
    let mut ratios = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let (without, with);
        // The order turns each round, so that a drift of the machine favours neither side.
        if round % 2 == 0 {
            without = spawner::run(PROCESSES)?;
            with = recorded()?;
        } else {
            with = recorded()?;
            without = spawner::run(PROCESSES)?;
        }
        ratios.push(with.as_secs_f64() / without.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let median = (ratios[ROUNDS / 2 - 1] + ratios[ROUNDS / 2]) / 2.0;
    let (least, most) = (ratios[0], ratios[ROUNDS - 1]);
    Ok(format!("{median:.3} ({ROUNDS} rounds of {PROCESSES} processes, {least:.3} to {most:.3})"))
}

fn recorded() -> Result<std::time::Duration> {
    let recording = Recording::start()?;
    let took = spawner::run(PROCESSES)?;
    recording.stop()?;
    Ok(took)
}
