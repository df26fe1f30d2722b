//! CPU time of the agent per exec when it filters, against when it does not.
//!
//! The method is that of `cpu`; the three kinds take turns, so that a slow spell of the machine
//! falls on all of them.

use anyhow::{Result, ensure};

use super::cpu::{PER_SECOND, SECONDS};
use super::recording::{Recording, count_execs};
use super::spawner;

const ROUNDS: usize = 3;

/// What the agent is asked for besides, and whether the programs that are run are written then.
const KINDS: [(&[&str], bool); 3] = [
    (&[], true),
    (&["--filter", "cmd_root = 'true' and session_user != 'x'"], true),
    (&["--filter", "cmd_root = 'wget' and session_user != 'x'"], false),
];

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let mut figures = [const { Vec::new() }; KINDS.len()];
    for _ in 0..ROUNDS {
        for ((arguments, is_written), figures) in KINDS.iter().zip(&mut figures) {
            figures.push(measure(arguments, *is_written)?);
        }
    }
    let medians = figures.map(|mut figures| {
        figures.sort_by(f64::total_cmp);
        let (least, most) = (figures[0], figures[ROUNDS - 1]);
        format!("{:.1} µs ({least:.1} to {most:.1})", figures[ROUNDS / 2])
    });
    let [without, all, none] = medians;
    Ok(format!("{all}, {none}, without {without}; {ROUNDS} rounds"))
}

/// Microseconds per exec.
fn measure(arguments: &[&str], is_written: bool) -> Result<f64> {
    let recording = Recording::with(arguments)?;
    let before = recording.cpu_time()?;
    let (count, _) = spawner::run_paced(PER_SECOND, SECONDS)?;
    let after = recording.cpu_time()?;
    let recorded = count_execs(&recording.stop()?, "true")?;
    let is_right = if is_written { recorded >= count as usize } else { recorded == 0 };
    ensure!(is_right, "{recorded} of {count} execs were recorded");
    Ok((after - before).as_secs_f64() * 1e6 / f64::from(count))
}
