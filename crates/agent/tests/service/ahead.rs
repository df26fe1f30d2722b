//! Objects that are put ahead of the manifests before them.

use std::collections::{BTreeMap, BTreeSet};

use forebear_archive::AT_ONCE;
use forebear_testkit::bucket::{Fault, S3, When};
use forebear_testkit::wait;
use rustix::process::Signal;

use crate::account;
use crate::service::{Place, can_record, destination, run_many};

/// Numbers of the batches' first events, of objects and of manifests.
fn first_numbers(s3: &S3) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let first = |key: &str| -> Option<u64> {
        let name = key.rsplit('/').next()?.split('.').next()?;
        name.rsplit('-').nth(1)?.parse().ok()
    };
    let objects = s3.objects();
    let (objects, manifests): (Vec<&String>, Vec<_>) =
        objects.keys().partition(|key| key.contains("/events-v1/"));
    let numbers = |keys: Vec<&String>| keys.into_iter().filter_map(|key| first(key)).collect();
    (numbers(objects), numbers(manifests))
}

#[test]
fn objects_are_ahead_by_a_few_and_manifests_are_in_order() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::with_backlog(&s3, 12);
    // The first two are whole, and then no manifest comes through.
    s3.faults().add(When::method("PUT").on("manifest").after(2), Fault::Status(500));
    let service = place.start();
    service.wait_for_problem("s3", "server");
    let (objects, manifests) = first_numbers(&s3);
    assert_eq!(manifests.len(), 2);
    assert!(objects.len() > 3 && objects.len() <= 2 + AT_ONCE, "{objects:?}");
    assert!(objects.iter().take(2).eq(&manifests), "{objects:?} {manifests:?}");
    // Killed now, the next run finds these objects there.
    service.kill();
    s3.faults().clear();
    let before = s3.objects();
    let service = place.start();
    service.wait_until_uploaded("s3");
    service.stop();
    account::of_s3(&s3).assert_whole();
    let after = s3.objects();
    assert!(before.iter().all(|(key, body)| after.get(key) == Some(body)));
}

#[test]
fn what_is_there_already_is_not_dropped() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::for_s3(&s3, "max_age = \"100ms\"\nmax_bytes = \"32KiB\"");
    place.limit_spool("512KiB");
    let service = place.start();
    service.wait_until_uploaded("s3");
    let is_waiting =
        |status: &serde_json::Value| destination(status, "s3")["backlog_segments"] != 0;
    // From now on objects come through, and manifests do not.
    s3.faults().add(When::method("PUT").on("manifest"), Fault::Status(500));
    wait::until("events to be dropped", || {
        run_many(100);
        let status = service.status();
        let dropped = status["spool"]["dropped_records"].as_u64() > Some(50);
        (is_waiting(&status) && dropped).then_some(())
    });
    s3.faults().clear();
    service.signal(Signal::HUP);
    service.wait_for("the backlog to be uploaded", |status| !is_waiting(status));
    service.wait_until_told();
    service.stop();
    account::of_s3(&s3).assert_accounted_for();
}

#[test]
fn a_batch_that_can_never_be_there_is_given_up_aloud() {
    if !can_record() {
        return;
    }
    let s3 = S3::start("bucket");
    let place = Place::with_backlog(&s3, 12);
    s3.faults().add(When::method("PUT").on("manifest").after(2), Fault::Status(500));
    let service = place.start();
    service.wait_for_problem("s3", "server");
    service.kill();
    // Somebody else writes to the object whose manifest is next.
    let (_, manifests) = first_numbers(&s3);
    let objects: BTreeMap<_, _> = s3.objects();
    let taken = objects
        .keys()
        .filter(|key| key.contains("/events-v1/"))
        .find(|key| !manifests.iter().any(|first| key.contains(&format!("-{first}-"))));
    s3.replace(taken.unwrap(), b"something else");
    s3.faults().clear();
    let service = place.start();
    service.wait_until_uploaded("s3");
    let refused = destination(&service.status(), "s3")["refused_events"].as_u64().unwrap();
    assert!((1..=20).contains(&refused), "{refused}");
    assert!(place.talk().contains("is given up"), "{}", place.talk());
    service.wait_until_told();
    service.stop();
    assert_eq!(s3.objects()[taken.unwrap()], b"something else", "nothing is overwritten");
    assert!(s3.remove(taken.unwrap()));
    let account = account::of_s3(&s3);
    account.assert_nothing_doubled();
    assert_eq!(account.missing(), refused);
    let told = account
        .events
        .iter()
        .filter_map(|event| event["counters"]["upload_refused_events"].as_u64());
    assert_eq!(told.max(), Some(refused));
}
