//! Other people's engines over the same folder give the same answers.
//!
//! Each engine defines the tables that are generated from the types, and answers the named
//! questions; the right answers are found by reading every line.

#![allow(clippy::unwrap_used, reason = "a test fails where it stops")]

#[path = "support/answers.rs"]
mod answers;
#[path = "support/questions.rs"]
mod questions;
#[path = "support/small.rs"]
mod small;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use forebear_archive::{Access, Archive, Compression, Destination, Packer};
use forebear_testkit::bucket::Seaweed;
use forebear_testkit::means::{Means, available};
use serde_json::Value;
use tempfile::TempDir;

use answers::{Row, answers, cell};
use questions::{intruder, questions, recordings};

/// How long an engine may take for all questions, in seconds, before it is ended.
const AT_MOST: &str = "110";

/// The question that is about one object.
const NARROW: &str = "one-hour-of-a-host";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Asks an engine; the rows by question, and how many objects were opened for the narrow one.
fn ask(
    engine: &str,
    source: &str,
    questions: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> (BTreeMap<String, Vec<Row>>, Option<u64>) {
    let folder = TempDir::with_prefix("forebear-engine-").unwrap();
    let file = folder.path().join("questions.json");
    std::fs::write(&file, serde_json::to_string(questions).unwrap()).unwrap();
    let runner = format!("{}/engines/ask_{engine}.py", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("timeout")
        .args([AT_MOST, "python3", "-B", &runner])
        .arg(root().join(format!("schema/ddl/{engine}.sql")))
        .arg(source)
        .arg(&file)
        .args(["--files", NARROW])
        .envs(environment)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{engine}: {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    let (mut rows, mut files) = (BTreeMap::new(), None);
    for answer in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        files = files.or(answer["files"].as_u64());
        let found = answer["rows"].as_array().unwrap().iter();
        let found = found.map(|row| row.as_array().unwrap().iter().map(cell).collect()).collect();
        rows.insert(cell(&answer["name"]), found);
    }
    (rows, files)
}

#[track_caller]
fn agrees(engine: &str, found: &BTreeMap<String, Vec<Row>>, expected: BTreeMap<&str, Vec<Row>>) {
    assert_eq!(found.len(), expected.len(), "{engine}");
    for (name, mut expected) in expected {
        let mut found = found[name].clone();
        assert!(!expected.is_empty(), "{name} has no answer, so nothing is compared");
        if name != "one-session-in-order" {
            found.sort();
            expected.sort();
        }
        assert_eq!(found, expected, "{engine}: {name}");
    }
}

#[track_caller]
fn answers_like_the_lines(engine: &str) {
    let (folder, lines) = recordings(20_000);
    let (session, host) = intruder(&lines);
    let source = folder.path().to_str().unwrap();
    let (found, files) = ask(engine, source, &questions("sql", &session, &host), &BTreeMap::new());
    agrees(engine, &found, answers(&lines, &session, &host));
    assert_eq!(files, Some(1), "one hour of one host is one object of {}", lines.len());
}

#[test]
fn duckdb_answers_like_the_lines() {
    if available(&[Means::PythonModule("duckdb")]) {
        answers_like_the_lines("duckdb");
    }
}

#[test]
fn clickhouse_answers_like_the_lines() {
    if available(&[Means::PythonModule("chdb")]) {
        answers_like_the_lines("clickhouse");
    }
}

#[test]
fn spark_answers_like_the_lines() {
    if available(&[Means::PythonModule("pyspark"), Means::Program("java")]) {
        answers_like_the_lines("spark");
    }
}

#[tokio::test]
async fn clickhouse_answers_like_the_lines_from_a_bucket() {
    if !available(&[Means::PythonModule("chdb"), Means::Program("weed")]) {
        return;
    }
    let (folder, lines) = recordings(20_000);
    let server = Seaweed::start("bucket");
    let destination = Destination {
        endpoint: Some(server.endpoint()),
        allow_http: true,
        compression: Compression::Gzip,
        ..Destination::new("bucket", format!("{}/prefix", server.url()))
    };
    let environment = server.environment();
    let known = environment.clone().into_iter().collect();
    let archive = Archive::open(&destination, &known, Access::Write).unwrap();
    for text in small::objects(folder.path()) {
        let mut packer = Packer::new(Compression::Gzip).unwrap();
        text.lines().for_each(|line| packer.push(line.as_bytes()).unwrap());
        archive.put_batch(&packer.finish(None).unwrap()).await.unwrap();
    }
    let (session, host) = intruder(&lines);
    let source = format!("{}/bucket/prefix", server.endpoint());
    let (found, _) = ask("clickhouse", &source, &questions("sql", &session, &host), &environment);
    agrees("clickhouse", &found, answers(&lines, &session, &host));
}
