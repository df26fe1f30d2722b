//! Start ticks and pids that were used a moment ago, so that a pid used again within one clock
//! tick still gets an identity of its own.

use hashbrown::HashMap;

use crate::ids::Pid;
use crate::observation::ProcessKey;
use crate::time::Ticks;

/// The ended processes of the two latest start ticks.
///
/// Bounded: two ticks hold as many births as the machine can make in 20 ms.
#[derive(Debug)]
pub(super) struct Births {
    /// By the tick's last bit.
    ticks: [(Ticks, HashMap<Pid, u32>); 2],
    collisions: u64,
}

impl Default for Births {
    fn default() -> Self {
        let none = || (Ticks(0), HashMap::new());
        Self { ticks: [none(), none()], collisions: 0 }
    }
}

impl Births {
    /// A process has ended.
    pub(super) fn ended(&mut self, key: ProcessKey) {
        let start = key.start.ticks();
        let (tick, ended) = &mut self.ticks[usize::from(start.0 & 1 == 1)];
        if start > *tick {
            *tick = start;
            ended.clear();
        }
        if start == *tick {
            *ended.entry(key.pid).or_default() += 1;
        }
    }

    /// How many processes before this one had its start tick and pid; counts the collision.
    pub(super) fn ordinal(&mut self, key: ProcessKey) -> u32 {
        let start = key.start.ticks();
        let (tick, ended) = &self.ticks[usize::from(start.0 & 1 == 1)];
        let earlier = if start == *tick { ended.get(&key.pid).copied() } else { None };
        if earlier.is_some() {
            self.collisions += 1;
        }
        earlier.unwrap_or(0)
    }

    /// How often an identity would have repeated.
    pub(super) fn collisions(&self) -> u64 {
        self.collisions
    }
}
