//! When to tell that events were lost, when to look again at what runs, when to tell the counters.
//!
//! Pure: time comes in. Losses come in bursts of many a second; telling each would be a flood, and
//! looking at every process costs what the overload does not have.

use std::time::Duration;

use forebear_model::BootTime;

/// At most one AGENT event about losses in this time.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// At most one new snapshot in this time.
const RESYNC_EVERY: Duration = Duration::from_secs(2);

/// Something that is wanted again and again, but not too often.
#[derive(Clone, Copy, Debug)]
struct Limited {
    every: Duration,
    is_wanted: bool,
    last: Option<BootTime>,
}

impl Limited {
    fn new(every: Duration) -> Self {
        Self { every, is_wanted: false, last: None }
    }

    /// Whether it is time; if so, it counts as done.
    fn take(&mut self, now: BootTime) -> bool {
        let is_due =
            self.is_wanted && self.last.is_none_or(|last| has_passed(last, self.every, now));
        if is_due {
            self.is_wanted = false;
            self.last = Some(now);
        }
        is_due
    }
}

/// Losses and what is still to be done about them.
///
/// What is asked for while it is held back is done later, so after the last loss there is always
/// one more telling and one more snapshot.
#[derive(Clone, Copy, Debug)]
pub(super) struct LossPace {
    tell: Limited,
    resync: Limited,
}

impl LossPace {
    pub(super) fn new() -> Self {
        Self { tell: Limited::new(TELL_EVERY), resync: Limited::new(RESYNC_EVERY) }
    }

    /// Events were lost.
    pub(super) fn lost(&mut self) {
        self.tell.is_wanted = true;
        self.resync.is_wanted = true;
    }

    /// Events that were recorded could not be kept. Nothing about what runs was missed.
    pub(super) fn dropped(&mut self) {
        self.tell.is_wanted = true;
    }

    /// Whether to tell the losses now.
    pub(super) fn is_time_to_tell(&mut self, now: BootTime) -> bool {
        self.tell.take(now)
    }

    /// Whether to look again at what runs now.
    pub(super) fn is_time_to_resync(&mut self, now: BootTime) -> bool {
        self.resync.take(now)
    }
}

/// The status events.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatusPace {
    every: Option<Duration>,
    last: BootTime,
}

impl StatusPace {
    pub(super) fn new(every: Option<Duration>, now: BootTime) -> Self {
        Self { every, last: now }
    }

    /// Whether to tell the counters now.
    pub(super) fn is_time(&mut self, now: BootTime) -> bool {
        let is_due = self.every.is_some_and(|every| has_passed(self.last, every, now));
        if is_due {
            self.last = now;
        }
        is_due
    }
}

/// Whether so much time lies between.
pub(super) fn has_passed(since: BootTime, much: Duration, now: BootTime) -> bool {
    u128::from(now.0.saturating_sub(since.0)) >= much.as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> BootTime {
        BootTime(ms * 1_000_000)
    }

    #[test]
    fn a_loss_is_told_and_healed_at_once() {
        let mut pace = LossPace::new();
        assert!(!pace.is_time_to_tell(at(0)) && !pace.is_time_to_resync(at(0)));
        pace.lost();
        assert!(pace.is_time_to_tell(at(1)) && pace.is_time_to_resync(at(1)));
        assert!(!pace.is_time_to_tell(at(9999)) && !pace.is_time_to_resync(at(9999)));
    }

    #[test]
    fn losses_that_go_on_are_told_once_a_second_and_healed_every_two() {
        let mut pace = LossPace::new();
        let (mut told, mut healed) = (0, 0);
        for ms in (0..10_000).step_by(50) {
            pace.lost();
            told += usize::from(pace.is_time_to_tell(at(ms)));
            healed += usize::from(pace.is_time_to_resync(at(ms)));
        }
        assert_eq!((told, healed), (10, 5));
    }

    #[test]
    fn the_last_loss_is_followed_by_one_more_of_each() {
        let mut pace = LossPace::new();
        pace.lost();
        assert!(pace.is_time_to_tell(at(0)) && pace.is_time_to_resync(at(0)));
        pace.lost();
        assert!(!pace.is_time_to_tell(at(999)) && !pace.is_time_to_resync(at(1999)));
        assert!(pace.is_time_to_tell(at(1000)) && pace.is_time_to_resync(at(2000)));
    }

    #[test]
    fn the_status_comes_at_its_interval_or_never() {
        let mut pace = StatusPace::new(Some(Duration::from_secs(1)), at(500));
        assert!(!pace.is_time(at(1499)));
        assert!(pace.is_time(at(1500)));
        assert!(!pace.is_time(at(1600)));
        assert!(!StatusPace::new(None, at(0)).is_time(at(u64::MAX / 1_000_000)));
    }
}
