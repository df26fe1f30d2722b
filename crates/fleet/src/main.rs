//! `fleet`: makes the data set of the benchmarks.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;
use forebear_archive::Compression;
use forebear_fleet::{Plan, generate};

/// Makes up what a fleet of hosts has recorded: a folder as the service writes it to a bucket.
#[derive(Debug, Parser)]
#[command(after_help = "\
Example: cargo run --release -p forebear-fleet -- --hosts 1000 --events 10000000 --out /tmp/fleet")]
struct Args {
    /// How many hosts.
    #[arg(long, default_value_t = 1000)]
    hosts: usize,
    /// How many events, exactly.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Over how many days, from 2026-11-16 on.
    #[arg(long, default_value_t = 1)]
    days: u64,
    /// How objects are compressed: zstd, gzip or none.
    #[arg(long, default_value_t = Compression::Zstd)]
    compression: Compression,
    /// How long a batch is open at most, in seconds of the recording.
    #[arg(long, default_value_t = 3600)]
    max_age: u64,
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// A folder that does not exist or is empty.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<()> {
    let Args { hosts, events, days, compression, max_age, seed, threads, out } = Args::parse();
    let begun = Instant::now();
    let hours = days * 24;
    let plan = Plan { seed, hosts, events, hours, compression, max_age };
    let written = generate(&plan, &out, threads)?;
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{} events in {} objects, {} MB of lines, {} MB stored; {seconds:.1} s, {:.0} events a second",
        written.events,
        written.objects,
        written.plain_bytes / 1_000_000,
        written.stored_bytes / 1_000_000,
        written.events as f64 / seconds,
    )?;
    Ok(())
}
