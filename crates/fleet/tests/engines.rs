//! Other people's engines over the same folder give the same answers.
//!
//! Each engine defines the tables that are generated from the types, and answers the named
//! questions; the right answers are found by reading every line.

#![allow(clippy::unwrap_used, reason = "a test fails where it stops")]

#[path = "support/answers.rs"]
mod answers;
#[path = "support/small.rs"]
mod small;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use forebear_archive::{Access, Archive, Compression, Destination, Packer};
use forebear_fleet::Plan;
use forebear_testkit::bucket::Seaweed;
use forebear_testkit::means::{Means, available};
use serde_json::Value;
use tempfile::TempDir;

use answers::{Row, answers, cell};

/// How long an engine may take for all questions, in seconds, before it is ended.
const AT_MOST: &str = "110";

/// The question that is about one object.
const NARROW: &str = "one-hour-of-a-host";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Four hours of thirty hosts, and one event of a later version.
fn recordings() -> (TempDir, Vec<Value>) {
    let plan = Plan {
        seed: 1,
        hosts: 30,
        events: 20_000,
        hours: 4,
        compression: Compression::Zstd,
        max_age: 3600,
    };
    let folder = small::planned(&plan, 1);
    let lines = small::lines(folder.path());
    let parse = |line: &String| serde_json::from_str::<Value>(line).unwrap();
    let mut later = lines.iter().map(parse).find(|it| it["event_type"] == "EXEC").unwrap();
    later["colour"] = "green".into();
    later["schema_version"] = "1.9".into();
    later["self"]["name"] = "later".into();
    later["self"]["shape"] = serde_json::json!({ "round": true });
    let partition = format!(
        "events-v1/date=2026-11-16/hour={}/host={}",
        &cell(&later["event_time"])[11..13],
        cell(&later["host"]["id"])
    );
    let file = folder.path().join(partition).join("later.ndjson");
    std::fs::write(file, later.to_string() + "\n").unwrap();
    (folder, lines.iter().map(parse).chain([later]).collect())
}

/// The intruder's session and its host.
fn intruder(lines: &[Value]) -> (String, String) {
    let session = |line: &&Value| line["inception_session"]["source"]["ip"] == "203.0.113.66";
    let line = lines.iter().find(session).unwrap();
    (cell(&line["inception_session"]["uuid"]), cell(&line["host"]["id"]))
}

/// The named questions, with what stands in their places.
fn questions(session: &str, host: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("questions");
    let mut questions = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let table: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let sql = table["sql"].as_str().unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        questions.insert(name, sql.replace("{session}", session).replace("{host}", host));
    }
    questions
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
    let (folder, lines) = recordings();
    let (session, host) = intruder(&lines);
    let source = folder.path().to_str().unwrap();
    let (found, files) = ask(engine, source, &questions(&session, &host), &BTreeMap::new());
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
    let (folder, lines) = recordings();
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
    let (found, _) = ask("clickhouse", &source, &questions(&session, &host), &environment);
    agrees("clickhouse", &found, answers(&lines, &session, &host));
}
