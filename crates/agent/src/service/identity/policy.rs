//! Which rule holds for a login.
//!
//! Invariant: what is not known of a login makes no rule hold, and where none holds a proof is
//! required.

use std::net::IpAddr;

use forebear_events::v1::Timestamp;
use forebear_model::WallTime;
use forebear_query::{Facts, Moment, Query, Truth};

use super::comer::Comer;
use crate::config::rules::Rule;

/// The rule for this login.
pub(super) fn rule_for(rules: &[Rule], comer: &Comer, now: WallTime) -> Rule {
    let facts = facts(comer, now);
    let holds = |rule: &&Rule| match &rule.when {
        None => true,
        Some(text) => Query::compile(text, Moment::utc(now.0))
            .is_ok_and(|query| query.evaluate(&facts) == Truth::True),
    };
    rules.iter().find(holds).cloned().unwrap_or_default()
}

/// What is known of it, and the time.
fn facts(comer: &Comer, now: WallTime) -> Facts {
    let mut facts = Facts::new()
        .with("inception_session.user", comer.user.as_str())
        .with("inception_session.start_time", Timestamp(now.0).to_string());
    // A name is no address, and whoever owns it decides where it leads.
    if let Some(Ok(address)) = comer.remote.as_deref().map(str::parse::<IpAddr>) {
        facts = facts.with("inception_session.source.ip", address.to_canonical().to_string());
    }
    match comer.entry {
        Some(entry) => facts.with("inception_session.entry", entry),
        None => facts,
    }
}

#[cfg(test)]
mod tests {
    use forebear_door::Hello;

    use super::*;
    use crate::config::rules::{OnFailure, Verify};

    /// 2026-11-24, 13:05 UTC, a Tuesday.
    const NOW: WallTime = WallTime(1_795_525_500_000_000_000);

    fn verify(rules: &[(&str, Verify)], hello: Hello<'_>) -> Verify {
        let rule = |&(when, verify): &(&str, Verify)| {
            let when = (!when.is_empty()).then(|| when.to_owned());
            Rule { when, verify, on_failure: OnFailure::StopSession }
        };
        let rules: Vec<Rule> = rules.iter().map(rule).collect();
        rule_for(&rules, &Comer::said(hello), NOW).verify
    }

    const SSH: Hello<'_> =
        Hello { service: "sshd", user: "backup", remote: "10.1.2.3", tty: "ssh" };

    #[test]
    fn without_a_rule_that_holds_a_proof_is_required() {
        assert_eq!(verify(&[], SSH), Verify::Required);
        assert_eq!(verify(&[("session_user = 'other'", Verify::Exempt)], SSH), Verify::Required);
    }

    #[test]
    fn the_first_rule_that_holds_counts() {
        let rules = [
            ("session_user = 'root'", Verify::Required),
            ("session_user = 'backup' and session_ip_type = 'internal'", Verify::Exempt),
            ("", Verify::Optional),
        ];
        assert_eq!(verify(&rules, SSH), Verify::Exempt);
        assert_eq!(verify(&rules, Hello { remote: "8.8.8.8", ..SSH }), Verify::Optional);
        assert_eq!(verify(&rules, Hello { user: "root", ..SSH }), Verify::Required);
    }

    #[test]
    fn what_is_not_known_makes_no_rule_hold() {
        for when in ["session_ip != '8.8.8.8'", "session_ip_type = 'internal'"] {
            for remote in ["", "a.example.com"] {
                let hello = Hello { remote, ..SSH };
                assert_eq!(verify(&[(when, Verify::Exempt)], hello), Verify::Required, "{when}");
            }
        }
        let of_su = Hello { service: "su", ..SSH };
        let rules = [("session_how_connected != 'login'", Verify::Exempt)];
        assert_eq!(verify(&rules, of_su), Verify::Required);
        assert_eq!(verify(&rules, SSH), Verify::Exempt);
    }

    #[test]
    fn times_are_those_of_the_login() {
        let holds = |when| verify(&[(when, Verify::Exempt)], SSH) == Verify::Exempt;
        assert!(holds("session_day_of_week = 'tuesday' and session_hour_of_day > '8:00'"));
        assert!(!holds("session_hour_of_day < '8:00'"));
        assert!(holds("session_date > 'yesterday' and session_date = '2026-11-24'"));
    }
}
