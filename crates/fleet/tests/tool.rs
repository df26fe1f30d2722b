//! Our own tool over a made-up bucket: the CQL of every named question finds the events that the
//! question is about and no others; the right ones are found by reading every line.

#![allow(clippy::unwrap_used, reason = "a test fails where it stops")]

#[path = "support/answers.rs"]
mod answers;
#[path = "support/questions.rs"]
mod questions;
#[path = "support/small.rs"]
mod small;

use std::path::Path;
use std::process::Command;

use forebear_testkit::agent;
use serde_json::Value;

use answers::{Row, answers, is_concerned};
use questions::{intruder, questions, recordings};

/// What the tool prints of a folder.
fn ask(words: &[&str], folder: &Path) -> Vec<Value> {
    let output = Command::new(agent::tool()).args(words).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{words:?}: {}\n{said}", output.status);
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}

#[test]
fn the_cql_of_every_question_finds_what_it_is_about() {
    let (folder, lines) = recordings(5_000);
    let (session, host) = intruder(&lines);
    let expected = answers(&lines, &session, &host);
    let asked = questions("cql", &session, &host);
    assert_eq!(asked.len(), expected.len());
    let identity = |line: &Value| vec![line["event_uuid"].to_string(), line.to_string()];
    for (name, query) in asked {
        let found = ask(&["query", &query], folder.path());
        let about = lines.iter().filter(|line| is_concerned(&name, line, &session, &host));
        assert_eq!(
            sorted(found.iter().map(identity).collect()),
            sorted(about.map(identity).collect()),
            "{name}: {query}"
        );
        let from_found = answers(&found, &session, &host);
        assert_eq!(from_found[&*name], expected[&*name], "{name}");
        assert!(!expected[&*name].is_empty(), "{name} has no answer, so nothing is compared");
    }
}
