//! Servers that fail, lie, and go away.

use std::time::Duration;

use forebear_testkit::bucket::{Fault, S3, When};
use rustix::process::Signal;
use serde_json::Value;

use crate::account;
use crate::service::{Place, can_record, destination, of_s3, run_many};

#[test]
fn a_server_that_was_down_gets_everything_when_it_is_back() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::for_s3(&s3, "max_age = \"200ms\"");
    s3.down();
    let service = place.start();
    let mut words = run_many(50);
    service.wait_for_problem("s3", "network");
    service.wait_for("several batches to wait", |status| {
        words.extend(run_many(1));
        destination(status, "s3")["backlog_segments"].as_u64() > Some(1)
    });
    s3.up();
    service.wait_until_uploaded("s3");
    assert!(place.talk().contains("s3: works again"), "{}", place.talk());
    service.stop();
    let account = account::of_s3(&s3);
    account.assert_whole();
    account.assert_has(&words);
}

#[test]
fn a_server_that_fails_in_every_way_gets_everything_once() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::for_s3(&s3, "max_age = \"200ms\"");
    let faults = s3.faults();
    faults.add(When::method("PUT").one_in(4), Fault::LoseAnswer);
    faults.add(When::any().one_in(6), Fault::Status(500));
    faults.add(When::any().one_in(6), Fault::Error(503, "SlowDown"));
    faults.add(When::any().one_in(8), Fault::Cut);
    faults.add(When::method("PUT").one_in(12), Fault::Silence);
    faults.add(When::any().one_in(3), Fault::Delay(Duration::from_millis(100)));
    let service = place.start();
    let mut words = run_many(30);
    service.wait_for("some failures", |_| faults.followed() > 10);
    words.extend(run_many(30));
    faults.clear();
    service.signal(Signal::HUP);
    service.wait_until_uploaded("s3");
    service.stop();
    let account = account::of_s3(&s3);
    account.assert_whole();
    account.assert_has(&words);
}

#[test]
fn an_answer_that_is_lost_doubles_nothing() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::for_s3(&s3, "max_age = \"200ms\"");
    s3.faults().add(When::method("PUT").times(6), Fault::LoseAnswer);
    let service = place.start();
    let words = run_many(20);
    service.wait_until_uploaded("s3");
    service.stop();
    let account = account::of_s3(&s3);
    account.assert_whole();
    account.assert_has(&words);
}

#[test]
fn wrong_credentials_are_corrected_by_a_reload() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let mut place = Place::new();
    let profile = place.path("credentials");
    let write = |variables: std::collections::BTreeMap<String, String>| {
        let get = |name: &str| &variables[name];
        let text = format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            get("AWS_ACCESS_KEY_ID"),
            get("AWS_SECRET_ACCESS_KEY")
        );
        fs_err::write(&profile, text).unwrap();
    };
    write(s3.wrong_environment());
    place.variables =
        vec![("AWS_SHARED_CREDENTIALS_FILE".to_owned(), profile.to_str().unwrap().to_owned())];
    place.configure("max_age = \"200ms\"", &of_s3(&s3));
    let check =
        place.output(&["run", "--check", "--config", place.path("agent.toml").to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(1));
    let told = String::from_utf8(check.stdout).unwrap();
    assert!(told.contains("credentials") && told.contains("do:"), "{told}");

    let service = place.start();
    let words = run_many(10);
    service.wait_for_problem("s3", "credentials");
    write(s3.environment());
    service.signal(Signal::HUP);
    service.wait_until_uploaded("s3");
    service.stop();
    let account = account::of_s3(&s3);
    account.assert_whole();
    account.assert_has(&words);
}

#[test]
fn a_bucket_that_is_made_later_gets_everything() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::for_s3(&s3, "max_age = \"200ms\"");
    s3.set_exists(false);
    let service = place.start();
    let words = run_many(10);
    service.wait_for_problem("s3", "no_bucket");
    s3.set_exists(true);
    service.signal(Signal::HUP);
    service.wait_until_uploaded("s3");
    service.stop();
    let account = account::of_s3(&s3);
    account.assert_whole();
    account.assert_has(&words);
}

#[test]
fn a_destination_that_is_down_delays_no_other() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let mut place = Place::new();
    place.variables = s3.environment().into_iter().collect();
    place.configure("max_age = \"200ms\"", &format!("{}{}", of_s3(&s3), place.folder()));
    // Not refused but silent: the worst way to be down.
    s3.faults().add(When::any(), Fault::Silence);
    let service = place.start();
    let words = run_many(10);
    service.wait_until_uploaded("folder");
    service.wait_for_problem("s3", "timeout");
    let more = run_many(10);
    let waits = |status: &Value| destination(status, "s3")["backlog_records"].as_u64() > Some(20);
    service.wait_for("more to wait for S3", waits);
    service.wait_until_uploaded("folder");
    s3.faults().clear();
    service.signal(Signal::HUP);
    service.wait_until_uploaded("s3");
    service.stop();
    for account in [account::of_folder(&place.path("events")), account::of_s3(&s3)] {
        account.assert_whole();
        account.assert_has(&words);
        account.assert_has(&more);
    }
}
