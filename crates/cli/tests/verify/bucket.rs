//! A bucket: the same questions to an S3 server, and what keeps the program from asking them.

use std::collections::BTreeMap;

use forebear_archive::{Compression, Destination, Environment};
use forebear_testkit::bucket::S3;

use crate::host::{Host, Put};
use crate::program::Said;
use crate::verify;

const PREFIX: &str = "some/prefix";

/// A bucket with two objects of one host: events 1 to 3 and 4 to 6.
struct Bucket {
    s3: S3,
    put: Vec<Put>,
}

impl Bucket {
    fn new() -> Self {
        let s3 = S3::start("bucket");
        let mut place = Destination::new("bucket", format!("{}/{PREFIX}", s3.url()));
        place.endpoint = Some(s3.endpoint());
        place.allow_http = true;
        let environment = s3.environment().into_iter().collect::<Environment>();
        let mut host = Host::at(&place, &environment, 0xb1);
        let put = vec![host.put(Compression::Zstd), host.put(Compression::Zstd)];
        Self { s3, put }
    }

    fn verify(&self) -> Said {
        self.verify_as(self.s3.environment())
    }

    fn verify_as(&self, variables: BTreeMap<String, String>) -> Said {
        let (url, endpoint) = (format!("{}/{PREFIX}", self.s3.url()), self.s3.endpoint());
        verify(&[&url, "--endpoint", &endpoint, "--allow-http"], variables)
    }
}

#[test]
fn nothing_is_wrong_with_a_bucket_that_nobody_touched() {
    Bucket::new().verify().found(0, &["All is well: 6 events in 2 objects.\n"]);
}

#[test]
fn a_missing_object_is_found() {
    let bucket = Bucket::new();
    assert!(bucket.s3.remove(&format!("{PREFIX}/{}", bucket.put[0].object)));
    bucket.verify().found(1, &["missing: ", "events 1 to 3: its manifest is there"]);
}

#[test]
fn an_object_put_in_anothers_place_differs_from_its_manifest_and_its_metadata() {
    let bucket = Bucket::new();
    let objects = bucket.s3.objects();
    let [first, second] = [0, 1].map(|index| format!("{PREFIX}/{}", bucket.put[index].object));
    bucket.s3.replace(&first, &objects[&second]);
    bucket.verify().found(
        1,
        &[
            "altered: ",
            "by its manifest",
            "by its metadata",
            "3 lines are of another run or number",
        ],
    );
}

#[test]
fn an_empty_prefix_proves_nothing() {
    let bucket = Bucket::new();
    let url = format!("{}/elsewhere", bucket.s3.url());
    let endpoint = bucket.s3.endpoint();
    let arguments = [url.as_str(), "--endpoint", &endpoint, "--allow-http"];
    let said = verify(&arguments, bucket.s3.environment());
    said.found(1, &["There are no objects at s3://bucket/elsewhere.\n"]);
}

#[test]
fn wrong_credentials_are_the_environments_fault() {
    let bucket = Bucket::new();
    let wrong = bucket.s3.wrong_environment();
    bucket
        .verify_as(wrong)
        .refused_in_a_line(3, &["s3://bucket/some/prefix", "SignatureDoesNotMatch", "AWS_PROFILE"]);
}

#[test]
fn a_bucket_that_does_not_exist_is_wrong_usage() {
    let bucket = Bucket::new();
    bucket.s3.set_exists(false);
    bucket.verify().refused_in_a_line(2, &["s3://bucket/some/prefix", "does not exist"]);
}

#[test]
fn a_server_that_does_not_answer_is_the_environments_fault() {
    let bucket = Bucket::new();
    bucket.s3.down();
    bucket.verify().refused_in_a_line(3, &["s3://bucket/some/prefix"]);
}

#[test]
fn addresses_that_cannot_work_are_refused_before_anything_is_sent() {
    let http = ["s3://bucket", "--endpoint", "http://127.0.0.1:9"];
    verify(&http, BTreeMap::new()).refused_in_a_line(2, &["endpoint", "has no TLS"]);
    verify(&["ftp://bucket"], BTreeMap::new())
        .refused_in_a_line(2, &["unknown scheme", "s3://bucket/prefix"]);
}
