//! Several destinations at once, each with everything once.

use forebear_testkit::bucket::{Gcs, S3, SEAWEED, Seaweed};
use forebear_testkit::means;

use crate::account;
use crate::service::{Place, can_record, of_gcs, of_s3, run_many};

#[test]
fn every_event_is_at_every_destination_once() {
    if !can_record() {
        return;
    }
    let (s3, gcs) = (S3::start("bucket"), Gcs::start("box"));
    let mut place = Place::new();
    place.variables = s3.environment().into_iter().collect();
    let destinations = format!("{}{}{}", place.folder(), of_s3(&s3), of_gcs(&gcs));
    place.configure("max_age = \"300ms\"\nmax_events = 40", &destinations);
    let service = place.start();
    let mut words = run_many(100);
    for name in ["folder", "s3", "gcs"] {
        service.wait_until_uploaded(name);
    }
    words.extend(run_many(20));
    service.stop();
    assert!(place.segments().is_empty(), "{:?}", place.segments());
    for account in
        [account::of_folder(&place.path("events")), account::of_s3(&s3), account::of_gcs(&gcs)]
    {
        account.assert_whole();
        account.assert_has(&words);
        let last = account.events.iter().find(|event| event["reason"] == "stop").unwrap();
        assert_eq!(last["counters"]["emitted"], account.events.len());
    }
}

#[test]
fn every_event_is_in_a_real_server_once() {
    if !can_record() || !means::available(SEAWEED) {
        return;
    }
    let mut server = Seaweed::start("bucket");
    let mut place = Place::new();
    place.variables = server.environment().into_iter().collect();
    let destination = |server: &Seaweed| {
        format!(
            "[[destination]]\nname = \"s3\"\nurl = \"{}/a\"\nendpoint = {:?}\nallow_http = true\n",
            server.url(),
            server.endpoint()
        )
    };
    place.configure("max_age = \"300ms\"", &destination(&server));
    let service = place.start();
    let mut words = run_many(30);
    service.wait_until_uploaded("s3");
    server.down();
    words.extend(run_many(30));
    service.wait_for_problem("s3", "network");
    server.up();
    // It is at a new port.
    place.configure("max_age = \"300ms\"", &destination(&server));
    service.signal(rustix::process::Signal::HUP);
    service.wait_until_uploaded("s3");
    service.stop();
    let mut destination = forebear_archive::Destination::new("s3", format!("{}/a", server.url()));
    destination.endpoint = Some(server.endpoint());
    destination.allow_http = true;
    let account = account::of(&destination, place.variables.clone());
    account.assert_whole();
    account.assert_has(&words);
}
