//! What words mean, which objects are opened, and that pieces of a file are the file.

use forebear_archive::Environment;
use forebear_engine::{Ask, Kind, Place, Question, Reach};
use forebear_query::Query;
use proptest::prelude::*;

use crate::shelf::{Shelf, compile, lines, over, rows, run};

const HOSTS: [&str; 2] =
    ["1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6", "2f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6"];

fn event(hour: i64, second: i64, host: &str) -> String {
    let time = jiff::Timestamp::from_second(1_795_392_000 + hour * 3600 + second).unwrap();
    format!(
        "{{\"event_type\":\"EXEC\",\"schema_version\":\"1.0\",\"event_time\":\"{time}\",\
         \"host\":{{\"id\":\"{host}\"}},\"self\":{{\"name\":\"h{hour}\"}}}}"
    )
}

/// Three hours of two hosts, as the archive lays them out, with a manifest beside them.
fn bucket() -> Shelf {
    let shelf = Shelf::new();
    for hour in 0..3 {
        for host in HOSTS {
            let time = jiff::Timestamp::from_second(1_795_392_000 + hour * 3600).unwrap();
            let text = time.to_string();
            let folder = format!("date={}/hour={}/host={host}", &text[..10], &text[11..13]);
            let lines = format!("{}\n{}\n", event(hour, 0, host), event(hour, 3599, host));
            shelf.put(&format!("events-v1/{folder}/x.ndjson"), lines);
            shelf.put(&format!("manifest-v1/{folder}/x.json"), "{}");
        }
    }
    shelf
}

#[track_caller]
fn opens(query: &str, answers: usize, opened: u64) {
    let shelf = bucket();
    let (lines, report) = shelf.lines(query);
    assert_eq!((lines.len(), report.opened), (answers, opened), "{query}: {report}");
    assert_eq!(report.foreign, 0);
}

#[test]
fn only_objects_that_can_hold_an_answer_are_opened() {
    opens("event_type = 'EXEC'", 12, 6);
    opens("cmd_date >= '2026-11-23T01:00:00Z'", 8, 4);
    opens("cmd_date = '2026-11-23T01:00:00Z'", 2, 2);
    opens("cmd_date < '2026-11-23T00:00:00Z'", 0, 0);
    opens(&format!("server = '{}'", HOSTS[0]), 6, 3);
    opens(&format!("server = '{}' and cmd_date > '2026-11-23T01:59:59Z'", HOSTS[1]), 2, 1);
    opens("cmd_hour_of_day < '1'", 4, 2);
    opens("cmd_hour_of_day != '1' and cmd_hour_of_day < '2'", 4, 2);
    opens(&format!("server = '{}' and cmd_hour_of_day >= '1:30'", HOSTS[0]), 3, 2);
    opens("server IN '3f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6'", 0, 0);
}

#[test]
fn sql_passes_over_the_same_objects() {
    for (condition, opened) in [
        ("event_time >= '2026-11-23T01:00:00Z'", 4),
        ("event_time BETWEEN '2026-11-23T01:00:00Z' AND '2026-11-23T01:59:59Z'", 2),
        ("host.id = '1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6'", 3),
        ("'2026-11-23T01:00:00Z' > event_time", 2),
        ("NOT (event_time >= '2026-11-23T01:00:00Z')", 2),
        ("date_part('hour', event_time) < 1", 2),
        ("extract(hour FROM event_time) BETWEEN 1 AND 2", 4),
        ("date_part('hour', event_time) IN (0, 2) AND self.name <> 'x'", 4),
        ("event_time >= '2026-11-23T02:00:00Z' OR self.name = 'h0'", 6),
    ] {
        let engine = bucket().engine_of_kept();
        let sql = format!("SELECT count(*) FROM events WHERE {condition}");
        rows(&engine.0, &sql).unwrap();
        assert_eq!(engine.0.report().opened, opened, "{condition}");
    }
}

/// The columns of views are fields under other names.
#[test]
fn a_condition_on_a_view_passes_over_objects_too() {
    let one = "host_id = '1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6'";
    for (sql, opened) in [
        (format!("SELECT cmd_root FROM commands WHERE {one}"), 3),
        (
            format!(
                "SELECT count(*) FROM commands AS c WHERE {one} AND c.time < '2026-11-23T01:00:00Z'"
            ),
            1,
        ),
        (
            format!(
                "WITH mine AS (SELECT host_id AS h, * FROM commands) SELECT h FROM mine WHERE {one} AND h <> 'x'"
            ),
            3,
        ),
        (format!("SELECT a.cmd FROM commands a JOIN commands b USING (process) WHERE a.{one}"), 9),
        ("SELECT cmd FROM commands WHERE host_id IN (SELECT max(host_id) FROM hosts)".into(), 12),
        ("SELECT cmd FROM commands WHERE host_id = cmd OR random() < 2".into(), 6),
    ] {
        let engine = bucket().engine_of_kept();
        rows(&engine.0, &sql).unwrap();
        assert_eq!(engine.0.report().opened, opened, "{sql}");
    }
}

