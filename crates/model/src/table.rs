//! The process table.

use crate::context::Context;
use crate::facts::Fact;
use crate::identity::{BootId, HostId};
use crate::observation::{Observation, ProcessKey};
use crate::process::Process;
use crate::time::{BootTime, WallTime};

/// The process table of one boot of one host, and the rules that keep it.
#[derive(Debug)]
pub struct Model {}

/// What the model has had to do besides the plain course of things; all since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Processes that live, as far as is known.
    pub living: u64,
    /// Ended processes that a living one still names.
    pub retained: u64,
    /// Processes that shared start tick and pid with an earlier one.
    pub uuid_collisions: u64,
    /// Ends that were inferred, because the pid was used again or a snapshot did not have it.
    pub inferred_exits: u64,
    /// Processes first seen at their exec or as somebody's parent, because their fork was lost.
    pub recovered: u64,
}

impl Model {
    /// An empty table for this boot of this host.
    pub fn new(_host: HostId, _boot: BootId) -> Self {
        Self {}
    }

    /// Takes one observation in and hands over the facts that it establishes, in order.
    pub fn apply<'o>(
        &mut self,
        _observation: &'o Observation<'o>,
        _emit: &mut dyn FnMut(&Self, Fact<'_>),
    ) {
    }

    /// The five processes around an event of `process`.
    pub fn context<'m>(&'m self, process: &'m Process) -> Context<'m> {
        let _ = process;
        unimplemented!()
    }

    /// The living process with this key.
    pub fn living(&self, _key: ProcessKey) -> Option<&Process> {
        None
    }

    /// One more than the highest [`Process::slot`] in use.
    pub fn slots(&self) -> usize {
        0
    }

    /// The wall time of a boot time, by the latest reading of both clocks.
    pub fn wall_at(&self, _boot: BootTime) -> WallTime {
        WallTime(0)
    }

    /// What the model counts.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }
}
