//! What doctor asks, on this machine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

use forebear_sensor::{Live, LiveOptions, Outcome, requirements};

#[test]
fn requirements_and_attaching_agree() {
    let missing: Vec<_> =
        requirements().into_iter().filter(|requirement| requirement.outcome.is_missing()).collect();
    match Live::attach(&LiveOptions::default()) {
        Ok(live) => {
            assert_eq!(missing, []);
            let description = live.description();
            assert!(description.hooks.len() >= 3, "{description:?}");
        }
        Err(error) => {
            assert!(!missing.is_empty(), "{error}");
            assert!(error.to_string().starts_with("cannot "), "{error}");
        }
    }
}

#[test]
fn everything_unmet_has_a_remedy() {
    for requirement in requirements() {
        let is_met = matches!(requirement.outcome, Outcome::Met(_));
        assert_eq!(is_met, requirement.remedy.is_empty(), "{requirement:?}");
        assert!(!requirement.outcome.detail().is_empty());
        assert!(!requirement.why.is_empty());
    }
}
