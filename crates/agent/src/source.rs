//! What `record` needs of a sensor, so that the loop runs the same over the kernel and over a
//! script in a test.

use std::time::Duration;

use anyhow::{Context, Result};
use forebear_model::Observation;
use forebear_sensor::{Live, LiveCounters, SnapshotReport};

/// A live source of observations.
pub trait Source {
    /// Waits at most `timeout` for records, then hands over everything that is there.
    ///
    /// # Errors
    /// If the source is broken for good.
    fn drain(&mut self, timeout: Duration, sink: &mut dyn FnMut(&Observation<'_>)) -> Result<u64>;

    /// The running processes, without the end of the snapshot.
    ///
    /// # Errors
    /// If the running processes cannot be listed at all.
    fn snapshot(&mut self, sink: &mut dyn FnMut(&Observation<'_>)) -> Result<SnapshotReport>;

    /// What there is to say about shells that cannot be attached: each file once.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// What was received and lost since the source was attached.
    fn counters(&self) -> LiveCounters;
}

impl Source for Live {
    fn drain(&mut self, timeout: Duration, sink: &mut dyn FnMut(&Observation<'_>)) -> Result<u64> {
        Self::drain(self, timeout, sink).context("reading the kernel's buffer")
    }

    fn snapshot(&mut self, sink: &mut dyn FnMut(&Observation<'_>)) -> Result<SnapshotReport> {
        Self::snapshot(self, sink).context("listing the running processes")
    }

    fn take_notes(&mut self) -> Vec<String> {
        Self::take_notes(self)
    }

    fn counters(&self) -> LiveCounters {
        Self::counters(self)
    }
}
