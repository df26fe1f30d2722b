//! Reads the files of the table; the engine asks the same questions.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forebear_query::{Macros, Truth};
use jiff::tz::{Offset, TimeZone};

/// Tuesday noon: what `now` is in every case.
pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../query/tests/cases")
}

/// Every file, with its name.
pub(crate) fn files() -> Vec<(String, String)> {
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
pub(crate) struct File {
    /// Name and line, in the order of the file.
    pub events: Vec<(String, String)>,
    pub macros: Macros,
    pub cases: Vec<Case>,
}

pub(crate) struct Case {
    pub line: usize,
    pub query: String,
    pub zone: TimeZone,
    pub expected: BTreeMap<Truth, Vec<String>>,
}

pub(crate) fn read(name: &str, text: &str) -> File {
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
    pub(crate) fn expected(&self, event: &str) -> Option<Truth> {
        let named = |name: &str| {
            self.expected
                .iter()
                .find(|(_, names)| names.iter().any(|known| known == name))
                .map(|(truth, _)| *truth)
        };
        named(event).or_else(|| named("*"))
    }

    /// Every name that stands in it is an event of the file.
    pub(crate) fn check_names(&self, place: &str, events: &[(String, String)]) {
        for name in self.expected.values().flatten().filter(|name| *name != "*") {
            assert!(events.iter().any(|(known, _)| known == name), "{place}: no event {name}");
        }
    }
}
