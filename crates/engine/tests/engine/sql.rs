//! SQL over the table `events`.

use forebear_engine::Limits;

use crate::shelf::{Shelf, rows, with};

/// The samples of the format, one a line.
fn samples() -> Shelf {
    let shelf = Shelf::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/samples");
    let mut lines = String::new();
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    names.sort();
    for name in names {
        let text = std::fs::read_to_string(name).unwrap();
        lines += &(text.lines().map(str::trim).collect::<String>() + "\n");
    }
    shelf.put("samples.ndjson", lines);
    shelf
}

#[track_caller]
fn gives(sql: &str, expected: &[&str]) {
    assert_eq!(rows(&samples().engine(), sql).unwrap(), expected, "{sql}");
}

#[test]
fn fields_are_reached_by_their_paths() {
    gives("SELECT self.name FROM events WHERE event_type = 'BUILTIN'", &["bash"]);
    gives(
        "SELECT self.tty.major, self.argv FROM events WHERE self.name = 'ls'",
        &["136|[ls, --color=auto, -l]"],
    );
    gives("SELECT host.labels['project'] FROM events WHERE event_type = 'AGENT'", &["shop"]);
    gives("SELECT counters['emitted'] FROM events WHERE event_type = 'AGENT'", &["0"]);
    gives("SELECT parent.name FROM events WHERE event_type = 'AGENT'", &["-"]);
}

#[test]
fn events_are_counted_grouped_and_sorted() {
    gives("SELECT count(*) FROM events", &["6"]);
    gives(
        "SELECT event_type, count(*) AS n FROM events GROUP BY event_type ORDER BY n DESC, 1",
        &["EXEC|2", "AGENT|1", "BACKFILL|1", "BUILTIN|1", "VERIFY|1"],
    );
    gives("SELECT seq FROM events ORDER BY event_time DESC LIMIT 2", &["5", "4"]);
}

#[test]
fn what_is_no_column_is_in_the_line() {
    let shelf = Shelf::new();
    shelf.put("new.ndjson", "{\"event_type\":\"EXEC\",\"future\":{\"depth\":[7,{\"x\":\"y\"}]}}\n");
    let asked = "SELECT json(line, 'future.depth.0'), json(line, 'future.depth.1.x'), \
                 json(line, 'nothing') FROM events";
    assert_eq!(rows(&shelf.engine(), asked).unwrap(), ["7|y|-"]);
}

#[test]
fn times_are_compared_with_texts_and_each_other() {
    gives("SELECT count(*) FROM events WHERE event_time >= '2026-11-18T00:00:00Z'", &["6"]);
    gives("SELECT count(*) FROM events WHERE event_time < self.start_time", &["0"]);
    gives("SELECT date_trunc('day', event_time) FROM events LIMIT 1", &["2026-11-18T00:00:00Z"]);
}

#[test]
fn nothing_but_a_question_is_taken() {
    for wrong in ["DROP TABLE events", "CREATE TABLE x AS SELECT 1", "SET a = 1"] {
        assert!(rows(&samples().engine(), wrong).is_err(), "{wrong}");
    }
    let error = rows(&samples().engine(), "SELECT evnt_time FROM events").unwrap_err();
    assert!(error.contains("evnt_time"), "{error}");
}

#[test]
fn only_the_fields_that_are_asked_for_are_read() {
    let shelf = samples();
    let sql = "EXPLAIN SELECT self.name, count(*) FROM events \
               WHERE inception_session.entry = 'ssh' AND event_time > '2026-11-18T00:00:00Z' \
               GROUP BY self.name";
    let plan = rows(&shelf.engine(), sql).unwrap().join("\n");
    assert!(plan.contains("over [event_time, inception_session.entry]"), "{plan}");
    assert!(plan.contains("columns=[self.name]"), "{plan}");
    assert!(!plan.contains("FilterExec"), "{plan}");
}

#[test]
fn what_does_not_fit_into_memory_is_sorted_on_disk() {
    let shelf = Shelf::new();
    let mut lines = String::new();
    for seq in 0..60_000_u32 {
        let key = seq.wrapping_mul(2_654_435_761);
        lines += &format!(
            "{{\"seq\":{seq},\"config_hash\":\"{key:010}\",\"x\":\"{}\"}}\n",
            "y".repeat(2000)
        );
    }
    shelf.put("a.ndjson", lines);
    let place = shelf.path().to_str().unwrap();
    let engine = with(place, Limits { memory: 64 << 20, threads: 2 });
    let sorted = "SELECT line, config_hash FROM events ORDER BY config_hash";
    let sorted = rows(&engine, sorted).unwrap();
    assert_eq!(sorted.len(), 60_000);
    let keys: Vec<&str> = sorted.iter().map(|row| row.rsplit('|').next().unwrap()).collect();
    assert!(keys.is_sorted());
}
