//! Which errors are worth repeating, and how long to wait before.
//!
//! No clock and no sleep: the caller waits, so that it can be woken by a reload or a shutdown.
//!
//! Nothing is given up because of time: a spool waits for months. What differs is the pace:
//! trouble that passes by itself is tried again within seconds, trouble that a person has to end
//! (credentials, permission, a missing bucket) slowly, and only an object that can never be
//! written is not tried again.

use std::time::Duration;

use crate::error::{Error, Kind};

/// The pace of repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The first wait.
    pub first: Duration,
    /// The longest wait for trouble that passes by itself.
    pub longest: Duration,
    /// The first wait for trouble that a person has to end.
    pub first_slow: Duration,
    /// The longest wait for trouble that a person has to end.
    pub longest_slow: Duration,
}

impl Default for Policy {
    /// From half a second to half a minute; slowly from 5 seconds to 5 minutes.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            first_slow: Duration::from_secs(5),
            longest_slow: Duration::from_secs(300),
        }
    }
}

/// What to do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again after this time, or at once when the configuration has been reloaded.
    In(Duration),
    /// It can never succeed: the batch is not one, or another object has its name.
    Never,
}

/// The pace of an error's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Soon,
    Slowly,
    Never,
}

fn pace(kind: Kind) -> Pace {
    match kind {
        Kind::Network | Kind::Timeout | Kind::Busy | Kind::Server | Kind::Local => Pace::Soon,
        // Not found, when writing: a bucket or an upload that somebody removed meanwhile.
        Kind::NotFound | Kind::Unexpected => Pace::Soon,
        Kind::Credentials
        | Kind::Permission
        | Kind::Clock
        | Kind::Region
        | Kind::NoBucket
        | Kind::Configuration
        | Kind::Unsupported => Pace::Slowly,
        Kind::Conflict | Kind::Damaged | Kind::TooLarge => Pace::Never,
    }
}

/// The waits of one destination.
#[derive(Clone, Debug)]
pub struct Backoff {
    policy: Policy,
    failures: u32,
    random: u64,
}

impl Backoff {
    /// Begins without failures. Different destinations and machines should have different seeds,
    /// so that they do not all come back at once.
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self { policy, failures: 0, random: seed }
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Says what to do after a failure. The wait doubles with each failure up to the longest, and
    /// is then shortened by a random part of up to its half.
    pub fn after(&mut self, error: &Error) -> Next {
        let (first, longest) = match pace(error.kind()) {
            Pace::Soon => (self.policy.first, self.policy.longest),
            Pace::Slowly => (self.policy.first_slow, self.policy.longest_slow),
            Pace::Never => return Next::Never,
        };
        let factor = 1u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        self.failures = self.failures.saturating_add(1);
        let full = first.saturating_mul(factor).min(longest);
        Next::In(full - full.mul_f64(self.fraction() / 2.0))
    }

    /// Forgets the failures: after a success, and when the configuration has been reloaded.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next number from 0 to 1 of a splitmix64 sequence (Steele, Lea and Flood, 2014).
    fn fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(kind: Kind) -> Error {
        Error::new(kind, "write", "s3://bucket/key", "test")
    }

    fn wait(backoff: &mut Backoff, kind: Kind) -> Duration {
        match backoff.after(&error(kind)) {
            Next::In(wait) => wait,
            Next::Never => panic!("{kind} is worth repeating"),
        }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let policy = Policy::default();
        let mut backoff = Backoff::new(policy, 1);
        for power in 0..40 {
            let full = policy.first.saturating_mul(1 << power.min(20)).min(policy.longest);
            let wait = wait(&mut backoff, Kind::Server);
            assert!(full / 2 <= wait && wait <= full, "{power}: {wait:?} of {full:?}");
        }
    }

    #[test]
    fn trouble_that_a_person_has_to_end_is_repeated_slowly_but_for_ever() {
        let policy = Policy::default();
        let mut backoff = Backoff::new(policy, 2);
        assert!(wait(&mut backoff, Kind::Credentials) >= policy.first_slow / 2);
        (0..100).for_each(|_| _ = wait(&mut backoff, Kind::NoBucket));
        assert!(wait(&mut backoff, Kind::Permission) <= policy.longest_slow);
    }

    #[test]
    fn an_object_that_cannot_be_written_is_not_tried_again() {
        let mut backoff = Backoff::new(Policy::default(), 3);
        assert_eq!(backoff.after(&error(Kind::Conflict)), Next::Never);
        assert_eq!(backoff.after(&error(Kind::Damaged)), Next::Never);
        assert_eq!(backoff.failures(), 0);
    }

    #[test]
    fn a_success_brings_back_the_first_wait() {
        let mut backoff = Backoff::new(Policy::default(), 4);
        (0..10).for_each(|_| _ = wait(&mut backoff, Kind::Timeout));
        backoff.reset();
        assert!(wait(&mut backoff, Kind::Timeout) <= Policy::default().first);
    }

    proptest! {
        #[test]
        fn waits_stay_within_the_policy(seed: u64, failures in 0usize..80) {
            let policy = Policy::default();
            let mut backoff = Backoff::new(policy, seed);
            for _ in 0..failures {
                let wait = wait(&mut backoff, Kind::Busy);
                prop_assert!(wait >= policy.first / 2 && wait <= policy.longest);
            }
        }
    }
}
