//! A bucket: the same questions to an S3 server.

use std::io::Write as _;

use forebear_archive::object_store::ObjectStoreExt as _;
use forebear_archive::{Access, Archive, Destination, Environment};
use forebear_testkit::bucket::S3;

use crate::program::{Said, forebear};
use crate::samples::samples;

const PREFIX: &str = "some/prefix";

/// The samples twice, in two hours: compressed and not, with a manifest and a stranger beside them.
struct Bucket {
    s3: S3,
}

impl Bucket {
    fn new() -> Self {
        let s3 = S3::start("bucket");
        let text = samples().join("\n") + "\n";
        let folder = |tree: &str, hour: u8| {
            let host = "host=1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6";
            format!("{PREFIX}/{tree}/date=2026-11-18/hour={hour}/{host}")
        };
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let objects = [
            (format!("{}/a.ndjson.gz", folder("events-v1", 12)), gzip.finish().unwrap()),
            (format!("{}/b.ndjson", folder("events-v1", 11)), text.replace("T12:", "T11:").into()),
            (format!("{}/a.json", folder("manifest-v1", 12)), b"{}".to_vec()),
            (format!("{}/README", folder("events-v1", 12)), b"hello".to_vec()),
        ];
        let mut place = Destination::new("bucket", s3.url());
        place.endpoint = Some(s3.endpoint());
        place.allow_http = true;
        let environment = s3.environment().into_iter().collect::<Environment>();
        let archive = Archive::open(&place, &environment, Access::Write).unwrap();
        let (store, _) = archive.object_store();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (key, bytes) in objects {
            runtime.block_on(store.put(&key.into(), bytes.into())).unwrap();
        }
        Self { s3 }
    }

    fn ask(&self, words: &[&str]) -> Said {
        let url = format!("{}/{PREFIX}", self.s3.url());
        let endpoint = self.s3.endpoint();
        let place = [url.as_str(), "--endpoint", &endpoint, "--allow-http"];
        forebear(&[words, &place].concat(), self.s3.environment())
    }
}

#[test]
fn a_bucket_is_asked_like_a_folder() {
    let bucket = Bucket::new();
    let asked = bucket.ask(&["query", "cmd_root = 'ls'", "--count"]);
    assert_eq!((asked.code, asked.out.as_str()), (Some(0), "2\n"), "{}", asked.err);
    assert!(
        asked.err.starts_with("warning: 1 file holds no events: s3://bucket/"),
        "{}",
        asked.err
    );
}

#[test]
fn objects_that_cannot_hold_an_answer_are_not_asked_for() {
    let bucket = Bucket::new();
    let before = bucket.s3.objects().len();
    let query = "cmd_root = 'ls' and cmd_date >= '2026-11-18T12:00:00Z'";
    let asked = bucket.ask(&["query", query, "--count"]);
    assert_eq!((asked.code, asked.out.as_str()), (Some(0), "1\n"), "{}", asked.err);
    let explained = bucket.ask(&["query", query, "--explain"]);
    assert!(explained.out.contains("1 objects listed"), "{}", explained.out);
    let host = "server = '2f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6'";
    bucket.ask(&["query", host, "--count"]).printed(1, "0\n");
    assert_eq!(bucket.s3.objects().len(), before);
}

#[test]
fn a_bucket_that_lets_nobody_in_is_an_error_of_the_environment() {
    let bucket = Bucket::new();
    let url = format!("{}/{PREFIX}", bucket.s3.url());
    let endpoint = bucket.s3.endpoint();
    let words = ["query", "seq = 1", &url, "--endpoint", &endpoint, "--allow-http"];
    forebear(&words, bucket.s3.wrong_environment())
        .refused(3, &["error: ", "s3://bucket/some/prefix"]);
}
