//! Waiting for a condition with a deadline; the only place that pauses.

use std::time::{Duration, Instant};

/// How long anything that should happen at once may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until `look` gives something; `None` when `deadline` has passed.
pub fn for_at_most<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        // The time is taken before the look, so that the last look is a late one.
        let late = Instant::now() >= end;
        if let Some(found) = look() {
            return Some(found);
        }
        if late {
            return None;
        }
        std::thread::park_timeout(PAUSE);
    }
}

/// Looks until `look` gives something; panics after [`SOON`] with a text about `what`.
#[track_caller]
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    match for_at_most(SOON, look) {
        Some(found) => found,
        None => panic!("waited {SOON:?} in vain for: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_becomes_true_ends_the_waiting() {
        let mut looks = 0;
        let found = for_at_most(SOON, || {
            looks += 1;
            (looks == 3).then_some("there")
        });
        assert_eq!(found, Some("there"));
    }

    #[test]
    fn a_condition_that_stays_false_gives_nothing() {
        assert_eq!(for_at_most(Duration::ZERO, || None::<()>), None);
    }
}
