//! `forebear compact` and `--format parquet`: what is printed, what is said, and how it ends.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use forebear_archive::{Access, Archive, Compression, Destination, Environment, Packer};
use tempfile::TempDir;

use crate::program::{Said, forebear};
use crate::samples::samples;

/// A folder of the archive with two events of one run.
fn archived() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let destination = Destination::new("here", format!("file://{}", folder.path().display()));
    let archive = Archive::open(&destination, &Environment::default(), Access::Write).unwrap();
    let mut packer = Packer::new(Compression::Gzip).unwrap();
    for line in events() {
        packer.push(line.as_bytes()).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(archive.put_batch(&packer.finish(None).unwrap())).unwrap();
    folder
}

/// Samples that could be of one batch.
fn events() -> Vec<String> {
    let mut events: Vec<String> = Vec::new();
    for line in samples().into_iter().filter(|line| line.contains("\"ls\"")).take(2) {
        let mut event: serde_json::Value = serde_json::from_str(&line).unwrap();
        event["seq"] = (events.len() + 1).into();
        events.push(event.to_string());
    }
    events
}

fn compact(words: &[&str]) -> Said {
    forebear(&[&["compact"], words].concat(), BTreeMap::new())
}

#[test]
fn what_was_done_is_printed_and_asked_like_lines() {
    let (from, to) = (archived(), tempfile::tempdir().unwrap());
    let count = events().len();
    let (source, dest) = (from.path().to_str().unwrap(), to.path().to_str().unwrap());
    let said = compact(&[source, dest]);
    let begin = format!(
        "objects of lines: 1; in columns before: 0; now: 1, in new objects: 1\nevents: {count}; "
    );
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    assert!(said.out.starts_with(&begin), "{}", said.out);
    compact(&[source, dest])
        .printed(0, "objects of lines: 1; in columns before: 1; now: 0, in new objects: 0\n");
    let ask = |place| forebear(&["query", "cmd_root = 'ls'", place], BTreeMap::new());
    assert_eq!(ask(dest).out, ask(source).out);
    let both = ["query", "cmd_root = '*'", "--count", source, dest];
    forebear(&both, BTreeMap::new()).printed(0, &format!("{count}\n"));
    // The chain does not mind columns beside it.
    compact(&[source, source]);
    let verified = forebear(&["verify", source], BTreeMap::new());
    assert_eq!(verified.code, Some(0), "{}", verified.out);
    let removed = compact(&[source, source, "--remove-source"]);
    removed.printed(
        0,
        "objects of lines: 1; in columns before: 1; now: 0, in new objects: 0\n\
         objects of lines that were removed: 1\n",
    );
    forebear(&["query", "cmd_root = '*'", "--count", source], BTreeMap::new())
        .printed(0, &format!("{count}\n"));
}

#[test]
fn nothing_to_do_and_no_place_end_in_their_own_ways() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (source, dest) = (from.path().to_str().unwrap(), to.path().to_str().unwrap());
    compact(&[source, dest])
        .printed(1, &format!("There are no objects of lines at file://{source}.\n"));
    compact(&["ftp://x", dest]).refused(2, &["unknown scheme \"ftp\""]);
    std::fs::create_dir_all(from.path().join("events-v1")).unwrap();
    std::fs::write(from.path().join("events-v1/notes.txt"), "x").unwrap();
    let said = compact(&[source, dest]);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("left alone: ") && said.err.contains("notes.txt"), "{}", said.err);
}

#[test]
fn rows_as_a_parquet_file_can_be_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("events.ndjson");
    std::fs::write(&lines, samples().join("\n") + "\n").unwrap();
    let columns = folder.path().join("columns.parquet");
    let ask = |query: &str, to: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_forebear"))
            .args(["query", query, "--format", "parquet"])
            .arg(&lines)
            .output()
            .unwrap();
        std::fs::write(to, output.stdout).unwrap();
        output.status.code()
    };
    assert_eq!(ask("cmd_root = 'ls'", &columns), Some(0));
    let again = |query: &str, place: &Path| {
        forebear(&["query", query, place.to_str().unwrap()], BTreeMap::new())
    };
    let expected = again("cmd_root = 'ls'", &lines).out;
    assert!(!expected.is_empty());
    again("seq > '0'", &columns).printed(0, &expected);
    assert_eq!(ask("cmd_root = 'nothing'", &columns), Some(1));
    again("seq > '0'", &columns).printed(1, "");
}