impl Shelf {
    /// An engine, and the folder that has to stay as long.
    fn engine_of_kept(self) -> (forebear_engine::Engine, Self) {
        (self.engine(), self)
    }
}

#[test]
fn a_word_is_a_file_a_folder_a_part_of_a_bucket_or_a_pattern() {
    let shelf = bucket();
    let all = compile("event_type = 'EXEC'");
    let found =
        |word: &str| lines(&over(&format!("{}/{word}", shelf.path().display())), &all).len();
    assert_eq!(found(""), 12);
    assert_eq!(found("events-v1"), 12);
    assert_eq!(found("events-v1/date=2026-11-23/hour=01"), 4);
    assert_eq!(found("events-v1/date=*/hour=0[12]/*"), 8);
    assert_eq!(found(&format!("events-v1/*/host={}/x.ndjson", HOSTS[0])), 6);
    let url = format!("file://{}/events-v1", shelf.path().display());
    assert_eq!(lines(&over(&url), &all).len(), 12);
}

#[test]
fn a_place_that_is_not_there_is_an_error() {
    let engine = over("/nowhere/at/all");
    let question = Question { ask: Ask::Lines, within: None, limit: None };
    let error = run(async { engine.ask(&question).await.err().unwrap() });
    assert_eq!(error.kind(), Kind::Place, "{error}");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    let open = |word| Place::open(word, &Reach::default(), &Environment::default());
    for wrong in ["", "ftp://x/y", "s3://", "a[b"] {
        assert!(open(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_pieces_of_a_large_file_are_the_file() {
    let shelf = Shelf::new();
    // Lines of many lengths, so that pieces end anywhere in them; more than three pieces.
    let mut text = String::new();
    let mut expected = Vec::new();
    for seq in 0..60_000 {
        let line = format!(
            "{{\"event_type\":\"EXEC\",\"seq\":{seq},\"x\":\"{}\"}}",
            "y".repeat(seq * 7919 % 1801)
        );
        text += &line;
        text.push('\n');
        if seq % 10 == 3 {
            expected.push(line);
        }
    }
    shelf.put("a.ndjson", &text);
    let (found, report) = shelf.lines("seq = 3 or not (seq != 3)");
    assert_eq!(found.len(), 1);
    assert_eq!((report.lines, report.opened), (60_000, 1), "{report}");
    assert!(report.done > 3, "{report}");
    assert_eq!(report.plain_bytes, text.len() as u64);
    let engine = shelf.engine();
    let counted =
        rows(&engine, "SELECT count(*), sum(seq), count(DISTINCT seq) FROM events").unwrap();
    assert_eq!(counted, ["60000|1799970000|60000"]);
    let (all, _) = shelf.lines("event_type = 'EXEC'");
    assert!(all.iter().map(String::as_str).eq(text.lines()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_an_answer_is_passed_over(
        from in -1_i64..4, to in -1_i64..4, second in 0_i64..3600,
        host in proptest::option::of(0_usize..2), is_or in any::<bool>(), is_not in any::<bool>(),
    ) {
        let shelf = bucket();
        let time = |hour: i64| {
            jiff::Timestamp::from_second(1_795_392_000 + hour * 3600 + second).unwrap()
        };
        let (word, not) = (if is_or { "or" } else { "and" }, if is_not { "not" } else { "" });
        let host = host.map_or_else(String::new, |host| format!(" and server = '{}'", HOSTS[host]));
        let text = format!(
            "{not} (cmd_date >= '{}' {word} cmd_date < '{}'){host}", time(from), time(to)
        );
        let query: Query = compile(&text);
        let expected: Vec<String> = (0..3)
            .flat_map(|hour| HOSTS.map(|host| [event(hour, 0, host), event(hour, 3599, host)]))
            .flatten()
            .filter(|line| query.of_line(line.as_bytes()).unwrap().is_true())
            .collect();
        let engine = shelf.engine();
        prop_assert_eq!(lines(&engine, &query), expected.clone(), "{}", text);
        let sql = format!(
            "SELECT line FROM events WHERE {} ORDER BY event_time, host.id",
            forebear_engine::sql::condition(&query)
        );
        prop_assert_eq!(rows(&shelf.engine(), &sql).unwrap().len(), expected.len(), "{}", sql);
    }
}
