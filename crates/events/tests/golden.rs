//! What the recorder writes, against lines that were read by a person: one of each event type.
//! `UPDATE=1` writes them anew.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::collections::BTreeMap;
use std::path::Path;

use forebear_events::{AgentReport, Reason, SensorDetails, ndjson, v1};
use forebear_model::{BootTime, VerificationOutcome, WallTime};

#[path = "support/machine.rs"]
mod machine;

use machine::Machine;

#[track_caller]
fn check(name: &str, line: &str) {
    let event: v1::Event = serde_json::from_str(line).unwrap();
    assert_eq!(serde_json::to_string(&event).unwrap(), line, "the typed form is the law");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let actual = serde_json::to_string_pretty(&event).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "{} differs; look, then run with UPDATE=1", path.display());
}

#[test]
fn a_login_and_its_first_command_are_recorded_with_five_processes() {
    let mut machine = Machine::boot();
    let found = machine.take_lines();
    assert_eq!(found.len(), 2);
    check("backfill-init.json", &found[0]);
    check("backfill-service.json", &found[1]);
    machine.log_in();
    let login = machine.take_lines();
    assert_eq!(login.len(), 2);
    check("exec-broker.json", &login[0]);
    check("exec-login-shell.json", &login[1]);
    machine.type_ls();
    let ls = machine.take_lines();
    assert_eq!(ls.len(), 1);
    check("exec-ls.json", &ls[0]);
    machine.type_cd();
    let cd = machine.take_lines();
    assert_eq!(cd.len(), 1);
    check("builtin-cd.json", &cd[0]);
}

#[test]
fn a_verified_person_is_in_the_events_from_then_on() {
    let mut machine = Machine::boot();
    machine.log_in();
    machine.take_lines();
    machine.verify_ann(machine::SHELL, VerificationOutcome::Verified);
    machine.type_ls();
    let lines = machine.take_lines();
    check("verify.json", &lines[0]);
    check("exec-ls-of-ann.json", &lines[1]);
}

#[test]
fn a_refused_person_whose_process_is_gone_is_recorded_too() {
    let mut machine = Machine::boot();
    machine.take_lines();
    machine.verify_ann(machine::LS, VerificationOutcome::Abandoned);
    check("verify-of-nobody.json", &machine.take_lines()[0]);
}

#[test]
fn a_report_is_recorded_with_its_counters_in_order() {
    let mut machine = Machine::boot();
    machine.lines.clear();
    let report = AgentReport {
        at: BootTime(1_000_000_000_000),
        wall: WallTime(1_795_001_000_000_000_000),
        reason: Reason::Lost,
        counters: BTreeMap::from([("observed", 12), ("lost_kernel", 3), ("emitted", 2)]),
        config_hash: "2f6c1c0e9a7b4d35".to_owned(),
        sensor: SensorDetails {
            hooks: vec!["sched_process_exec".to_owned()],
            features: Vec::new(),
            degraded: vec!["no task iterator: \"backfill\" reads /proc".to_owned()],
        },
    };
    let Machine { recorder, lines, .. } = &mut machine;
    recorder.agent(&report, lines);
    assert_eq!(recorder.seq(), 3);
    check("agent.json", &machine.take_lines()[0]);
}

#[test]
fn the_events_of_a_run_count_up_and_have_their_own_ids() {
    let mut machine = Machine::boot();
    machine.log_in();
    machine.type_ls();
    let lines = machine.take_lines();
    let mut ids = std::collections::HashSet::new();
    for (seq, line) in (1..).zip(&lines) {
        let event = ndjson::read(line.as_bytes()).unwrap().unwrap();
        assert_eq!(event.envelope().seq, seq);
        assert!(ids.insert(event.envelope().event_uuid));
    }
    assert_eq!(ids.len(), 5);
}
