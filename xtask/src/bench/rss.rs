//! Peak memory of the agent among many living processes.
//!
//! Both ways of coming to know them are measured, found running and seen being born; the larger
//! is the figure.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::living::Living;
use super::recording::{Recording, count_execs};

const PROCESSES: usize = 10_000;

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let found = {
        let _living = Living::start(PROCESSES)?;
        let recording = Recording::start()?;
        let peak = recording.peak_memory()?;
        recording.stop()?;
        peak
    };
    let born = {
        let recording = Recording::start()?;
        let _living = Living::start(PROCESSES)?;
        settle(&recording)?;
        let peak = recording.peak_memory()?;
        let recorded = count_execs(&recording.stop()?, "sleep")?;
        ensure!(recorded >= PROCESSES, "only {recorded} of {PROCESSES} execs were recorded");
        peak
    };
    let figure = found.max(born);
    Ok(format!("{figure:.1} MiB (found running {found:.1}, seen being born {born:.1})"))
}

/// Waits until the agent has worked off what is pending: its CPU time stands still.
fn settle(recording: &Recording) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut before = recording.proc("schedstat")?;
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = recording.proc("schedstat")?;
        let busy = running_ns(&now)?.saturating_sub(running_ns(&before)?);
        // Fifty wake-ups a second with nothing to do cost less than this.
        if busy < 20_000_000 {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the agent is still busy after 30 s");
        before = now;
    }
}

fn running_ns(schedstat: &str) -> Result<u64> {
    let first = schedstat.split_whitespace().next().context("reading the agent's schedstat")?;
    first.parse().context("the agent's running time")
}
