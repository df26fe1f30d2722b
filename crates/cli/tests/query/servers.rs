//! Real servers: a SeaweedFS that checks signatures, and Cloud Storage's API; the same rows as from
//! a folder, of every compression, and what keeps the program from asking.

use std::collections::BTreeMap;
use std::io::Write as _;

use forebear_archive::object_store::ObjectStoreExt as _;
use forebear_archive::{Access, Archive, Destination, Environment};
use forebear_testkit::bucket::{Gcs, SEAWEED, Seaweed};
use forebear_testkit::means::available;

use crate::program::{Said, forebear};
use crate::samples::samples;

const HOST: &str = "host=1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6";

/// Questions that read lines, columns and names of folders.
const QUESTIONS: [&[&str]; 6] = [
    &["query", "cmd_root = 'ls'"],
    &["query", "event_type = '*'"],
    &["query", "cmd_root = 'ls' and cmd_date >= '2026-11-18T12:00:00Z'", "--count"],
    &["query", "server = '2f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6'"],
    &[
        "query",
        "--sql",
        "SELECT date_part('hour', event_time) AS h, self.name AS n, count(*) FROM events GROUP BY 1, 2 ORDER BY 1, 2",
    ],
    &["sessions", "--format", "csv"],
];

/// The samples of three hours: plain, compressed with gzip, and with Zstandard.
fn objects() -> Vec<(String, Vec<u8>)> {
    let text = samples().join("\n") + "\n";
    let at = |hour: u8| text.replace("T12:", &format!("T{hour}:")).into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&at(12)).unwrap();
    let name = |hour: u8, ending: &str| {
        format!("events-v1/date=2026-11-18/hour={hour}/{HOST}/a.ndjson{ending}")
    };
    vec![
        (name(11, ""), at(11)),
        (name(12, ".gz"), gzip.finish().unwrap()),
        (name(13, ".zst"), zstd::encode_all(&*at(13), 3).unwrap()),
    ]
}

/// A place that is asked: the words that name it, and the credentials.
struct Place {
    words: Vec<String>,
    variables: BTreeMap<String, String>,
}

impl Place {
    /// A bucket at a server.
    fn at(url: &str, endpoint: &str, variables: BTreeMap<String, String>) -> Self {
        let words = [url, "--endpoint", endpoint, "--allow-http"].map(str::to_owned);
        Self { words: words.into(), variables }
    }

    fn anonymous(mut self) -> Self {
        self.words.push("--anonymous".to_owned());
        self
    }

    fn ask(&self, words: &[&str]) -> Said {
        let place = self.words.iter().map(String::as_str).collect::<Vec<_>>();
        forebear(&[words, &place].concat(), self.variables.clone())
    }

    /// It answers everything as a folder with the same objects does.
    #[track_caller]
    fn answers_like_a_folder(&self) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in objects() {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let words = vec![folder.path().display().to_string()];
        let folder = Self { words, variables: BTreeMap::new() };
        for question in QUESTIONS {
            let (here, there) = (self.ask(question), folder.ask(question));
            assert_eq!(there.err, "", "{question:?}");
            here.printed(there.code.unwrap(), &there.out);
        }
        self.ask(&["query", "cmd_root = 'ls'", "--count"]).printed(0, "3\n");
    }
}

/// Stores the objects below `prefix`.
fn store(place: &Destination, environment: BTreeMap<String, String>) {
    let archive =
        Archive::open(place, &environment.into_iter().collect::<Environment>(), Access::Write)
            .unwrap();
    let (store, prefix) = archive.object_store();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, bytes) in objects() {
        let key = format!("{prefix}/{name}").into();
        runtime.block_on(store.put(&key, bytes.into())).unwrap();
    }
}

#[test]
fn a_seaweedfs_answers_like_a_folder_and_refuses_as_it_should() {
    if !available(SEAWEED) {
        return;
    }
    let server = Seaweed::start("bucket");
    let (url, endpoint) = (format!("{}/some/prefix", server.url()), server.endpoint());
    let mut destination = Destination::new("bucket", url.clone());
    destination.endpoint = Some(endpoint.clone());
    destination.allow_http = true;
    store(&destination, server.environment());
    Place::at(&url, &endpoint, server.environment()).answers_like_a_folder();

    let query = ["query", "seq = 1"];
    Place::at(&url, &endpoint, server.wrong_environment()).ask(&query).refused_in_a_line(
        3,
        &["cannot list s3://bucket/some/prefix", "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"],
    );
    Place::at("s3://elsewhere/some/prefix", &endpoint, server.environment())
        .ask(&query)
        .refused_in_a_line(2, &["cannot list s3://elsewhere/some/prefix", "no such bucket"]);
}

#[test]
fn cloud_storage_answers_like_a_folder_and_refuses_as_it_should() {
    let server = Gcs::start("bucket");
    let (url, endpoint) = (format!("{}/some/prefix", server.url()), server.endpoint());
    let mut destination = Destination::new("bucket", url.clone());
    destination.endpoint = Some(endpoint.clone());
    destination.allow_http = true;
    destination.anonymous = true;
    store(&destination, BTreeMap::new());
    let here = |url: &str| Place::at(url, &endpoint, BTreeMap::new()).anonymous();
    here(&url).answers_like_a_folder();

    let query = ["query", "seq = 1"];
    here("gs://elsewhere/some/prefix")
        .ask(&query)
        .refused_in_a_line(2, &["cannot list gs://elsewhere/some/prefix", "no such bucket"]);
    let closed = Gcs::start_with_token("bucket", "right");
    Place::at(&url, &closed.endpoint(), BTreeMap::new()).anonymous().ask(&query).refused_in_a_line(
        3,
        &["cannot list gs://bucket/some/prefix", "AccessDenied", "roles/storage"],
    );
}
