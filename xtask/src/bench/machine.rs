//! The machine's facts beside each figure.

use anyhow::{Context, Result};
use fs_err as fs;

/// Processor, cores and kernel, in one cell.
pub(super) fn describe() -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("processor of unknown name", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().context("counting the cores")?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!("{cores} cores of {model}, Linux {}", kernel.trim()))
}
