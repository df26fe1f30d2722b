//! Lines become rows, whatever is in them.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampNanosecondType};
use forebear_events::{ndjson, samples};
use proptest::prelude::*;

use super::*;
use crate::schema::schema;

fn of(lines: &[&str]) -> (RecordBatch, u64, Vec<bool>) {
    let mut rows = Rows::new(schema());
    let mut wrong = 0;
    let mut are_events = Vec::new();
    for line in lines {
        let read = rows.push(line);
        wrong += read.wrong;
        are_events.push(read.is_event);
    }
    (rows.finish().unwrap(), wrong, are_events)
}

fn field(batch: &RecordBatch, path: &[&str]) -> ArrayRef {
    let column = Arc::clone(batch.column_by_name(path[0]).unwrap());
    path[1..]
        .iter()
        .fold(column, |above, name| Arc::clone(above.as_struct().column_by_name(name).unwrap()))
}

#[test]
fn every_sample_becomes_a_row_without_a_loss() {
    let lines: Vec<String> =
        samples::all().iter().map(|(_, event)| ndjson::line(event).trim_end().to_owned()).collect();
    let (batch, wrong, are_events) = of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(wrong, 0);
    assert!(are_events.iter().all(|is_event| *is_event));
    for (row, (_, event)) in samples::all().iter().enumerate() {
        let times = field(&batch, &["event_time"]);
        let times = times.as_primitive::<TimestampNanosecondType>();
        assert_eq!(times.value(row), event.envelope().event_time.0);
        let kinds = field(&batch, &["event_type"]);
        assert_eq!(kinds.as_string::<i32>().value(row), event.event_type());
        let names = field(&batch, &["self", "name"]);
        let name = event.processes().and_then(|processes| processes.this.name.clone());
        let names = names.as_string::<i32>();
        let found = names.is_valid(row).then(|| names.value(row).to_owned());
        assert_eq!(found, name);
        assert_eq!(field(&batch, &["line"]).as_string::<i32>().value(row), lines[row]);
    }
}

#[test]
fn a_wrong_type_is_absent_and_counted() {
    let (batch, wrong, _) = of(&[
        r#"{"seq":"7","self":{"pid":1.5,"argv":["a",1,null,"b"],"user_entered":1},"parent":3}"#,
        r#"{"seq":8,"event_time":"yesterday","host":{"labels":{"a":1,"b":"x"}},"x":[{}]}"#,
    ]);
    // seq, pid, one item, user_entered, parent; the time, one label. Null is absent and not wrong.
    assert_eq!(wrong, 7);
    let seq = field(&batch, &["seq"]);
    assert!(seq.is_null(0));
    assert_eq!(seq.as_primitive::<Int64Type>().value(1), 8);
    let argv = field(&batch, &["self", "argv"]);
    let items = argv.as_list::<i32>().value(0);
    let items: Vec<Option<&str>> = items.as_string::<i32>().iter().collect();
    assert_eq!(items, [Some("a"), Some("b")]);
    assert!(field(&batch, &["parent"]).is_null(0));
    let labels = field(&batch, &["host", "labels"]);
    assert_eq!(labels.as_map().value(1).len(), 2);
}

#[test]
fn a_quick_moment_is_the_moment_of_the_careful_reader() {
    for text in ["2026-11-24T03:04:05.000000006Z", "1970-01-01T00:00:00.000000000Z"] {
        let careful: jiff::Timestamp = text.parse().unwrap();
        assert_eq!(quick_moment(text.as_bytes()).map(i128::from), Some(careful.as_nanosecond()));
    }
    for text in ["2026-02-30T00:00:00.000000000Z", "2026-11-24 03:04:05.000000006Z", "x"] {
        assert_eq!(quick_moment(text.as_bytes()), None, "{text}");
    }
    assert_eq!(moment("2026-02-30T00:00:00.000000000Z"), None);
    assert_eq!(moment("2026-01-31T00:00:00Z"), Some(1_769_817_600_000_000_000));
}

/// Any JSON, with keys that columns have.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-z\"\\\\]{0,4}".prop_map(Into::into),
    ];
    let keys = proptest::sample::select(vec![
        "self",
        "parent",
        "tty",
        "argv",
        "name",
        "host",
        "labels",
        "missing",
        "counters",
        "unknown",
        "seq",
        "major",
        "line",
        "x",
        "event_time",
        "user_entered",
        "exe_flags",
    ]);
    leaf.prop_recursive(5, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec((keys.clone(), inner), 0..6).prop_map(|entries| {
                let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
                serde_json::Value::Object(entries.collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_cut_off_anywhere_leaves_whole_columns(
        values in proptest::collection::vec((json(), any::<proptest::sample::Index>()), 1..8)
    ) {
        let lines: Vec<String> = values
            .iter()
            .map(|(value, cut)| {
                let text = value.to_string();
                let mut end = cut.index(2 * text.len() + 1).min(text.len());
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text[..end].to_owned()
            })
            .collect();
        let (batch, _, are_events) = of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(batch.num_rows(), lines.len());
        for (line, is_event) in lines.iter().zip(are_events) {
            let value = serde_json::from_str::<serde_json::Value>(line);
            prop_assert_eq!(is_event, value.is_ok_and(|value| value.is_object()), "{}", line);
        }
    }

    #[test]
    fn a_moment_that_was_written_is_read(ns in any::<i64>()) {
        prop_assert_eq!(moment(&Timestamp(ns).to_string()), Some(ns));
    }
}
