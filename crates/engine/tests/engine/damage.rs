//! What is no event: counted, told, never fatal, never silent.

use std::io::Write as _;

use forebear_engine::{Damage, MAX_LINE, Report};

use crate::shelf::{Shelf, rows};

const EVENT: &str = "{\"event_type\":\"EXEC\",\"schema_version\":\"1.0\",\"seq\":1}";

fn counted(report: &Report) -> Vec<(Damage, u64)> {
    report.damage.iter().map(|(damage, count, _)| (*damage, *count)).collect()
}

/// What asking everything finds, by CQL and by SQL.
#[track_caller]
fn finds(shelf: &Shelf, events: usize, damage: &[(Damage, u64)]) -> Report {
    let (lines, report) = shelf.lines("event_type = '*'");
    assert_eq!(lines.len(), events, "{report:?}");
    assert_eq!(counted(&report), damage);
    for condition in ["", " WHERE glob(event_type, '*')"] {
        let engine = shelf.engine();
        let sql = format!("SELECT count(*) FROM events{condition}");
        assert_eq!(rows(&engine, &sql).unwrap(), [events.to_string()]);
        assert_eq!(counted(&engine.report()), damage, "{sql}");
    }
    report
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn lines_that_are_no_events_are_counted_with_their_places() {
    let shelf = Shelf::new();
    let text = format!("{EVENT}\nnonsense\n[1]\n\n{{\"a\":\n{EVENT}\n");
    shelf.put("a.ndjson", text);
    let report = finds(&shelf, 2, &[(Damage::NotAnEvent, 3)]);
    let place = &report.damage[0].2[0];
    assert!(place.ends_with(&format!("a.ndjson at byte {}", EVENT.len() + 1)), "{place}");
    assert!(report.warnings()[0].starts_with("3 lines are no events: "), "{report:?}");
}

#[test]
fn half_a_line_is_told_apart_from_a_whole_one_without_its_end() {
    let shelf = Shelf::new();
    shelf.put("half.ndjson", format!("{EVENT}\n{}", &EVENT[..20]));
    shelf.put("whole.ndjson", format!("{EVENT}\n{EVENT}"));
    finds(&shelf, 3, &[(Damage::HalfLine, 1)]);
}

#[test]
fn bytes_that_are_no_text_cost_their_line_only() {
    let shelf = Shelf::new();
    let mut bytes = format!("{EVENT}\n").into_bytes();
    bytes.extend(b"{\"self\":\"\xff\"}\n");
    bytes.extend(format!("{EVENT}\n").into_bytes());
    shelf.put("a.ndjson", bytes);
    finds(&shelf, 2, &[(Damage::NotText, 1)]);
}

#[test]
fn a_line_that_is_too_long_costs_that_line_only() {
    let shelf = Shelf::new();
    let long = "x".repeat(MAX_LINE * 3);
    shelf.put("a.ndjson", format!("{EVENT}\n{{\"x\":\"{long}\"}}\n{EVENT}\n"));
    finds(&shelf, 2, &[(Damage::TooLong, 1)]);
    let shelf = Shelf::new();
    shelf.put("a.ndjson.gz", gzip(&format!("{EVENT}\n{{\"x\":\"{long}\"}}\n{EVENT}\n")));
    finds(&shelf, 2, &[(Damage::TooLong, 1)]);
}

#[test]
fn a_long_line_within_the_bound_is_an_event() {
    let shelf = Shelf::new();
    let long = "x".repeat(20 << 20);
    shelf.put("a.ndjson", format!("{EVENT}\n{{\"event_type\":\"{long}\"}}\n{EVENT}\n"));
    finds(&shelf, 3, &[]);
}

#[test]
fn of_a_compressed_object_that_was_cut_off_what_is_whole_is_used() {
    let text = format!("{EVENT}\n").repeat(50_000);
    let packed = gzip(&text);
    let shelf = Shelf::new();
    shelf.put("a.ndjson.gz", &packed[..packed.len() / 2]);
    let (lines, report) = shelf.lines("event_type = 'EXEC'");
    assert!((1_000..50_000).contains(&lines.len()), "{}", lines.len());
    assert_eq!(counted(&report), [(Damage::BrokenObject, 1)]);
    let mut flipped = gzip(&text);
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let shelf = Shelf::new();
    shelf.put("a.ndjson.gz", flipped);
    let (_, report) = shelf.lines("event_type = 'EXEC'");
    assert!(counted(&report).contains(&(Damage::BrokenObject, 1)), "{report:?}");
}

#[test]
fn events_of_a_later_format_are_read_and_told() {
    let shelf = Shelf::new();
    shelf.put(
        "a.ndjson",
        "{\"event_type\":\"EXEC\",\"schema_version\":\"2.0\"}\n{\"event_type\":\"NEW\",\
         \"schema_version\":\"1.9\",\"more\":{}}\n",
    );
    finds(&shelf, 2, &[(Damage::Newer, 1)]);
}

#[test]
fn wrong_types_are_absent_and_told_where_they_are_read() {
    let shelf = Shelf::new();
    shelf.put("a.ndjson", "{\"event_type\":\"EXEC\",\"seq\":\"x\"}\n");
    let engine = shelf.engine();
    assert_eq!(rows(&engine, "SELECT seq FROM events").unwrap(), ["-"]);
    assert_eq!(counted(&engine.report()), [(Damage::WrongType, 1)]);
}

#[test]
fn what_holds_no_events_is_counted_and_named() {
    let shelf = Shelf::new();
    shelf.put("a.ndjson", format!("{EVENT}\n")).put("README.txt", "hello").put("b/c.bin", [0, 1]);
    shelf.put("empty.ndjson", "").put("odd.ndjson.zst", "neither");
    let report = finds(&shelf, 1, &[(Damage::HalfLine, 1)]);
    assert_eq!(report.foreign, 2);
    let warnings = report.warnings().join("\n");
    assert!(warnings.contains("2 files hold no events: "), "{warnings}");
}
