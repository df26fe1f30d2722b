//! The named questions, and a made-up bucket to ask.

#![allow(clippy::unwrap_used, reason = "it fails where it stops")]

use std::collections::BTreeMap;
use std::path::Path;

use forebear_archive::Compression;
use forebear_fleet::Plan;
use serde_json::Value;
use tempfile::TempDir;

use crate::answers::cell;
use crate::small;

/// Four hours of thirty hosts, and one event of a later version beside so many.
pub(crate) fn recordings(events: u64) -> (TempDir, Vec<Value>) {
    let plan = Plan {
        seed: 1,
        hosts: 30,
        events,
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
pub(crate) fn intruder(lines: &[Value]) -> (String, String) {
    let session = |line: &&Value| line["inception_session"]["source"]["ip"] == "203.0.113.66";
    let line = lines.iter().find(session).unwrap();
    (cell(&line["inception_session"]["uuid"]), cell(&line["host"]["id"]))
}

/// The named questions in a language, `sql` or `cql`, with what stands in their places.
pub(crate) fn questions(kind: &str, session: &str, host: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("questions");
    let mut questions = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let table: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let asked = table[kind].as_str().unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        questions.insert(name, asked.replace("{session}", session).replace("{host}", host));
    }
    questions
}
