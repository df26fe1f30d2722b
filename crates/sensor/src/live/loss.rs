//! What was dropped between the kernel and here: counted there, noticed here.
//!
//! Invariant: every record that found no room moved exactly one counter, so received and lost
//! together are what was done. A program that did not run at all, because the same program was
//! already running on that CPU, is counted by the kernel itself and added.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;

use forebear_model::BootTime;
use libbpf_rs::{MapCore, MapFlags, MapHandle, Object};
use zerocopy::FromBytes;

use super::hooks;

use crate::wire::layout;
use crate::{Error, boot_time};

/// How often the kernel's own counters are asked, which are files to be read and parsed, and
/// stay at zero where programs run with preemption off.
const MISSES_INTERVAL_NS: u64 = 1_000_000_000;

/// The sums over all CPUs since the programs were loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) forks: u64,
    pub(super) execs: u64,
    pub(super) exits: u64,
    pub(super) argv: u64,
    /// Builtins and lines.
    pub(super) builtins: u64,
    /// Builtins that the rate guard held back.
    pub(super) suppressed: u64,
}

/// Reads the counters.
#[derive(Debug)]
pub(super) struct LossReader {
    map: MapHandle,
    /// What the kernel tells about each program's descriptor, with the program's name.
    programs: Vec<(String, PathBuf)>,
    misses: Losses,
    misses_read_at: BootTime,
}

impl LossReader {
    /// For the loaded programs of `object`, which must stay loaded.
    pub(super) fn new(map: MapHandle, object: &Object) -> Self {
        let programs = object
            .progs()
            .filter(|program| program.autoload())
            .map(|program| {
                let fd = program.as_fd().as_raw_fd();
                let name = program.name().to_string_lossy().into_owned();
                (name, PathBuf::from(format!("/proc/self/fdinfo/{fd}")))
            })
            .collect();
        Self { map, programs, misses: Losses::default(), misses_read_at: BootTime::default() }
    }

    pub(super) fn read(&mut self) -> Result<Losses, Error> {
        let now = boot_time();
        if now.0.saturating_sub(self.misses_read_at.0) >= MISSES_INTERVAL_NS {
            self.misses_read_at = now;
            self.misses = self.read_misses();
        }

        let failed = |source| Error::Bpf {
            operation: "read",
            subject: "the counters of lost records".to_owned(),
            source,
        };
        let cpus = self.map.lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY).map_err(failed)?;
        let mut sum = self.misses;
        for cpu in cpus.into_iter().flatten() {
            // The kernel pads each CPU's value to eight bytes.
            if let Ok((cpu, _)) = layout::Losses::read_from_prefix(&cpu) {
                sum.forks += cpu.forks;
                sum.execs += cpu.execs;
                sum.exits += cpu.exits;
                sum.argv += cpu.argv_pieces + cpu.argv_unreadable;
                sum.builtins += cpu.builtins;
                sum.suppressed += cpu.builtins_suppressed;
            }
        }
        Ok(sum)
    }

    fn read_misses(&self) -> Losses {
        let mut sum = Losses::default();
        for (name, path) in &self.programs {
            let text = fs::read_to_string(path).unwrap_or_default();
            let misses = text
                .lines()
                .find_map(|line| line.strip_prefix("recursion_misses:"))
                .and_then(|count| count.trim().parse::<u64>().ok())
                .unwrap_or_default();
            if name == hooks::FORK.program {
                sum.forks += misses;
            } else if name == hooks::EXEC.program {
                sum.execs += misses;
            } else {
                sum.exits += misses;
            }
        }
        sum
    }
}
