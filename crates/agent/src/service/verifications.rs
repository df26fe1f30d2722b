//! How often people were asked who they are, by method and outcome, since the run began.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use forebear_model::{VerificationMethod, VerificationOutcome};

/// What a verification is counted under that came to no method.
const NO_METHOD: &str = "none";

const METHODS: usize = VerificationMethod::ALL.len() + 1;
const OUTCOMES: usize = VerificationOutcome::ALL.len();

/// The counters.
#[derive(Debug, Default)]
pub(super) struct Verifications {
    ended: [[AtomicU64; OUTCOMES]; METHODS],
    failed: [AtomicU64; METHODS],
    held: AtomicU64,
}

/// The counters of one method as they are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfMethod {
    /// Verifications by outcome.
    pub(super) ended: BTreeMap<&'static str, u64>,
    /// Answers that were wrong, of verifications of any outcome.
    pub(super) failed: u64,
}

impl Verifications {
    /// One ended.
    pub(super) fn ended(&self, method: Option<VerificationMethod>, outcome: VerificationOutcome) {
        let place = VerificationOutcome::ALL.iter().position(|it| *it == outcome);
        let count = self.ended.get(row(method)).and_then(|row| row.get(place?));
        count.map(|count| count.fetch_add(1, Ordering::Relaxed));
    }

    /// An answer was wrong.
    pub(super) fn failed(&self, method: Option<VerificationMethod>) {
        let count = self.failed.get(row(method));
        count.map(|count| count.fetch_add(1, Ordering::Relaxed));
    }

    /// A code was not looked at, because there had been too many wrong ones.
    pub(super) fn held(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// How many codes were not looked at.
    pub(super) fn held_count(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// All others, by method.
    pub(super) fn by_method(&self) -> BTreeMap<&'static str, OfMethod> {
        let names = VerificationMethod::ALL.map(VerificationMethod::as_str);
        let names = names.into_iter().chain([NO_METHOD]);
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let rows = names.zip(self.ended.iter().zip(&self.failed));
        let of = |(ended, failed): (&[AtomicU64; OUTCOMES], &AtomicU64)| {
            let outcomes = VerificationOutcome::ALL.map(VerificationOutcome::as_str);
            let ended = outcomes.into_iter().zip(ended.iter().map(get)).collect();
            OfMethod { ended, failed: get(failed) }
        };
        rows.map(|(name, row)| (name, of(row))).collect()
    }
}

/// The methods in their order, and then no method.
fn row(method: Option<VerificationMethod>) -> usize {
    let place = VerificationMethod::ALL.iter().position(|it| Some(*it) == method);
    place.unwrap_or(VerificationMethod::ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_and_outcome_is_counted_by_itself() {
        let counts = Verifications::default();
        for method in VerificationMethod::ALL {
            counts.ended(Some(method), VerificationOutcome::Verified);
        }
        counts.ended(Some(VerificationMethod::Oidc), VerificationOutcome::Verified);
        counts.ended(None, VerificationOutcome::Abandoned);
        counts.failed(Some(VerificationMethod::Totp));
        counts.held();
        let all = counts.by_method();
        assert_eq!(
            all.keys().copied().collect::<Vec<_>>(),
            ["backup_code", "none", "oidc", "totp"]
        );
        assert_eq!((all["oidc"].ended["verified"], all["oidc"].failed), (2, 0));
        assert_eq!((all["none"].ended["abandoned"], all["none"].ended["verified"]), (1, 0));
        assert_eq!((all["totp"].failed, counts.held_count()), (1, 1));
    }
}
