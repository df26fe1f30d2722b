//! Our own tool over a made-up bucket, against reading every line: the CQL of every named question
//! finds the events that the question is about and no others, and its SQL the same rows.

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

/// The tables of the questions, out of those of the tool.
const TABLES: &str = include_str!("../engines/forebear.sql");

/// What the tool prints of a folder.
fn ask(words: &[&str], folder: &Path) -> String {
    let output = Command::new(agent::tool()).args(words).arg(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{words:?}: {}\n{said}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Rows of CSV, without the headings. No cell of the answers holds a line break.
fn rows(csv: &str) -> Vec<Row> {
    let cells = |line: &str| {
        let (mut row, mut is_quoted) = (vec![String::new()], false);
        for part in line.split_inclusive([',', '"']) {
            let (text, end) = part.split_at(part.trim_end_matches([',', '"']).len());
            let cell = row.last_mut().unwrap();
            cell.push_str(text);
            match end {
                "," if !is_quoted => row.push(String::new()),
                "\"" => is_quoted = !is_quoted,
                end => cell.push_str(end),
            }
        }
        row.into_iter().map(moment).collect()
    };
    csv.lines().skip(1).map(cells).collect()
}

/// A cell; moments in one way of writing them.
fn moment(cell: String) -> String {
    cell.parse::<jiff::Timestamp>().map_or(cell, |time| time.to_string())
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
        let parse = |line| serde_json::from_str::<Value>(line).unwrap();
        let found: Vec<Value> = found.lines().map(parse).collect();
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

#[test]
fn the_sql_of_every_question_gives_the_rows() {
    let (folder, lines) = recordings(5_000);
    let (session, host) = intruder(&lines);
    let expected = answers(&lines, &session, &host);
    for (name, query) in questions("sql", &session, &host) {
        let sql = format!("{TABLES}{query}");
        let found = rows(&ask(&["query", "--sql", &sql, "--format", "csv"], folder.path()));
        let right = expected[&*name].iter().cloned();
        let right = right.map(|row| row.into_iter().map(moment).collect()).collect();
        assert_eq!(sorted(found), sorted(right), "{name}: {query}");
    }
}
