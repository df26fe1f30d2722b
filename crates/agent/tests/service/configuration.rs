//! Starting, or not: configurations, spools that somebody else has, reloads.

use std::process::Stdio;

use forebear_testkit::wait;
use rustix::process::Signal;

use crate::account;
use crate::service::{Place, can_record, run_many};

/// What the service says when it does not start, and its exit code.
fn refusal(place: &Place) -> (Option<i32>, String) {
    let output = place.run_command().stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_wrong_configuration_is_refused_with_every_line() {
    let place = Place::new();
    place.configure("max_aeg = \"1s\"", "[record]\nmax_delay = \"1h\"\n");
    let (code, text) = refusal(&place);
    assert_eq!(code, Some(2), "{text}");
    let file = place.path("agent.toml").display().to_string();
    assert!(text.contains(&format!("{file}: 3 problems")), "{text}");
    for problem in [
        "agent.toml:4: [batch] has no key \"max_aeg\"; the nearest is \"max_age\"",
        "use 1ms to 10s",
        "no [[destination]]",
    ] {
        assert!(text.contains(problem), "{problem} is not in\n{text}");
    }
}

#[test]
fn a_check_tries_every_destination_and_records_nothing() {
    let place = Place::new();
    let rest = "[[destination]]\nname = \"gone\"\nurl = \"s3://bucket\"\nendpoint = \
                \"http://127.0.0.1:9\"\nallow_http = true\nanonymous = true\nrequest_timeout = \"1s\"\n";
    place.configure("", &format!("{}{rest}", place.folder()));
    let config = place.path("agent.toml");
    let output = place.output(&["run", "--check", "--config", config.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("ok        folder") && text.contains("failed    gone"), "{text}");
    assert!(!place.path("spool").exists());
}

#[test]
fn a_second_service_on_a_spool_is_refused_and_told_who_has_it() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    place.configure("", &place.folder());
    let service = place.start();
    let (code, text) = refusal(&place);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains(&format!("in use by process {}", service.pid())), "{text}");
    service.stop();
}

#[test]
fn a_spool_of_a_later_version_is_refused_and_left_as_it_is() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    place.configure("", &place.folder());
    place.start().stop();
    let ledger = place.path("spool/ledger");
    let mut bytes = fs_err::read(&ledger).unwrap();
    // The version stands behind the eight letters of the kind, in both copies (preamble.rs).
    for copy in [0, bytes.len() / 2] {
        bytes[copy + 8] = 200;
        let checksum = crc32c::crc32c(&bytes[copy..copy + 12]);
        bytes[copy + 12..copy + 16].copy_from_slice(&checksum.to_le_bytes());
    }
    fs_err::write(&ledger, &bytes).unwrap();
    let (code, text) = refusal(&place);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("version 200"), "{text}");
    assert_eq!(fs_err::read(&ledger).unwrap(), bytes);
}

#[test]
fn a_reload_takes_new_destinations_and_says_what_needs_a_restart() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    place.configure("max_age = \"200ms\"", &place.folder());
    let service = place.start();
    let mut words = run_many(5);
    service.wait_until_uploaded("folder");
    let second = place.path("second");
    fs_err::create_dir(&second).unwrap();
    let more = format!(
        "{}[[destination]]\nname = \"second\"\nurl = \"file://{}\"\n[record]\nmax_delay = \"1s\"\n",
        place.folder(),
        second.display()
    );
    place.configure("max_age = \"200ms\"", &more);
    service.signal(Signal::HUP);
    service.wait_for("the reload", |status| status["config_reloads"] == 1);
    assert!(place.talk().contains("[record]: restart the service"), "{}", place.talk());
    let after = run_many(5);
    service.wait_for("the new destination", |status| {
        status["destinations"].as_array().unwrap().len() == 2
    });
    place.configure("max_age = 5", "");
    service.signal(Signal::HUP);
    service.wait_for("the wrong reload", |status| status["config_reloads"] == 2);
    let status = service.status();
    assert!(status["config_problem"].as_str().unwrap().contains("problem"), "{status}");
    assert_eq!(status["destinations"].as_array().unwrap().len(), 2);
    service.stop();
    words.extend(after.clone());
    let folder = account::of_folder(&place.path("events"));
    folder.assert_whole();
    folder.assert_has(&words);
    account::of_folder(&second).assert_has(&after);
    let hashes: std::collections::BTreeSet<_> =
        folder.events.iter().filter_map(|event| event["config_hash"].as_str()).collect();
    assert_eq!(hashes.len(), 2, "{hashes:?}");
}

#[test]
fn a_second_signal_ends_it_at_once_and_loses_nothing() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    let rest = "[[destination]]\nname = \"gone\"\nurl = \"s3://bucket\"\nendpoint = \
                \"http://127.0.0.1:9\"\nallow_http = true\nanonymous = true\n";
    place.configure("max_age = \"200ms\"", rest);
    let mut service = place.start();
    let words = run_many(5);
    service.wait_for_problem("gone", "network");
    service.signal(Signal::TERM);
    wait::until("its end", || {
        service.signal(Signal::TERM);
        service.has_ended().then_some(())
    });
    place.configure("max_age = \"200ms\"", &place.folder());
    place.start().stop();
    account::of_folder(&place.path("events")).assert_has(&words);
}
