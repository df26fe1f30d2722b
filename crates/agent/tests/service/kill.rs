//! kill -9 at random moments: nothing that was recorded is lost, nothing is doubled.

use std::time::{Duration, Instant};

use forebear_testkit::bucket::{Fault, S3, When};

use crate::account;
use crate::service::{Place, can_record, of_s3, run_true};

/// How often it is killed: a few times as a rule, a hundred times where it is asked for.
fn rounds() -> u64 {
    let is = |name, value: &str| std::env::var_os(name).is_some_and(|found| found == value);
    if is("FOREBEAR_ROUNDS", "full") || is("CI", "true") { 100 } else { 4 }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_doubles_nothing() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    // Answers are lost now and then, so that a kill also comes between a put and what follows.
    s3.faults().add(When::method("PUT").one_in(5), Fault::LoseAnswer);
    s3.faults().add(When::method("PUT").one_in(3), Fault::Delay(Duration::from_millis(30)));
    let mut place = Place::new();
    place.variables = s3.environment().into_iter().collect();
    let destinations = format!("{}{}", of_s3(&s3), place.folder());
    place.configure("max_age = \"100ms\"\nmax_events = 30", &destinations);
    let mut recorded = vec![];
    let mut random = 0x2545_f491_4f6c_dd1d_u64 ^ u64::from(std::process::id());
    for _ in 0..rounds() {
        let service = place.start();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let moment = Instant::now() + Duration::from_millis(random % 700);
        while Instant::now() < moment {
            run_true();
        }
        // Everything up to what it has told is on the disk.
        let status = service.status();
        service.kill();
        let run = status["run_uuid"].as_str().unwrap().to_owned();
        recorded.push((run, status["counters"]["emitted"].as_u64().unwrap() - 1));
    }
    s3.faults().clear();
    let service = place.start();
    service.wait_until_uploaded("s3");
    service.wait_until_uploaded("folder");
    service.stop();
    for account in [account::of_s3(&s3), account::of_folder(&place.path("events"))] {
        account.assert_whole();
        let numbers = account.numbers();
        for (run, last) in &recorded {
            assert!(numbers[run].contains(last), "run {run} has not its event {last}: {numbers:?}");
        }
        assert_eq!(numbers.len(), recorded.len() + 1);
        assert_eq!(account.admitted(), 0);
    }
}
