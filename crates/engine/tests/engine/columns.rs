//! Parquet files: what is broken or foreign costs nothing else, and groups of rows are left out.

use forebear_engine::Damage;

use crate::shelf::{Shelf, parquet, rows};

fn event(seq: u64, name: &str, user: Option<&str>) -> String {
    let time = jiff::Timestamp::from_second(1_795_392_000 + i64::try_from(seq).unwrap()).unwrap();
    let user = user.map_or_else(String::new, |user| format!(",\"cmd_user\":\"{user}\""));
    format!(
        "{{\"schema_version\":\"1.0\",\"event_type\":\"EXEC\",\"event_time\":\"{time}\",\
         \"event_uuid\":\"{seq}\",\"seq\":{seq}{user},\"self\":{{\"name\":\"{name}\"}},\"new\":{seq}}}"
    )
}

/// Three groups of rows.
fn file() -> Vec<u8> {
    let shelf = Shelf::new();
    let each = (0..150_000).map(|seq| match seq {
        100_000 => event(seq, "curl", Some("ada@example.com")),
        _ => event(seq, if seq % 2 == 0 { "ls" } else { "vi" }, None),
    });
    let lines: Vec<String> = each.collect();
    shelf.put("events.ndjson", lines.join("\n") + "\n");
    parquet(&shelf.engine())
}

#[test]
fn groups_in_which_nothing_can_pass_are_not_read() {
    let shelf = Shelf::new();
    shelf.put("events.parquet", file());
    for (query, found, read) in [
        ("cmd_root = 'vi'", 75_000, 150_000),
        // By Bloom filters: `curl` lies between the others, and `zsh` behind them.
        ("cmd_root = 'curl'", 1, 65_536),
        ("cmd_root IN 'curl,zsh'", 1, 65_536),
        ("cmd_root = 'man'", 0, 0),
        ("cmd_user = 'ada@example.com'", 1, 65_536),
        ("cmd_root = 'curl' and seq < '5'", 0, 0),
        ("seq >= '149999'", 1, 150_000 - 2 * 65_536),
        ("cmd_date < '2026-11-23T00:00:10Z'", 10, 65_536),
        ("cmd_root = 'c*'", 1, 150_000),
        ("cmd_root != 'ls' and cmd_root != 'vi'", 1, 150_000),
        ("cmd_root = 'curl' or seq = '0'", 2, 2 * 65_536),
    ] {
        let (lines, report) = shelf.lines(query);
        assert_eq!((lines.len(), report.lines), (found, read), "{query}");
        assert_eq!(report.matched, found as u64, "{query}");
    }
}

#[test]
fn what_is_asked_of_columns_alone_is_answered_too() {
    let shelf = Shelf::new();
    shelf.put("events.parquet", file());
    let ask = |sql: &str| rows(&shelf.engine(), sql).unwrap();
    assert_eq!(ask("SELECT count(*) FROM events"), ["150000"]);
    assert_eq!(
        ask("SELECT self.name, count(*) FROM events GROUP BY 1 ORDER BY 1"),
        ["curl|1", "ls|74999", "vi|75000"]
    );
    assert_eq!(ask("SELECT json(line, 'new') FROM events WHERE cmd_user IS NOT NULL"), ["100000"]);
    let wrong = rows(&shelf.engine(), "SELECT seq FROM events WHERE glob(self.name, '[')");
    assert!(wrong.unwrap_err().contains("not well formed"), "a wrong condition is no damage");
}

#[test]
fn a_broken_file_costs_itself_only() {
    let whole = file();
    let event = event(1, "ls", None);
    let put = |name: &str, bytes: &[u8]| {
        let shelf = Shelf::new();
        shelf.put(name, bytes).put("good.ndjson", format!("{event}\n"));
        let (lines, report) = shelf.lines("seq = '1'");
        assert_eq!(lines, std::slice::from_ref(&event), "{report:?}");
        assert_eq!(report.damage.len(), 1, "{report:?}");
        report.damage[0].0
    };
    assert_eq!(put("a.parquet", &whole[..whole.len() / 2]), Damage::BrokenObject);
    assert_eq!(put("a.parquet", b""), Damage::BrokenObject);
    assert_eq!(put("a.parquet", b"PAR1 and nothing else PAR1"), Damage::BrokenObject);
    let mut torn = whole.clone();
    torn[4..2_000_000].fill(0xff);
    assert_eq!(put("a.parquet", &torn), Damage::BrokenObject);
}

#[test]
fn somebody_elses_columns_are_no_events() {
    use forebear_engine::arrow::array::{ArrayRef, Int64Array, RecordBatch};
    let column: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![1]));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let mut writer = forebear_engine::parquet::Writer::new(batch.schema(), Vec::new()).unwrap();
    writer.write(&batch).unwrap();
    let shelf = Shelf::new();
    shelf.put("foreign.parquet", writer.finish().unwrap());
    let (lines, report) = shelf.lines("event_type = '*'");
    assert!(lines.is_empty());
    assert_eq!((report.foreign, report.damage.len()), (1, 0), "{report:?}");
}
