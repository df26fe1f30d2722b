//! Start ticks and pids that were used a moment ago, so that a pid used again within one clock
//! tick still gets an identity of its own.

use std::collections::VecDeque;

use crate::ids::Pid;
use crate::observation::ProcessKey;
use crate::time::{BootTime, Ticks};

/// The recently ended, oldest first.
///
/// Bounded: only what ended within the present and the previous tick is kept.
#[derive(Debug, Default)]
pub(super) struct Births {
    recent: VecDeque<(Ticks, Pid)>,
    collisions: u64,
}

impl Births {
    /// A process has ended.
    pub(super) fn ended(&mut self, key: ProcessKey, now: BootTime) {
        let now = now.ticks();
        let is_recent = |start: Ticks| now.0.saturating_sub(start.0) <= 1;
        while self.recent.front().is_some_and(|(start, _)| !is_recent(*start)) {
            self.recent.pop_front();
        }
        let start = key.start.ticks();
        if is_recent(start) {
            self.recent.push_back((start, key.pid));
        }
    }

    /// How many processes before this one had its start tick and pid; counts the collision.
    pub(super) fn ordinal(&mut self, key: ProcessKey) -> u32 {
        let wanted = (key.start.ticks(), key.pid);
        let earlier = self.recent.iter().filter(|birth| **birth == wanted).count();
        if earlier > 0 {
            self.collisions += 1;
        }
        u32::try_from(earlier).unwrap_or(u32::MAX)
    }

    /// How often an identity would have repeated.
    pub(super) fn collisions(&self) -> u64 {
        self.collisions
    }
}
