//! Servers that fail in between: every batch is there once in the end.

use std::time::Duration;

use forebear_archive::{
    Access, Archive, Backoff, Compression, Kind, Next, Outcome, Packed, Policy, Receipt,
};
use forebear_testkit::bucket::{Fault, Gcs, S3, When};

use crate::checks;
use crate::lines::Host;
use crate::places::at;

/// Attempts before a test gives up.
const PATIENCE: usize = 200;

fn open(server: &S3) -> Archive {
    open_with(server, Duration::from_secs(30))
}

fn open_with(server: &S3, request_timeout: Duration) -> Archive {
    let mut destination = at(&server.endpoint(), "s3://bucket/p", Compression::Zstd);
    destination.request_timeout = request_timeout;
    let environment = server.environment().into_iter().collect();
    Archive::open(&destination, &environment, Access::Write).unwrap()
}

/// Puts a batch as an uploader does, without the waits; the kinds of errors on the way.
async fn put_at_last(archive: &Archive, packed: &Packed) -> (Receipt, Vec<Kind>) {
    let mut backoff = Backoff::new(Policy::default(), 1);
    let mut kinds = Vec::new();
    for _ in 0..PATIENCE {
        match archive.put_batch(packed).await {
            Ok(receipt) => return (receipt, kinds),
            Err(error) => {
                let next = backoff.after(&error);
                assert!(matches!(next, Next::In(_)), "worth repeating: {error}");
                kinds.push(error.kind());
            }
        }
    }
    panic!("not put after {PATIENCE} attempts: {kinds:?}");
}

/// Puts one batch through a fault; whatever happens, it is there once.
async fn through(fault: Fault, method: &str, on: &str, times: u64) -> (Receipt, Vec<Kind>) {
    let server = S3::start("bucket");
    let is_silent = matches!(fault, Fault::Silence);
    let archive = open_with(&server, Duration::from_secs(if is_silent { 2 } else { 30 }));
    let mut host = Host::new(1);
    checks::put(&archive, &mut host, 3).await;
    server.faults().add(When::method(method).on(on).times(times), fault);
    let packed = host.batch(3);
    let done = put_at_last(&archive, &packed).await;
    assert_eq!(server.faults().followed(), times, "the fault was met");
    server.faults().clear();
    assert_eq!(server.objects().len(), 4, "two objects and two manifests");
    let report = checks::verified(&archive, host.id).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.events, 6);
    done
}

#[tokio::test]
async fn a_server_that_fails_is_tried_again() {
    let (receipt, kinds) = through(Fault::Status(500), "PUT", "events-v1", 6).await;
    assert_eq!(receipt.outcome, Outcome::Written);
    assert!(kinds.iter().all(|kind| *kind == Kind::Server) && !kinds.is_empty(), "{kinds:?}");
}

#[tokio::test]
async fn a_server_that_is_busy_is_tried_again() {
    let (_, kinds) = through(Fault::Error(503, "SlowDown"), "PUT", "manifest-v1", 6).await;
    assert!(kinds.iter().all(|kind| *kind == Kind::Busy) && !kinds.is_empty(), "{kinds:?}");
}

#[tokio::test]
async fn a_connection_that_is_cut_is_made_again() {
    let (_, kinds) = through(Fault::Cut, "PUT", "events-v1", 6).await;
    assert!(kinds.iter().all(|kind| *kind == Kind::Network) && !kinds.is_empty(), "{kinds:?}");
}

#[tokio::test]
async fn a_put_whose_answer_is_lost_is_not_repeated_in_the_bucket() {
    for tree in ["events-v1", "manifest-v1"] {
        through(Fault::LoseAnswer, "PUT", tree, 1).await;
    }
    let (receipt, _) = through(Fault::LoseAnswer, "PUT", "events-v1", 1).await;
    assert_eq!(receipt.outcome, Outcome::AlreadyThere);
}

#[tokio::test]
async fn a_server_that_never_answers_costs_a_timeout() {
    let (_, kinds) = through(Fault::Silence, "PUT", "events-v1", 1).await;
    assert!(kinds.iter().all(|kind| *kind == Kind::Timeout) && !kinds.is_empty(), "{kinds:?}");
}

#[tokio::test]
async fn a_server_that_is_slow_is_waited_for() {
    let (_, kinds) = through(Fault::Delay(Duration::from_millis(300)), "PUT", "", 2).await;
    assert_eq!(kinds, []);
}

