//! Files: every format, every way to be wrong.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::program::{Said, forebear, told};
use crate::samples::samples;

struct Recording {
    _folder: TempDir,
    path: PathBuf,
}

impl Recording {
    fn of(lines: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        Self { _folder: folder, path }
    }

    /// Asks it, with the file behind the other words.
    fn ask(&self, words: &[&str]) -> Said {
        let mut words = words.to_vec();
        words.push(self.path.to_str().unwrap());
        forebear(&words, BTreeMap::new())
    }
}

fn recording() -> Recording {
    Recording::of(&samples())
}

/// The sample of `ls`.
fn ls() -> String {
    samples().into_iter().find(|line| line.contains("--color=auto")).unwrap()
}

#[test]
fn events_come_back_as_they_were_written() {
    let asked = recording().ask(&["query", "cmd_root = 'ls'"]);
    asked.printed(0, &format!("{}\n", ls()));
    told(&["query", "cmd_root = 'ls'", "-"], BTreeMap::new(), &samples().join("\n"))
        .printed(0, &format!("{}\n", ls()));
}

#[test]
fn nothing_found_is_told_by_the_exit_code_alone() {
    recording().ask(&["query", "cmd_root = 'nothing'"]).printed(1, "");
    recording().ask(&["query", "cmd_root = 'nothing'", "--count"]).printed(1, "0\n");
    recording().ask(&["query", "cmd_root = 'nothing'", "--format", "csv"]).printed(1, "");
}

#[test]
fn a_table_shows_events_in_few_words() {
    let asked = recording().ask(&["query", "cmd_root = 'ls'", "--format", "table"]);
    asked.printed(
        0,
        "TIME                  HOST   TYPE  WHO    AS     WHAT\n\
         2026-11-18 12:08:51Z  web-1  EXEC  alice  alice  ls --color=auto -l\n",
    );
}

#[test]
fn csv_has_headings_and_quotes() {
    let words =
        ["query", "--sql", "SELECT self.name, self.argv AS a FROM events WHERE self.name = 'ls'"];
    let asked = recording().ask(&[words[0], words[1], words[2], "--format", "csv"]);
    asked.printed(0, "self.name,a\r\nls,\"[ls, --color=auto, -l]\"\r\n");
}

#[test]
fn sql_gives_objects_and_counts() {
    let sql = "SELECT event_type, count(*) AS n FROM events GROUP BY 1 ORDER BY n DESC LIMIT 1";
    recording().ask(&["query", "--sql", sql]).printed(0, "{\"event_type\":\"EXEC\",\"n\":2}\n");
    recording().ask(&["query", "--sql", sql, "--count"]).printed(0, "1\n");
    let sql = "SELECT cmd, typed FROM commands WHERE cmd_root = 'ls'";
    recording()
        .ask(&["query", "--sql", sql])
        .printed(0, "{\"cmd\":\"ls --color=auto -l\",\"typed\":true}\n");
    let sql = "SELECT events FROM hosts";
    recording().ask(&["query", "--sql", sql]).printed(0, "{\"events\":6}\n");
    let sql = "SELECT execs FROM processes WHERE name = 'ls'";
    recording().ask(&["query", "--sql", sql]).printed(0, "{\"execs\":1}\n");
}

#[test]
fn a_limit_holds_in_every_format() {
    for words in [&["query", "event_type = '*'"][..], &["query", "--sql", "SELECT * FROM events"]] {
        let asked = recording().ask(&[words, &["--limit", "2"]].concat());
        assert_eq!((asked.code, asked.out.lines().count()), (Some(0), 2), "{}", asked.err);
    }
    recording().ask(&["query", "event_type = '*'", "--limit", "2", "--count"]).printed(0, "2\n");
}

#[test]
fn a_range_of_time_is_said_in_the_words_of_the_language() {
    let counts = |words: &[&str], count: &str| {
        let asked = recording().ask(&[&["query", "event_type = '*'", "--count"], words].concat());
        assert_eq!(asked.out, count, "{words:?}: {}", asked.err);
    };
    counts(&["--since", "2026-11-18"], "6\n");
    counts(&["--since", "2026-11-18 12:08:51"], "2\n");
    counts(&["--until", "2026-11-18 12:08:51"], "4\n");
    counts(&["--since", "2026-11-18 21:08:51", "--zone", "+09:00"], "2\n");
    let sql =
        ["query", "--sql", "SELECT count(*) AS n FROM events", "--until", "2026-11-18 12:08:51"];
    recording().ask(&sql).printed(0, "{\"n\":4}\n");
    recording()
        .ask(&["query", "event_type = '*'", "--since", "tomorow"])
        .refused(2, &["the time of --since is wrong", "tomorow", "^^^"]);
    recording().ask(&["query", "seq = 1", "--zone", "Mars"]).refused(2, &["no such zone"]);
}

