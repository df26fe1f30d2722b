//! Wrong codes of one account, over all logins: they slow the next ones down, and after some the
//! account takes no code for a while.
//!
//! Invariants:
//! - An account that does not exist is treated like one that does, so nothing is learnt by it.
//! - What is kept is bounded: [`MOST`] accounts. Whoever floods it with other names only pushes
//!   out names with as few wrong codes as theirs.
//! - Waiting ends by itself: a code that is not looked at does not count, so nobody can keep an
//!   account from its person for longer than [`LONGEST`] after their last guess.
//!
//! Deliberately not here: sign-ins at a provider. They cannot be guessed, so they are neither
//! counted nor kept waiting. It is in memory only; a restart forgets it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use forebear_identity::Email;

/// The most accounts that are kept.
const MOST: usize = 4096;
/// Wrong codes that may follow each other without the account having to wait.
const FREE: u32 = 5;
/// How long it takes no code after that; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(30);
/// The longest that it takes no code.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How long it is remembered.
const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// The longest that one login is slowed down.
const SLOWEST: Duration = Duration::from_secs(8);

/// What is known of the accounts.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    accounts: HashMap<Email, Wrong>,
}

/// Wrong codes since the last right one.
#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Instant,
}

impl Wrong {
    /// When the account takes a code again.
    fn until(self) -> Instant {
        let Some(doublings) = self.count.checked_sub(FREE) else { return self.last };
        let doubled = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.last + FIRST.saturating_mul(doubled).min(LONGEST)
    }
}

impl Throttle {
    /// How long this account takes no code yet; `None` if it takes one now.
    pub(super) fn holds(&self, account: &Email, now: Instant) -> Option<Duration> {
        let left = self.accounts.get(account)?.until().saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }

    /// A code was wrong. How long to wait before anything else is asked.
    pub(super) fn wrong(&mut self, account: &Email, now: Instant) -> Duration {
        let before = self.accounts.get(account).filter(|wrong| now - wrong.last < MEMORY);
        let count = before.map_or(0, |wrong| wrong.count).saturating_add(1);
        if self.accounts.len() >= MOST && !self.accounts.contains_key(account) {
            self.make_room(now);
        }
        self.accounts.insert(account.clone(), Wrong { count, last: now });
        let doubled = 1_u32.checked_shl(count - 1).unwrap_or(u32::MAX);
        Duration::from_secs(1).saturating_mul(doubled).min(SLOWEST)
    }

    /// A code was right.
    pub(super) fn right(&mut self, account: &Email) {
        self.accounts.remove(account);
    }

    /// Forgets what is old, or else the one with the fewest wrong codes, the oldest of those.
    fn make_room(&mut self, now: Instant) {
        self.accounts.retain(|_, wrong| now - wrong.last < MEMORY);
        if self.accounts.len() < MOST {
            return;
        }
        let least = self.accounts.iter().min_by_key(|(_, wrong)| (wrong.count, wrong.last));
        if let Some(account) = least.map(|(account, _)| account.clone()) {
            self.accounts.remove(&account);
        }
    }
}

/// What somebody is told whose account takes no code yet.
pub(super) fn words(left: Duration) -> String {
    let minutes = left.as_secs().div_ceil(60).max(1);
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("There were too many wrong codes for this account. Try again in {minutes} {unit}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(name: impl std::fmt::Display) -> Email {
        format!("{name}@example.com").parse().unwrap()
    }

    /// So many wrong codes, each as soon as one is taken; when the last was.
    fn guess(throttle: &mut Throttle, account: &Email, count: u32, mut now: Instant) -> Instant {
        for _ in 0..count {
            now += throttle.holds(account, now).unwrap_or_default();
            assert_eq!(throttle.holds(account, now), None);
            throttle.wrong(account, now);
        }
        now
    }

    #[test]
    fn some_wrong_codes_are_slowed_down_and_more_have_to_wait_longer_and_longer() {
        let mut throttle = Throttle::default();
        let (ada, now) = (email("ada"), Instant::now());
        let waits: Vec<u64> = (0..5).map(|_| throttle.wrong(&ada, now).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 8]);
        let mut held = vec![];
        let mut now = now;
        for _ in 0..7 {
            let left = throttle.holds(&ada, now).unwrap();
            held.push(left.as_secs());
            now = guess(&mut throttle, &ada, 1, now);
        }
        assert_eq!(held, [30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(throttle.holds(&email("eve"), now), None);
    }

    #[test]
    fn a_right_code_or_a_day_ends_it() {
        let mut throttle = Throttle::default();
        let (ada, now) = (email("ada"), Instant::now());
        guess(&mut throttle, &ada, 5, now);
        throttle.right(&ada);
        assert_eq!(throttle.holds(&ada, now), None);
        guess(&mut throttle, &ada, 7, now);
        let tomorrow = now + MEMORY + LONGEST;
        throttle.wrong(&ada, tomorrow);
        assert_eq!(throttle.holds(&ada, tomorrow), None);
    }

    #[test]
    fn a_day_of_guesses_is_about_a_hundred() {
        let mut throttle = Throttle::default();
        let (ada, begun) = (email("ada"), Instant::now());
        let end = guess(&mut throttle, &ada, 105, begun);
        assert!(end - begun > Duration::from_secs(24 * 3600), "{:?}", end - begun);
    }

    #[test]
    fn a_flood_of_names_is_bounded_and_frees_no_account() {
        let mut throttle = Throttle::default();
        let (ada, now) = (email("ada"), Instant::now());
        let now = guess(&mut throttle, &ada, 6, now);
        for number in 0..2 * MOST {
            throttle.wrong(&email(number), now);
        }
        assert_eq!(throttle.accounts.len(), MOST);
        assert!(throttle.holds(&ada, now).is_some());
    }

    #[test]
    fn the_words_say_how_long() {
        assert!(words(Duration::from_secs(1)).ends_with("in 1 minute."));
        assert!(words(Duration::from_secs(61)).ends_with("in 2 minutes."));
    }
}
