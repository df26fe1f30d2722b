//! How long from the start of the agent until it is ready.

use anyhow::Result;

use super::living::Living;
use super::recording::Recording;

const PROCESSES: usize = 1_000;
const STARTS: usize = 5;

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let _living = Living::start(PROCESSES)?;
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let recording = Recording::start()?;
        times.push(recording.ready_after());
        recording.stop()?;
    }
    times.sort();
    let (least, median, most) = (times[0], times[STARTS / 2], times[STARTS - 1]);
    Ok(format!("{} ms ({} to {} ms)", median.as_millis(), least.as_millis(), most.as_millis()))
}
