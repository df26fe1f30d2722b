//! `--macros`: saved queries of a file, and what is wrong with one.

use std::collections::BTreeMap;

use crate::program::{Said, forebear};
use crate::samples::samples;

/// Asks the samples with a file of saved queries.
fn ask(query: &str, macros: &str) -> (Said, String) {
    let folder = tempfile::tempdir().unwrap();
    let (events, file) = (folder.path().join("events.ndjson"), folder.path().join("saved.toml"));
    std::fs::write(&events, samples().join("\n") + "\n").unwrap();
    std::fs::write(&file, macros).unwrap();
    let (events, file) = (events.to_str().unwrap(), file.to_str().unwrap().to_owned());
    let words = ["query", query, "--macros", &file, "--count", "--since", "2026-11-18", events];
    (forebear(&words, BTreeMap::new()), file)
}

/// It was refused before anything was read, with the file's name and all of this.
#[track_caller]
fn refuses(query: &str, macros: &str, parts: &[&str]) {
    let (said, file) = ask(query, macros);
    said.refused(2, &[&[file.as_str()], parts].concat());
}

#[test]
fn saved_queries_are_asked_by_their_names() {
    let saved = "[macro]\nlisting = \"cmd_root IN 'ls,dir'\"\n\
                 of_alice = \"macro_listing = true and session_user = 'alice'\"\n";
    ask("macro_of_alice = 'true'", saved).0.printed(0, "1\n");
    ask("macro_listing = 'false' and session_user = 'alice'", saved).0.printed(0, "2\n");
    ask("macro_listing = 'true' and macro_of_alice = 'false'", saved).0.printed(1, "0\n");
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_place() {
    refuses(
        "seq = 1",
        "[macro]\na = \"seq = 1\"\nb = \"cmd_rot = 'ls'\"\n",
        &["line 3:\n  b = \"cmd_rot = 'ls'\"\n       ^^^^^^^\n", "did you mean `cmd_root`?"],
    );
    refuses(
        "seq = 1",
        "[macro]\na = \"macro_b = true\"\nb = \"macro_a = true\"\n",
        &["[macro-cycle]", "line 2:\n", "line 3:\n", "macro_b -> macro_a -> macro_b"],
    );
    refuses("seq = 1", "[macro]\na = \"macro_c = true\"\n", &["unknown-macro", "^^^^^^^"]);
    refuses("seq = 1", "[macro]\na = seq\n", &["this is not TOML", "line 2:\n", "^"]);
}

#[test]
fn a_name_that_the_file_does_not_have_is_told_in_the_query() {
    let (said, _) = ask("macro_listin = 'true'", "[macro]\nlisting = \"cmd_root = 'ls'\"\n");
    said.refused(2, &["the query is wrong", "^^^^^^^^^^^^", "did you mean `macro_listing`?"]);
    let asked = forebear(&["query", "macro_x = 'true'", "/nowhere"], BTreeMap::new());
    asked.refused(2, &["there is no saved query `x`"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let words = ["query", "seq = 1", "--macros", "/nowhere/saved.toml", "-"];
    forebear(&words, BTreeMap::new())
        .refused_in_a_line(2, &["/nowhere/saved.toml", "no such file"]);
    let words = ["query", "--sql", "SELECT 1", "--macros", "x", "-"];
    forebear(&words, BTreeMap::new()).refused(2, &["--sql", "--macros"]);
}
