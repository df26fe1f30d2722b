//! Sources of observations: eBPF programs, the kernel's task iterator and `/proc`.
//!
//! # Conventions
//! - Sources copy facts and decide nothing: what a fact means is the model's business. They
//!   speak [`forebear_model::Observation`] and know no event, file format or network.
//! - Observations are handed to a sink while their bytes are still where the kernel put them;
//!   the sink keeps what it needs.
//! - [`Live`] promises the kernel's order. What is dropped between the kernel and the sink is
//!   counted by kind and said in the stream ([`Observation::Lost`]).
//! - What cannot be known about one process never stops the others: it is a reason in its place.
//! - Nothing here starts a thread. [`Live`] belongs to the thread that drains it.
//!
//! # Needs
//! [`Live`] needs Linux 5.17 (`bpf_loop`), BTF, and CAP_BPF with CAP_PERFMON;
//! [`requirements()`] tries it all. [`ProcFs`] needs nothing, and sees of other users' processes what it may.
//!
//! [`Observation::Lost`]: forebear_model::Observation::Lost

mod clock;
mod error;
pub mod live;
pub mod machine;
pub mod procfs;
pub mod requirements;
pub mod wire;

pub use clock::{boot_time, clock_pair};
pub use error::Error;
pub use live::{BuiltinScope, Description, Live, LiveCounters, LiveOptions, ShellOptions};
pub use machine::{Machine, machine};
pub use procfs::ProcFs;
pub use requirements::{Outcome, Requirement, requirements};

/// What a snapshot has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotReport {
    /// Processes handed over.
    pub processes: u64,
    /// What could not be read and is not a reason in an observation, as sentences.
    pub problems: Vec<String>,
}
