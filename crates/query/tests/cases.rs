//! The table: queries, small events, and what each query is on each of them, by hand.
//!
//! A file of `tests/cases/` says first which events there are, then asks:
//!
//! ```text
//! event ls {"event_type":"EXEC","self":{"name":"ls"}}
//! sample exec-ls                  an event of schema/samples, by its file's name
//! macro quiet = cmd_root = 'ls'
//! zone +09:00                     for the queries below it
//!
//! query cmd_root = 'ls'
//! true ls
//! false exec-ls                   `*` stands for every event that is not named otherwise
//! unknown *
//! ```
//!
//! Every property is asked with every operator that it takes, or the last test fails.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use forebear_query::{
    Expr, Kind, Macros, Moment, Operator, PROPERTIES, Query, Truth, parse, render,
};
use jiff::tz::{Offset, TimeZone};

/// Tuesday noon: what `now` is in every case.
const NOW: &str = "2026-11-24T12:00:00Z";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Every file, with its name.
fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A file as it is read.
#[derive(Default)]
struct File {
    /// Name and line, in the order of the file.
    events: Vec<(String, String)>,
    macros: Macros,
    cases: Vec<Case>,
}

struct Case {
    line: usize,
    query: String,
    zone: TimeZone,
    expected: BTreeMap<Truth, Vec<String>>,
}

fn read(name: &str, text: &str) -> File {
    let mut file = File::default();
    let mut zone = TimeZone::UTC;
    for (index, line) in text.lines().enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let names = || rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let place = || format!("{name}:{}: {line}", index + 1);
        match word {
            "" | "#" => {}
            "event" => {
                let (id, json) = rest.split_once(' ').unwrap_or_else(|| panic!("{}", place()));
                file.events.push((id.to_owned(), json.to_owned()));
            }
            "sample" => {
                let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../../schema/samples")
                    .join(format!("{rest}.json"));
                file.events.push((rest.to_owned(), std::fs::read_to_string(path).unwrap()));
            }
            "macro" => {
                let (key, query) = rest.split_once(" = ").unwrap_or_else(|| panic!("{}", place()));
                file.macros.insert(key.to_owned(), query.to_owned());
            }
            "zone" => {
                let hours: i8 = rest.trim_end_matches(":00").parse().unwrap();
                zone = TimeZone::fixed(Offset::constant(hours));
            }
            "query" => file.cases.push(Case {
                line: index + 1,
                query: rest.to_owned(),
                zone: zone.clone(),
                expected: BTreeMap::new(),
            }),
            "true" | "false" | "unknown" => {
                let truth = match word {
                    "true" => Truth::True,
                    "false" => Truth::False,
                    _ => Truth::Unknown,
                };
                let case = file.cases.last_mut().unwrap_or_else(|| panic!("{}", place()));
                case.expected.entry(truth).or_default().extend(names());
            }
            _ => panic!("{}", place()),
        }
    }
    file
}

impl Case {
    /// What the query has to be on this event.
    fn expected(&self, event: &str) -> Option<Truth> {
        let named = |name: &str| {
            self.expected
                .iter()
                .find(|(_, names)| names.iter().any(|known| known == name))
                .map(|(truth, _)| *truth)
        };
        named(event).or_else(|| named("*"))
    }

    /// Every name that stands in it is an event of the file.
    fn check_names(&self, place: &str, events: &[(String, String)]) {
        for name in self.expected.values().flatten().filter(|name| *name != "*") {
            assert!(events.iter().any(|(known, _)| known == name), "{place}: no event {name}");
        }
    }
}

#[test]
fn every_query_is_on_every_event_what_the_table_says() {
    let mut wrong = Vec::new();
    for (name, text) in files() {
        let file = read(&name, &text);
        for case in &file.cases {
            let place = format!("{name}:{}: {}", case.line, case.query);
            case.check_names(&place, &file.events);
            let moment = Moment { now: NOW.parse().unwrap(), zone: case.zone.clone() };
            let query = match Query::with_macros(&case.query, moment, &file.macros) {
                Ok(query) => query,
                Err(problems) => panic!("{place}\n{}", render(&case.query, &problems)),
            };
            for (event, line) in &file.events {
                let expected = case
                    .expected(event)
                    .unwrap_or_else(|| panic!("{place}: nothing is said of {event}"));
                let found = query.of_line(line.as_bytes()).unwrap();
                if found != expected {
                    wrong.push(format!("{place}: {event} is {found:?}, not {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every property of a query with its operator.
fn pairs(expr: &Expr, found: &mut BTreeSet<(String, Operator)>) {
    match expr {
        Expr::All(members) | Expr::Any(members) => {
            members.iter().for_each(|member| pairs(member, found));
        }
        Expr::Not(inner) => pairs(inner, found),
        Expr::Comparison(comparison) => {
            found.insert((comparison.property.clone(), comparison.operator));
        }
    }
}

#[test]
fn every_property_is_asked_with_every_operator_that_it_takes() {
    let mut asked = BTreeSet::new();
    for (name, text) in files() {
        for case in read(&name, &text).cases {
            // Only what is told apart shows anything.
            let told_apart = case.expected.len() > 1;
            assert!(told_apart, "{name}:{}: the query is the same on every event", case.line);
            pairs(&parse(&case.query).unwrap(), &mut asked);
        }
    }
    let named = PROPERTIES.iter().map(|property| (property.name, property.kind));
    let open = [("server_label_project", Kind::Text), ("macro_tools", Kind::Boolean)];
    let missing: Vec<String> = named
        .chain(open)
        .flat_map(|(name, kind)| kind.operators().iter().map(move |operator| (name, *operator)))
        .filter(|(name, operator)| !asked.contains(&((*name).to_owned(), *operator)))
        .map(|(name, operator)| format!("{name} {operator}"))
        .collect();
    assert!(missing.is_empty(), "no case asks: {}", missing.join(", "));
}
