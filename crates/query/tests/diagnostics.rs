//! What a wrong query is told, word for word: every code, and the more likely mistakes of each.
//!
//! A file of `tests/diagnostics/` holds a query, then a line `----`, then what is said about it.
//! Lines `macro key = query` may stand before the query, and `⟪text×3⟫` stands for a text that often.
//! `UPDATE=1` writes what is said anew.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use forebear_query::{Code, Macros, Moment, Query, render};
use jiff::tz::TimeZone;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Writes repetitions out.
fn expand(text: &str) -> String {
    let Some((before, rest)) = text.split_once('⟪') else { return text.to_owned() };
    let (inside, behind) = rest.split_once('⟫').unwrap();
    let (repeated, count) = inside.rsplit_once('×').unwrap();
    format!("{before}{}{}", repeated.repeat(count.parse().unwrap()), expand(behind))
}

/// What is said about the query of a file, and the codes.
fn said(asked: &str) -> (String, Vec<Code>) {
    let mut macros = Macros::new();
    let mut query = Vec::new();
    for line in asked.lines() {
        match line.strip_prefix("macro ").and_then(|line| line.split_once(" = ")) {
            Some((key, text)) => {
                macros.insert(key.to_owned(), expand(text));
            }
            None => query.push(line),
        }
    }
    let query = expand(&query.join("\n"));
    let moment = Moment { now: "2026-11-24T12:00:00Z".parse().unwrap(), zone: TimeZone::UTC };
    let problems = Query::with_macros(&query, moment, &macros).unwrap_err();
    (render(&query, &problems), problems.iter().map(|problem| problem.code).collect())
}

#[test]
fn every_mistake_is_told_word_for_word_and_every_code_has_an_example() {
    let mut shown = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let (asked, expected) = text.split_once("----\n").unwrap_or((&text, ""));
        let (said, codes) = said(asked.trim_end_matches('\n'));
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let code = codes.first().map(|code| code.as_str()).unwrap_or_default();
        assert!(stem.starts_with(code), "{stem} begins with the code {code}");
        shown.extend(codes);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, format!("{}\n----\n{said}", asked.trim_end())).unwrap();
        } else if said != expected {
            wrong.push(format!("{}: said\n{said}expected\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}; UPDATE=1 writes them anew", wrong.join("\n"));
    let unseen: Vec<&str> =
        Code::ALL.iter().filter(|code| !shown.contains(code)).map(|code| code.as_str()).collect();
    assert!(unseen.is_empty(), "no example of {}", unseen.join(", "));
}

#[test]
fn every_code_has_a_meaning() {
    for code in Code::ALL {
        assert!(code.meaning().ends_with('.'), "{code}");
    }
}
