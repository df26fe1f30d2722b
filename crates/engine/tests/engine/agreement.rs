//! One query, four ways: the evaluator on a line, the engine asked in CQL of lines and of columns,
//! and the engine asked in the SQL that the query is printed as.

use forebear_engine::sql;
use forebear_query::{Moment, Query, Truth};
use proptest::prelude::*;
use proptest::sample::select;

use crate::reader::{NOW, files, read};
use crate::shelf::{Shelf, compile, lines, rows};

/// The same events as lines and as columns.
struct Both {
    lines: Shelf,
    columns: Shelf,
}

impl Both {
    fn of(events: &[String]) -> Self {
        let lines = Shelf::new();
        lines.put("events.ndjson", events.join("\n") + "\n");
        Self { columns: lines.as_columns(), lines }
    }
}

/// The lines that are the answer: by hand, by CQL, by SQL. Columns say the same.
fn all_ways(shelf: &Both, query: &Query, events: &[String]) -> [Vec<String>; 3] {
    let truths =
        events.iter().filter(|line| query.of_line(line.as_bytes()).unwrap() == Truth::True);
    let by_hand: Vec<String> = truths.cloned().collect();
    let by_cql = lines(&shelf.lines.engine(), query);
    let text = format!("SELECT line FROM events WHERE {}", sql::condition(query));
    let by_sql =
        rows(&shelf.lines.engine(), &text).unwrap_or_else(|error| panic!("{text}: {error}"));
    // Of columns CQL is answered by the conditions that it is printed as.
    let by_columns = lines(&shelf.columns.engine(), query);
    assert_eq!(by_columns, by_hand, "of columns: {text}");
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    // CQL's answers are in the order of the file; SQL promises none.
    assert_eq!(by_cql, by_hand);
    [sorted(by_hand), sorted(by_cql), sorted(by_sql)]
}

#[test]
fn every_case_of_the_language_is_answered_alike() {
    for (name, text) in files() {
        let file = read(&name, &text);
        // A line of its own each; the samples are written over several.
        let events: Vec<String> = file
            .events
            .iter()
            .map(|(_, json)| json.lines().map(str::trim).collect::<Vec<_>>().join(" "))
            .collect();
        let shelf = Both::of(&events);
        for case in &file.cases {
            let place = format!("{name}:{}: {}", case.line, case.query);
            let moment = Moment { now: NOW.parse().unwrap(), zone: case.zone.clone() };
            let query = Query::with_macros(&case.query, moment, &file.macros).unwrap();
            let [by_hand, by_cql, by_sql] = all_ways(&shelf, &query, &events);
            assert_eq!(by_cql, by_hand, "{place}");
            assert_eq!(by_sql, by_hand, "{place}\n{}", sql::condition(&query));
        }
    }
}

#[test]
fn a_query_of_thousands_of_comparisons_is_answered() {
    let events: Vec<String> = (0..3)
        .map(|pid| format!("{{\"event_type\":\"EXEC\",\"self\":{{\"pid\":{pid}}}}}"))
        .collect();
    let shelf = Both::of(&events);
    let many: Vec<String> = (1..2000).map(|pid| format!("cmd_pid = {pid}")).collect();
    let query = compile(&many.join(" or "));
    let [by_hand, by_cql, by_sql] = all_ways(&shelf, &query, &events);
    assert_eq!(by_hand.len(), 2);
    assert_eq!(by_cql, by_hand);
    assert_eq!(by_sql, by_hand);
}

