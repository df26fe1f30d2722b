//! AGENT: the stream tells about itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::envelope::event;
use crate::vocabulary::vocabulary;

event! {
    /// The stream tells about itself: at start, at stop, from time to time, and at once when
    /// events were lost. With it a reader can say for any machine and minute whether recording
    /// was complete.
    pub struct Report {
        /// Why the agent reports.
        pub reason: Reason,
        /// What was counted since the run began, such as `observed`, `emitted`, `lost_kernel`,
        /// `lost_user`, `suppressed`; `filtered` if the agent writes only what a query is true of.
        pub counters: BTreeMap<String, u64>,
        /// Fingerprint of the configuration in force.
        pub config_hash: String,
        /// How the agent is attached to the kernel.
        pub sensor: SensorDetails,
    }
}

vocabulary! {
    /// Why the agent reports.
    pub enum Reason {
        /// Recording began.
        Start = "start",
        /// An interval went by.
        Status = "status",
        /// Events were lost since the last report.
        Lost = "lost",
        /// Recording ended in order.
        Stop = "stop",
    }
}

/// How the agent is attached to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SensorDetails {
    /// The hooks that are attached.
    pub hooks: Vec<String>,
    /// The features of the kernel that are used.
    pub features: Vec<String>,
    /// What this machine does not allow, and what recording lacks because of it; empty if nothing.
    pub degraded: Vec<String>,
}
