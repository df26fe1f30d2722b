//! When a batch closes: at a size, a number of events, an age, or an hour's end.
//!
//! Pure: time is passed in. Age is measured on a clock of the caller's that never goes back;
//! hours are those of the events.
//!
//! Invariant: all events of a batch lie in one hour, so that the hour in an object's name is the
//! hour of each of its events and a reader may leave out whole partitions.

use std::time::Duration;

use forebear_events::v1::Timestamp;

use crate::layout::Hour;

/// How large and how old a batch may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Bytes of lines, before compression.
    pub max_bytes: u64,
    /// Number of lines.
    pub max_events: u64,
    /// Time since its first line came.
    pub max_age: Duration,
}

impl Default for BatchLimits {
    /// 8 MiB, 100000 events, one minute.
    fn default() -> Self {
        Self { max_bytes: 8 << 20, max_events: 100_000, max_age: Duration::from_secs(60) }
    }
}

/// Why a batch closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The next line would make it too large.
    Bytes,
    /// It has as many events as it may have.
    Events,
    /// It is old enough.
    Age,
    /// The next event lies in another hour.
    Hour,
}

/// The batch that is being filled.
#[derive(Clone, Copy, Debug)]
pub struct OpenBatch {
    limits: BatchLimits,
    filled: Option<Filled>,
}

#[derive(Clone, Copy, Debug)]
struct Filled {
    since: Duration,
    hour: Hour,
    bytes: u64,
    events: u64,
}

impl OpenBatch {
    /// An empty batch.
    pub fn new(limits: BatchLimits) -> Self {
        Self { limits, filled: None }
    }

    /// Takes new limits; they hold for what is already in it, too.
    pub fn set_limits(&mut self, limits: BatchLimits) {
        self.limits = limits;
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.filled.is_none()
    }

    /// Whether it has to be closed before a line of `bytes` (newline included) of an event of
    /// that time is added. A line that is larger than the limit is a batch of its own.
    pub fn closes_before(&self, event_time: Timestamp, bytes: usize) -> Option<Reason> {
        let filled = self.filled?;
        if filled.hour != Hour::of(event_time) {
            return Some(Reason::Hour);
        }
        if filled.events >= self.limits.max_events {
            return Some(Reason::Events);
        }
        (filled.bytes.saturating_add(bytes as u64) > self.limits.max_bytes).then_some(Reason::Bytes)
    }

    /// Adds a line; `now` is the caller's clock.
    pub fn add(&mut self, event_time: Timestamp, bytes: usize, now: Duration) {
        let new = Filled { since: now, hour: Hour::of(event_time), bytes: 0, events: 0 };
        let filled = self.filled.get_or_insert(new);
        filled.bytes = filled.bytes.saturating_add(bytes as u64);
        filled.events += 1;
    }

    /// Whether it has to be closed now, whatever comes next.
    pub fn due(&self, now: Duration) -> Option<Reason> {
        let filled = self.filled?;
        if filled.events >= self.limits.max_events {
            return Some(Reason::Events);
        }
        if filled.bytes >= self.limits.max_bytes {
            return Some(Reason::Bytes);
        }
        (now.saturating_sub(filled.since) >= self.limits.max_age).then_some(Reason::Age)
    }

    /// How long until its age closes it; `None` while it is empty.
    pub fn due_in(&self, now: Duration) -> Option<Duration> {
        let age = now.saturating_sub(self.filled?.since);
        Some(self.limits.max_age.saturating_sub(age))
    }

    /// Begins a new one.
    pub fn clear(&mut self) {
        self.filled = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;
    const AT: Timestamp = Timestamp(10 * HOUR + 5);
    const LIMITS: BatchLimits =
        BatchLimits { max_bytes: 100, max_events: 3, max_age: Duration::from_secs(60) };

    fn with(lines: &[usize]) -> OpenBatch {
        let mut batch = OpenBatch::new(LIMITS);
        lines.iter().for_each(|bytes| batch.add(AT, *bytes, Duration::from_secs(5)));
        batch
    }

    #[test]
    fn an_empty_batch_never_closes() {
        let batch = with(&[]);
        assert_eq!(batch.closes_before(AT, 1_000_000), None);
        assert_eq!(batch.due(Duration::MAX), None);
        assert_eq!(batch.due_in(Duration::ZERO), None);
    }

    #[test]
    fn a_batch_closes_before_it_becomes_too_large() {
        let batch = with(&[60]);
        assert_eq!(batch.closes_before(AT, 40), None);
        assert_eq!(batch.closes_before(AT, 41), Some(Reason::Bytes));
    }

    #[test]
    fn a_line_beyond_the_limit_is_a_batch_of_its_own() {
        let batch = with(&[1000]);
        assert_eq!(batch.due(Duration::from_secs(5)), Some(Reason::Bytes));
    }

    #[test]
    fn a_batch_closes_at_its_number_of_events() {
        let batch = with(&[1, 1, 1]);
        assert_eq!(batch.closes_before(AT, 1), Some(Reason::Events));
        assert_eq!(batch.due(Duration::from_secs(5)), Some(Reason::Events));
    }

    #[test]
    fn a_batch_closes_when_its_first_event_is_old() {
        let batch = with(&[1, 1]);
        assert_eq!(batch.due(Duration::from_secs(64)), None);
        assert_eq!(batch.due_in(Duration::from_secs(64)), Some(Duration::from_secs(1)));
        assert_eq!(batch.due(Duration::from_secs(65)), Some(Reason::Age));
    }

    #[test]
    fn a_batch_closes_at_the_end_of_the_hour_and_when_the_clock_is_set_back() {
        let batch = with(&[1]);
        assert_eq!(batch.closes_before(Timestamp(11 * HOUR - 1), 1), None);
        assert_eq!(batch.closes_before(Timestamp(11 * HOUR), 1), Some(Reason::Hour));
        assert_eq!(batch.closes_before(Timestamp(10 * HOUR - 1), 1), Some(Reason::Hour));
    }

    #[test]
    fn a_cleared_batch_begins_anew() {
        let mut batch = with(&[99, 99, 99]);
        batch.clear();
        assert!(batch.is_empty());
        batch.add(AT, 1, Duration::from_secs(100));
        assert_eq!(batch.due(Duration::from_secs(159)), None);
    }
}
