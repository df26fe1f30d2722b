//! What becomes batches, and when.

use std::path::Path;

use forebear_archive::Compression;
use forebear_spool::{Options, Spool};

use super::*;
use crate::config::Config;
use crate::service::packing;

const ID: &str = "00000000-0000-4000-8000-000000000001";

fn line(seq: u64, time: &str) -> Vec<u8> {
    format!(
        "{{\"event_type\":\"EXEC\",\"schema_version\":\"1.0\",\"event_uuid\":\"{ID}\",\
         \"event_time\":\"{time}\",\"seq\":{seq},\"agent\":{{\"run_uuid\":\"{ID}\"}},\
         \"host\":{{\"id\":\"{ID}\",\"boot_id\":\"{ID}\"}}}}\n"
    )
    .into_bytes()
}

fn stream(folder: &Path) -> (SpoolStream, Spool) {
    let text = "[[destination]]\nname = \"a\"\nurl = \"s3://bucket\"\n";
    let config = Config::parse(text).unwrap();
    let (writer, spool, _) = Spool::open(folder, &Options::default(), &["a"]).unwrap();
    let board = Arc::new(Board::new(
        Path::new("agent.toml"),
        &config,
        &crate::run::of_tests(),
        spool.clone(),
    ));
    (SpoolStream::new(writer, config.batch, board), spool)
}

#[test]
fn the_hour_of_a_line_changes_with_its_time_and_with_nothing_else() {
    let mut hours = HourOfLines::default();
    let first = hours.of(&line(1, "2026-11-24T05:59:59.000000000Z"));
    assert_eq!(first, hours.of(&line(2, "2026-11-24T05:59:59.999999999Z")));
    assert_eq!(first, hours.of(b"{\"event_type\":\"odd\"}\n"));
    let second = hours.of(&line(3, "2026-11-24T06:00:00.000000000Z"));
    assert_eq!(second.0 - first.0, 1_000_000_000);
}

/// The wall clock is set back over an hour's end and forward again: each stretch is an object of
/// its hour, no two have one name, and every line is in one of them.
#[test]
fn a_clock_that_is_set_back_doubles_no_name_and_loses_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let (mut stream, spool) = stream(folder.path());
    let times = ["06:10:00", "06:10:01", "05:40:00", "05:40:01", "06:10:00", "09:00:00"];
    for (index, time) in times.iter().enumerate() {
        *stream.buffer() = line(index as u64 + 1, &format!("2026-11-24T{time}.000000000Z"));
        stream.line_is_complete();
    }
    stream.push();
    stream.seal();
    let mut keys = vec![];
    while let Some(id) = spool.next_for("a") {
        let prepared = packing::pack(&spool, id, Compression::Zstd, None).unwrap();
        let manifest = prepared.packed.unwrap().manifest().clone();
        keys.push((manifest.first_seq, manifest.last_seq, manifest.object));
        spool.confirm("a", id, b"").unwrap();
    }
    let parts: Vec<_> = keys.iter().map(|(first, last, _)| (*first, *last)).collect();
    assert_eq!(parts, [(1, 2), (3, 4), (5, 5), (6, 6)]);
    for ((_, _, object), hour) in keys.iter().zip(["06", "05", "06", "09"]) {
        assert!(object.contains(&format!("date=2026-11-24/hour={hour}/")), "{object}");
    }
}
