//! In-kernel time of the agent's programs, as the kernel counts it.
//!
//! The setting `kernel.bpf_stats_enabled` makes the kernel measure each program's runs, which
//! itself costs some 30 ns a run; it is switched on for the benchmark and put back after it.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use fs_err as fs;

use super::recording::Recording;
use super::spawner;
use crate::command::read;

const SETTING: &str = "/proc/sys/kernel/bpf_stats_enabled";
const PROCESSES: u32 = 20_000;

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let recording = Recording::start()?;
    let setting = Setting::switch_on()?;
    let before = programs(&recording)?;
    spawner::run(PROCESSES)?;
    let after = programs(&recording)?;
    drop(setting);
    ensure!(!after.is_empty(), "the agent holds no programs open");

    // Every hook runs once in the life of such a process, so the means of the hooks add up to
    // the cost of one, and what else the machine starts meanwhile does not count double.
    let mut figure = 0.0;
    let mut parts = Vec::new();
    for (id, now) in &after {
        let then = before.get(id).copied().unwrap_or_default();
        let (time, count) = (now.time_ns - then.time_ns, now.count - then.count);
        // A program that hardly ran belongs to the snapshot, not to the life of a process.
        if count < u64::from(PROCESSES) {
            continue;
        }
        let mean = time as f64 / count as f64 / 1e3;
        figure += mean;
        parts.push(format!("{} {mean:.2}", name(*id)));
    }
    recording.stop()?;
    Ok(format!("{figure:.2} µs ({})", parts.join(", ")))
}

/// What the kernel has counted for one program.
#[derive(Clone, Copy, Default)]
struct Counted {
    time_ns: u64,
    count: u64,
}

/// The programs that the agent holds open, by id.
fn programs(recording: &Recording) -> Result<BTreeMap<u32, Counted>> {
    let mut programs = BTreeMap::new();
    for entry in fs::read_dir(recording.proc_path("fdinfo"))? {
        // A descriptor may be closed between the listing and the reading.
        let Ok(info) = fs::read_to_string(entry?.path()) else { continue };
        let field = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.trim().parse::<u64>().ok())
        };
        if let (Some(id), Some(time_ns), Some(count)) =
            (field("prog_id"), field("run_time_ns"), field("run_cnt"))
        {
            let id = u32::try_from(id).context("a program id")?;
            programs.insert(id, Counted { time_ns, count });
        }
    }
    Ok(programs)
}

/// The program's name where bpftool is installed, else its id.
fn name(id: u32) -> String {
    let known = || -> Option<String> {
        let id = id.to_string();
        let show =
            read(Command::new("bpftool").args(["--json", "prog", "show", "id", &id])).ok()?;
        let program: serde_json::Value = serde_json::from_slice(&show).ok()?;
        Some(program["name"].as_str()?.to_owned())
    };
    known().unwrap_or_else(|| format!("program {id}"))
}

/// The kernel's setting, put back when this goes out of scope.
struct Setting(String);

impl Setting {
    fn switch_on() -> Result<Self> {
        let before = fs::read_to_string(SETTING)?;
        fs::write(SETTING, "1")?;
        Ok(Self(before))
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        if let Err(error) = fs::write(SETTING, &self.0) {
            eprintln!("xtask: {SETTING} stays switched on: {error}");
        }
    }
}
