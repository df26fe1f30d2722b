//! Packing and reading back: bytes per second, and how small events become.
//!
//! `cargo bench -p forebear-archive --bench pack`. Read it against the aim of catching up with an
//! outage at 50,000 events a second.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops and tells")]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use forebear_archive::{Archive, Compression, Listed, Packed, Packer, ReadLimits, Selection};
use futures_util::TryStreamExt;

const EVENTS: u64 = 10_000;
const ALL: [Compression; 3] = [Compression::Zstd, Compression::Gzip, Compression::None];

/// Events as a busy host makes them: what differs from one to the next differs.
fn lines() -> Vec<Vec<u8>> {
    let samples = include_str!("../../../schema/history/v1/exec.ndjson");
    let samples: Vec<serde_json::Value> =
        samples.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut random = 1u128;
    let mut uuid = || {
        random = random.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
        uuid::Uuid::from_u128(random ^ random >> 64).to_string()
    };
    (0..EVENTS)
        .map(|index| {
            let mut line = samples[index as usize % samples.len()].clone();
            line["seq"] = (index + 1).into();
            line["agent"] = samples[0]["agent"].clone();
            line["host"] = samples[0]["host"].clone();
            line["boot_ns"] = (1_000_000_000 + index * 1_234_567).into();
            line["event_time"] = format!(
                "2026-11-18T12:00:{:02}.{:09}Z",
                index / 200 % 60,
                index * 4_999_999 % 1_000_000_000
            )
            .into();
            line["event_uuid"] = uuid().into();
            line["self"]["uuid"] = uuid().into();
            line["self"]["pid"] = (1000 + index % 30_000).into();
            line["self"]["argv"] = vec!["ls".to_owned(), format!("/srv/{index}")].into();
            serde_json::to_vec(&line).unwrap()
        })
        .collect()
}

fn pack(lines: &[Vec<u8>], compression: Compression) -> Packed {
    let mut packer = Packer::new(compression).unwrap();
    lines.iter().for_each(|line| packer.push(line).unwrap());
    packer.finish(None).unwrap()
}

#[divan::bench(args = ALL)]
fn packing(bencher: Bencher<'_, '_>, compression: Compression) {
    let lines = lines();
    let bytes: usize = lines.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .counter(ItemsCount::new(EVENTS))
        .bench_local(|| pack(&lines, compression));
}

#[divan::bench(args = ALL)]
fn reading(bencher: Bencher<'_, '_>, compression: Compression) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let packed = pack(&lines(), compression);
    let archive = Archive::memory("bench");
    let object = runtime.block_on(async {
        archive.put_batch(&packed).await.unwrap();
        let listed: Vec<Listed> = archive.list(&Selection::default()).try_collect().await.unwrap();
        let Some(Listed::Object(object)) = listed.into_iter().next() else { panic!("no object") };
        object
    });
    bencher
        .counter(BytesCount::new(packed.manifest().plain_bytes))
        .counter(ItemsCount::new(EVENTS))
        .bench_local(|| {
            runtime.block_on(async {
                let mut lines = archive.lines(&object, &ReadLimits::default()).await.unwrap();
                while lines.next().await.unwrap().is_some() {}
                lines.count()
            })
        });
}

fn main() {
    for compression in ALL {
        let packed = pack(&lines(), compression);
        println!(
            "{compression}: {} bytes an event, of {}",
            packed.body().len() as u64 / EVENTS,
            packed.manifest().plain_bytes / EVENTS
        );
    }
    divan::main();
}
