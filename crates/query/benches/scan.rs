//! What a query costs per event: full EXEC events with all five processes but one.
//!
//! `cargo bench -p forebear-query`. The length of a line is told on standard error.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use forebear_events::{ndjson, samples};
use forebear_query::{Moment, Query};

const QUERIES: &[(&str, &str)] = &[
    ("one field", "cmd_root = 'wget'"),
    ("a pattern", "cmd = '*password=*'"),
    ("who and what", "session_user = 'alice' and cmd_root IN 'wget,curl'"),
    ("dual-valued", "cmd_parent_cmd_root = 'make'"),
    (
        "a dozen",
        "session_kind = 'external' and cmd_user_typed = 'true' and self.tty.major = 136 \
         and cmd_hour_of_day >= '0' and cmd_day_of_week NOT IN 'saturday,sunday' \
         and session_ip_type = 'internal' and server_hostname = 'web-*' \
         and cmd_parent_cmd_root NOT IN 'cron' and cmd_working_directory = '/home/*' \
         and cmd_exec_user != 'root' and cmd_parameters != '*secret*' and event_type = 'EXEC'",
    ),
];

fn main() {
    #[expect(clippy::print_stderr, reason = "it belongs to the figures")]
    {
        eprintln!("bytes per line: {}", line().len());
    }
    divan::main();
}

/// The event of somebody's `ls`.
fn line() -> Vec<u8> {
    let (_, event) = samples::all().into_iter().find(|(name, _)| *name == "exec-ls").unwrap();
    ndjson::line(&event).into_bytes()
}

fn moment() -> Moment {
    Moment::utc(1_795_000_000_000_000_000)
}

#[divan::bench(args = QUERIES.iter().map(|(name, _)| *name))]
fn of_line(bencher: Bencher, name: &str) {
    let (_, text) = QUERIES.iter().find(|(known, _)| *known == name).unwrap();
    let query = Query::compile(text, moment()).unwrap();
    let line = line();
    bencher
        .counter(BytesCount::new(line.len()))
        .counter(ItemsCount::new(1_usize))
        .bench(|| query.of_line(black_box(&line)).unwrap());
}

#[divan::bench(args = QUERIES.iter().map(|(name, _)| *name))]
fn compile(bencher: Bencher, name: &str) {
    let (_, text) = QUERIES.iter().find(|(known, _)| *known == name).unwrap();
    bencher.bench(|| Query::compile(black_box(text), moment()).unwrap());
}
