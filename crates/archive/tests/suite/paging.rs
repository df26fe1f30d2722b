//! Listings of more keys than one answer holds.

use forebear_archive::{Access, Archive, Compression, Environment, Selection};
use forebear_testkit::bucket::{Gcs, S3};
use futures_util::{StreamExt, stream};
use object_store::ObjectStoreExt;

use crate::checks;
use crate::lines::Host;
use crate::places::at;

/// One more than two pages.
const MANY: usize = 2001;

async fn lists_all(archive: &Archive) {
    let (store, prefix) = archive.object_store();
    let mut host = Host::new(1);
    let keys: Vec<String> = (0..MANY).map(|_| host.batch(1).key().to_string()).collect();
    let puts = keys.iter().map(|key| {
        let path = object_store::path::Path::parse(format!("{prefix}/{key}")).unwrap();
        let store = store.clone();
        async move { store.put(&path, "{}\n".into()).await.unwrap() }
    });
    stream::iter(puts).buffer_unordered(16).for_each(|_| async {}).await;

    let everything = checks::objects(archive, &Selection::default()).await;
    let mut found: Vec<String> = everything.iter().map(|object| object.key.to_string()).collect();
    let mut expected = keys;
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(checks::listed(archive, host.id).await.len(), MANY);
}

#[tokio::test]
async fn all_pages_of_s3_are_listed() {
    let server = S3::start("bucket");
    let destination = at(&server.endpoint(), "s3://bucket/p", Compression::Zstd);
    let environment = server.environment().into_iter().collect();
    lists_all(&Archive::open(&destination, &environment, Access::Read).unwrap()).await;
    let pages = server.faults().requests();
    assert!(pages.iter().any(|request| request.contains("continuation-token")));
}

#[tokio::test]
async fn all_pages_of_gcs_are_listed() {
    let server = Gcs::start("bucket");
    let mut destination = at(&server.endpoint(), "gs://bucket/p", Compression::Zstd);
    destination.anonymous = true;
    lists_all(&Archive::open(&destination, &Environment::default(), Access::Read).unwrap()).await;
    let pages = server.faults().requests();
    assert!(pages.iter().any(|request| request.contains("continuation-token")));
}
