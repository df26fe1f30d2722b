//! Reading sealed segments of 8 MiB from the page cache, checksums included; a damaged one, in
//! which the reader has to search; and opening a spool with ten thousand segments.
#![allow(missing_docs, reason = "a benchmark has no readers of its interface")]
#![allow(clippy::expect_used, reason = "a benchmark may stop")]

use divan::counter::{BytesCount, ItemsCount};
use forebear_spool::{Item, Options, SegmentId, Spool};

/// The size of a common event in bytes.
const RECORD: usize = 3500;
const RECORDS: usize = 2400;
const SEGMENTS: u64 = 8;
const MANY: usize = 10_000;

fn main() {
    divan::main();
}

fn read(spool: &Spool, id: SegmentId) -> usize {
    let mut reader = spool.read(id).expect("the segment is there");
    let mut bytes = 0;
    while let Some(item) = reader.next() {
        if let Item::Record(record) = item {
            bytes += divan::black_box(record).len();
        }
    }
    bytes
}

#[divan::bench(sample_count = 20)]
fn whole(bencher: divan::Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut writer, spool, _) =
        Spool::open(dir.path(), &Options::default(), &["waiting"]).expect("the spool opens");
    let record: Vec<u8> = (b'!'..=b'~').cycle().take(RECORD).collect();
    for _ in 0..SEGMENTS {
        (0..RECORDS).for_each(|_| writer.append(&record));
        writer.seal();
    }
    let total = RECORD * RECORDS * 8;
    bencher.counter(BytesCount::new(total)).bench_local(|| {
        let read: usize = (1..=SEGMENTS).map(|id| read(&spool, SegmentId(id))).sum();
        assert_eq!(read, total);
    });
}

/// The worst that a segment can be for the search: eight megabytes of text and not one head.
#[divan::bench(sample_count = 10)]
fn nothing_but_damage(bencher: divan::Bencher<'_, '_>) {
    let text: Vec<u8> = (b'!'..=b'~').cycle().take(8 * 1024 * 1024).collect();
    bencher.counter(BytesCount::new(text.len())).bench_local(|| {
        forebear_spool::decode_segment(SegmentId(1), &text, &mut |item| {
            divan::black_box(item);
        });
    });
}

/// As above, with zeros: every offset has a length that could be one.
#[divan::bench(sample_count = 10)]
fn nothing_but_zeros(bencher: divan::Bencher<'_, '_>) {
    let zeros = vec![0; 8 * 1024 * 1024];
    bencher.counter(BytesCount::new(zeros.len())).bench_local(|| {
        forebear_spool::decode_segment(SegmentId(1), &zeros, &mut |item| {
            divan::black_box(item);
        });
    });
}

/// A start after a week offline at one small segment a minute.
#[divan::bench(sample_count = 5)]
fn open_many(bencher: divan::Bencher<'_, '_>) {
    let dir = tempfile::tempdir().expect("a folder");
    let open =
        || Spool::open(dir.path(), &Options::default(), &["waiting"]).expect("the spool opens");
    let (mut writer, spool, _) = open();
    for _ in 0..MANY {
        writer.append(b"a record");
        writer.seal();
    }
    spool.sync().expect("the disk works");
    drop((writer, spool));
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
        let (_, _, recovery) = open();
        assert_eq!(recovery.segments, MANY as u64);
    });
}