/// Comparisons that random events hit.
fn comparison() -> impl Strategy<Value = String> {
    let all = || select(vec!["=", "!=", "<", ">", "<=", ">="]);
    let lists = || select(vec!["=", "!=", "IN", "NOT IN"]);
    let of = |property: &'static str| {
        move |(operator, value): (&str, &str)| format!("{property} {operator} '{value}'")
    };
    let times: &'static [&'static str] =
        &["yesterday", "2026-11-23 12:30", "1795392000", "last month"];
    prop_oneof![
        2 => (all(), select(times)).prop_map(of("cmd_date")),
        1 => (all(), select(&["8:00", "12", "0:30"][..])).prop_map(of("cmd_hour_of_day")),
        1 => (lists(), select(&["monday", "s*", "*"][..])).prop_map(of("cmd_day_of_week")),
        2 => (lists(), select(&["a", "b", "[!a]", "a*"][..])).prop_map(of("cmd_root")),
        1 => (lists(), select(&["a", "?", "*b"][..])).prop_map(of("cmd_roles")),
        2 => (lists(), select(&["a", "b"][..])).prop_map(of("cmd_parent_cmd_root")),
        1 => (lists(), select(&["a b", "*b"][..])).prop_map(of("cmd_parent_cmd")),
        1 => (lists(), select(&["a*", "* b"][..])).prop_map(of("cmd")),
        1 => (select(vec!["=", "!="]), select(&["b", ""][..])).prop_map(of("cmd_parameters")),
        1 => (lists(), select(&["internal", "external"][..])).prop_map(of("session_ip_type")),
        1 => (select(vec!["=", "!="]), select(&["true", "false"][..])).prop_map(of("cmd_is_builtin")),
        1 => (all(), select(&["1", "2"][..])).prop_map(of("cmd_pid")),
        1 => (lists(), select(&["x", "it''s", "*"][..])).prop_map(of("server_label_a.b")),
    ]
}

fn query() -> impl Strategy<Value = String> {
    comparison().prop_recursive(3, 12, 3, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            some().prop_map(|members| format!("({})", members.join(" and "))),
            some().prop_map(|members| format!("({})", members.join(" or "))),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

fn event() -> impl Strategy<Value = String> {
    let name = || proptest::option::of(select(&["a", "b", "ab"][..]));
    let words =
        || proptest::option::of(proptest::collection::vec(select(&["a", "b", ""][..]), 0..3));
    let time = proptest::option::of(0_i64..400_000);
    let kind = select(&["EXEC", "BUILTIN", "BACKFILL", "AGENT"][..]);
    let address = proptest::option::of(select(&["10.0.0.1", "::1", "203.0.113.7", "nowhere"][..]));
    let label = proptest::option::of(select(&["x", "it's"][..]));
    let missing = select(&["", "parent", "last_user_entered"][..]);
    (
        (kind, time, address, label, missing),
        (name(), name(), name(), name()),
        (words(), words(), words(), words()),
        proptest::option::of(0_i64..3),
    )
        .prop_map(|((kind, time, address, label, missing), names, lists, pid)| {
            let mut value = serde_json::json!({ "event_type": kind });
            if let Some(time) = time {
                let ns = (1_795_200_000 + i128::from(time)) * 1_000_000_000;
                let time = jiff::Timestamp::from_nanosecond(ns).unwrap();
                value["event_time"] = time.to_string().into();
            }
            let mut put = |role: &str, field: &str, found: Option<serde_json::Value>| {
                if let Some(found) = found {
                    value[role][field] = found;
                }
            };
            put("self", "name", names.0.map(Into::into));
            put("parent", "name", names.1.map(Into::into));
            put("last_user_entered", "name", names.2.map(Into::into));
            put("builtin", "name", names.3.map(Into::into));
            put("self", "argv", lists.0.map(Into::into));
            put("parent", "argv", lists.1.map(Into::into));
            put("builtin", "argv", lists.2.map(Into::into));
            put("self", "pid", pid.map(Into::into));
            if let Some(roles) = lists.3 {
                value["cmd_roles"] = roles.into();
            }
            if let Some(address) = address {
                value["inception_session"] = serde_json::json!({"source": {"ip": address}});
            }
            if let Some(label) = label {
                value["host"] = serde_json::json!({"labels": {"a.b": label}});
            }
            if !missing.is_empty() && value.get(missing).is_none() {
                value["missing"] = serde_json::json!({ missing: "sensor_lost_events" });
            }
            value.to_string()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn random_queries_are_answered_alike_on_random_events(
        queries in proptest::collection::vec(query(), 4),
        events in proptest::collection::vec(event(), 1..24),
    ) {
        let shelf = Both::of(&events);
        for text in queries {
            let query = compile(&text);
            let [by_hand, by_cql, by_sql] = all_ways(&shelf, &query, &events);
            prop_assert_eq!(&by_cql, &by_hand, "{}", text);
            prop_assert_eq!(&by_sql, &by_hand, "{}\n{}", text, sql::condition(&query));
        }
    }
}
