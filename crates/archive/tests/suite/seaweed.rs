//! The checks over a server that others have written.

use forebear_archive::{Access, Archive, Kind};
use forebear_testkit::bucket::{SEAWEED, Seaweed};
use forebear_testkit::means::available;

use crate::places::{Place, at};
use crate::{checks, lines};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seaweedfs_behaves_like_every_place() {
    if !available(SEAWEED) {
        return;
    }
    let mut server = Seaweed::start("bucket");
    let open = |server: &Seaweed, name: &str| {
        let (endpoint, environment) = (server.endpoint(), server.environment());
        let url = format!("s3://bucket/{name}");
        Place::of(move |compression| {
            let destination = at(&endpoint, &url, compression);
            let environment = environment.clone().into_iter().collect();
            Archive::open(&destination, &environment, Access::Write).unwrap()
        })
    };
    macro_rules! run {
        ($($check:ident)*) => {
            $(checks::$check(&open(&server, stringify!($check))).await;)*
        };
    }
    run!(
        a_place_that_works_passes_the_probe
        a_batch_is_written_once
        another_batch_of_that_name_is_a_conflict_and_changes_nothing
        a_batch_is_not_doubled_by_another_compression
        a_missing_manifest_is_made_up_for
        objects_are_found_by_time_and_host
        every_compression_is_read_back
        a_large_object_is_put_in_parts
        a_chain_without_faults_is_verified
        what_was_done_to_objects_is_found
        nothing_is_in_an_empty_place
    );
    refusals_are_told_apart(&server).await;

    // Down and up again: what was there is there, and a batch begun before is finished once.
    let mut host = lines::Host::new(0xc1);
    let place = open(&server, "again");
    checks::put(&place.archive, &mut host, 3).await;
    let packed = host.batch(3);
    server.down();
    let error = place.archive.put_batch(&packed).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Network, "{error}");
    server.up();
    let place = open(&server, "again");
    place.archive.put_batch(&packed).await.unwrap();
    let report = checks::verified(&place.archive, host.id).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.events, 6);
}

async fn refusals_are_told_apart(server: &Seaweed) {
    let destination = at(&server.endpoint(), &server.url(), Default::default());
    let wrong = server.wrong_environment().into_iter().collect();
    let archive = Archive::open(&destination, &wrong, Access::Write).unwrap();
    let error = archive.probe().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials, "{error}");

    let destination = at(&server.endpoint(), "s3://no-such-bucket", Default::default());
    let environment = server.environment().into_iter().collect();
    let archive = Archive::open(&destination, &environment, Access::Write).unwrap();
    let error = archive.probe().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoBucket, "{error}");
}