#[tokio::test]
async fn a_server_that_knows_no_conditions_is_used_without() {
    // Two attempts of the client for each of the two objects, as 501 is a server's error.
    for tree in ["events-v1", "manifest-v1"] {
        let (receipt, kinds) = through(Fault::Error(501, "NotImplemented"), "PUT", tree, 2).await;
        assert_eq!((receipt.outcome, kinds), (Outcome::Written, vec![]));
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_until_it_is_back() {
    let server = S3::start("bucket");
    let archive = open(&server);
    let mut host = Host::new(1);
    server.down();
    let packed = host.batch(3);
    let error = archive.put_batch(&packed).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Network, "{error}");
    server.up();
    assert_eq!(archive.put_batch(&packed).await.unwrap().outcome, Outcome::Written);
}

#[tokio::test]
async fn wrong_credentials_are_corrected_by_opening_again() {
    let server = S3::start("bucket");
    let mut host = Host::new(1);
    let packed = host.batch(3);
    let destination = at(&server.endpoint(), "s3://bucket", Compression::Zstd);
    let wrong = server.wrong_environment().into_iter().collect();
    let archive = Archive::open(&destination, &wrong, Access::Write).unwrap();
    let error = archive.put_batch(&packed).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials, "{error}");
    assert_eq!(server.objects().len(), 0);
    let right = server.environment().into_iter().collect();
    let archive = Archive::open(&destination, &right, Access::Write).unwrap();
    archive.put_batch(&packed).await.unwrap();
    assert_eq!(server.objects().len(), 2);
}

#[tokio::test]
async fn a_bucket_that_is_made_later_is_filled() {
    let server = S3::start("bucket");
    let archive = open(&server);
    let mut host = Host::new(1);
    let packed = host.batch(3);
    server.set_exists(false);
    let error = archive.put_batch(&packed).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoBucket, "{error}");
    server.set_exists(true);
    archive.put_batch(&packed).await.unwrap();
}

#[tokio::test]
async fn a_part_that_fails_leaves_no_upload_behind() {
    let server = S3::start("bucket");
    let parts = forebear_archive::Multipart { above: 10, part: 5 << 20 };
    let archive = open(&server).with_multipart(parts);
    let mut host = Host::new(1);
    let lines = [host.line(&"x".repeat(6 << 20))];
    let packed = host.pack(&lines, Compression::None);
    server.faults().add(When::method("PUT").on("partNumber=2").times(2), Fault::Status(500));
    let error = archive.put_batch(&packed).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Server, "{error}");
    assert_eq!(server.unfinished_uploads(), 0);
    assert_eq!(archive.put_batch(&packed).await.unwrap().outcome, Outcome::Written);
}

/// Forty batches through a server that does everything wrong now and then.
async fn chaos(faults: &forebear_testkit::bucket::Faults, archive: &Archive) {
    let wrong = [
        (When::any().one_in(7), Fault::Status(500)),
        (When::method("PUT").one_in(5), Fault::LoseAnswer),
        (When::any().one_in(9), Fault::Cut),
        (When::any().one_in(11), Fault::Error(503, "SlowDown")),
        (When::method("GET").one_in(5), Fault::HalfAnswer),
    ];
    for (when, fault) in wrong {
        faults.add(when, fault);
    }
    let mut host = Host::new(1);
    for round in 0..40 {
        let packed = host.batch(5);
        put_at_last(archive, &packed).await;
        host.confirm(&packed);
        if round % 10 == 9 {
            host.restart();
        }
    }
    assert!(faults.followed() > 20, "{}", faults.followed());
    faults.clear();
    let report = checks::verified(archive, host.id).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.objects, report.events), (40, 200));
    assert_eq!(report.hosts[0].head, host.link);
}

#[tokio::test]
async fn every_batch_is_there_once_after_chaos_at_s3() {
    let server = S3::start("bucket");
    chaos(server.faults(), &open(&server)).await;
    assert_eq!(server.objects().len(), 80);
}

#[tokio::test]
async fn every_batch_is_there_once_after_chaos_at_gcs() {
    let server = Gcs::start("bucket");
    let mut destination = at(&server.endpoint(), "gs://bucket", Compression::Gzip);
    destination.anonymous = true;
    let archive = Archive::open(&destination, &Default::default(), Access::Write).unwrap();
    chaos(server.faults(), &archive).await;
    assert_eq!(server.objects().len(), 80);
}

#[tokio::test]
async fn a_read_that_breaks_off_gives_all_lines_or_an_error() {
    let server = S3::start("bucket");
    let archive = open(&server);
    let mut host = Host::new(1);
    let lines = host.lines(2000);
    let packed = host.pack(&lines, Compression::None);
    archive.put_batch(&packed).await.unwrap();
    let [object] = checks::listed(&archive, host.id).await.try_into().unwrap();
    server.faults().add(When::method("GET").one_in(2), Fault::HalfAnswer);
    let mut whole = 0;
    for _ in 0..20 {
        let mut opened = match archive.lines(&object, &Default::default()).await {
            Ok(opened) => opened,
            Err(error) => {
                assert_eq!(error.kind(), Kind::Network, "{error}");
                continue;
            }
        };
        let mut read = Vec::new();
        loop {
            match opened.next().await {
                Ok(Some(line)) => read.push(String::from_utf8(line.to_vec()).unwrap()),
                Ok(None) => {
                    assert_eq!(read, lines);
                    whole += 1;
                    break;
                }
                Err(error) => {
                    assert_eq!(error.kind(), Kind::Network, "{error}");
                    assert_eq!(read, lines[..read.len()]);
                    break;
                }
            }
        }
    }
    assert!(whole > 0);
}
