//! Lines of every released version are readable for ever, and keep their meaning.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::path::Path;

use forebear_events::{ndjson, v1};

/// Each line of the history of version 1, with the file that it stands in.
fn history() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/history/v1");
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        lines.extend(text.lines().map(|line| (name.clone(), line.to_owned())));
    }
    lines
}

#[test]
fn every_line_of_history_is_readable_and_loses_nothing() {
    let lines = history();
    assert!(lines.len() >= 6, "the history has only {} lines", lines.len());
    for (file, line) in lines {
        let event = ndjson::read(line.as_bytes())
            .unwrap_or_else(|error| panic!("{file}: {error}: {line}"))
            .unwrap_or_else(|| panic!("{file}: event type not known: {line}"));
        // Whatever is written anew has every field that the old line has, with its value.
        let old: serde_json::Value = serde_json::from_str(&line).unwrap();
        let new = serde_json::to_value(&event).unwrap();
        assert_contains(&new, &old, &file);
    }
}

#[test]
fn an_old_line_still_says_the_same() {
    let (_, line) = history()
        .into_iter()
        .find(|(_, line)| line.contains("\\ufffd") || line.contains('\u{FFFD}'))
        .unwrap();
    let Some(v1::Event::Exec(exec)) = ndjson::read(line.as_bytes()).unwrap() else {
        panic!("not an EXEC: {line}")
    };
    assert_eq!(exec.this.argv_bytes().unwrap(), [b"touch".as_slice(), b"caf\xe9", b""]);
    assert_eq!(exec.this.cwd_bytes().unwrap(), b"/home/alice/\xe9t\xe9");
    assert_eq!(exec.missing["parent"], v1::Why::SensorLostEvents);
}

#[track_caller]
fn assert_contains(new: &serde_json::Value, old: &serde_json::Value, place: &str) {
    use serde_json::Value;
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            for (key, value) in old {
                let place = format!("{place}: {key}");
                let found = new.get(key).unwrap_or_else(|| panic!("{place} is lost"));
                assert_contains(found, value, &place);
            }
        }
        _ => assert_eq!(new, old, "{place}"),
    }
}