#[test]
fn a_wrong_query_is_underlined_and_nothing_is_read() {
    let asked = forebear(&["query", "cmd_rot = 'ls'", "/nowhere"], BTreeMap::new());
    // The place is looked at only when it is listed.
    asked.refused(2, &["error: the query is wrong", "  ^^^^^^^", "did you mean `cmd_root`?"]);
    recording().ask(&["query", "--sql", "SELECT nothing FROM events"]).refused(2, &["nothing"]);
    recording().ask(&["query", "--sql", "SELEC 1"]).refused(2, &["error: reading the query"]);
    recording().ask(&["query", "--sql", "DROP TABLE events"]).refused(2, &["DDL"]);
}

#[test]
fn a_place_that_is_not_there_is_named() {
    let asked = forebear(&["query", "seq = 1", "/nowhere/at/all"], BTreeMap::new());
    asked.refused(2, &["/nowhere/at/all"]);
}

#[test]
fn what_is_no_event_is_told_and_passed_over() {
    let mut lines = samples();
    lines.push("{\"event_type\":".to_owned());
    let asked = Recording::of(&lines).ask(&["query", "cmd_root = 'ls'"]);
    assert_eq!((asked.code, asked.out), (Some(0), format!("{}\n", ls())));
    assert!(asked.err.starts_with("warning: 1 line is no event: "), "{}", asked.err);
}

#[test]
fn an_explanation_is_sql_that_gives_the_same() {
    let query = "session_user = 'alice' and cmd_parent_cmd_root NOT IN 'cron,at*'";
    let explained = recording().ask(&["query", query, "--explain"]);
    assert_eq!((explained.code, explained.err.as_str()), (Some(0), ""));
    let sql = explained.out.lines().next().unwrap();
    assert!(sql.starts_with("SELECT line FROM events WHERE "), "{sql}");
    assert!(explained.out.contains("ScanExec: pieces=1"), "{}", explained.out);
    let asked = recording().ask(&["query", query]);
    let mut by_sql: Vec<String> =
        recording().ask(&["query", "--sql", sql]).out.lines().map(str::to_owned).collect();
    by_sql.sort();
    let mut by_cql: Vec<String> = asked.out.lines().map(str::to_owned).collect();
    by_cql.sort();
    assert!(!by_cql.is_empty());
    assert_eq!(by_sql, by_cql);
}

#[test]
fn sessions_and_their_trees_are_shown() {
    let asked = recording().ask(&["sessions", "--format", "csv"]);
    assert_eq!((asked.code, asked.err.as_str()), (Some(0), ""));
    let session = asked.out.lines().nth(1).unwrap();
    assert!(session.starts_with("c40d7a19-"), "{session}");
    assert!(session.contains(",web-1,alice,ssh,"), "{session}");
    let tree = recording().ask(&["tree", "c40d7a19"]);
    assert_eq!((tree.code, tree.err.as_str()), (Some(0), ""));
    let shown: Vec<&str> = tree.out.lines().collect();
    assert!(shown[0].ends_with("   -bash"), "{}", tree.out);
    assert!(shown[1].ends_with(">   ls --color=auto -l"), "{}", tree.out);
    recording().ask(&["tree", "ffff"]).printed(1, "");
    recording().ask(&["tree", "x'; --"]).refused(2, &["is no session's id"]);
}

#[test]
fn what_was_found_until_it_was_interrupted_is_printed_and_said_to_be_partial() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_forebear"))
        .args(["query", "event_type = '*'", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The input stays open: whoever writes it is not done.
    let mut input = child.stdin.take().unwrap();
    input.write_all(format!("{}\n", ls()).as_bytes()).unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert_eq!(first, format!("{}\n", ls()));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), rest.as_str()), (Some(3), ""));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(said, "interrupted: this is only what was found until then\n");
    drop(input);
}
