//! The named questions over a made-up fleet: our tool, DuckDB, jq and grep, each in its turn.
//!
//! `cargo xtask bench query [EVENTS [FOLDER]]` makes the data sets below FOLDER unless they are there,
//! and prints tables for docs/benchmarks.md. A folder `parquet` there, as `forebear compact` makes
//! it of `zst`, is asked too.
//!
//! Every ask is a process of its own, so its peak memory is its own; who is asked changes after each,
//! so a slow spell of the machine falls on all. Before a folder is asked all of it is read, so the
//! page cache is warm where memory suffices.

mod asker;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use serde_json::Value;

use self::asker::{Answer, Asker};
use self::table::Table;
use super::machine;
use crate::command::{read, run_openly};
use crate::workspace::{self, cargo};

/// The figure of an asker is the median of so many.
const ROUNDS: usize = 3;

/// Events of the full data set, of as many hosts as [`HOSTS`].
const EVENTS: u64 = 10_000_000;

/// Hosts of the full data set; a smaller one has fewer.
const HOSTS: u64 = 1000;

/// The data set that is not compressed has so many times fewer events: ten million are 38 GB.
const PLAIN_PART: u64 = 8;

/// What one event of the data set takes at least, for what a smaller one needs of hosts.
const EVENTS_OF_A_HOST: u64 = 1000;

/// Runs it; the arguments are those behind `query`.
pub(super) fn run(arguments: &[&str]) -> Result<()> {
    let (events, folder) = match arguments {
        [] => (EVENTS, None),
        [events] => (number(events)?, None),
        [events, folder] => (number(events)?, Some(PathBuf::from(folder))),
        _ => bail!("too many arguments; say: cargo xtask bench query [EVENTS [FOLDER]]"),
    };
    let folder = match folder {
        Some(folder) => folder,
        None => workspace::built("release")?.with_file_name("bench-fleet"),
    };
    let tool = tool()?;
    let sets = [("plain", "none", events / PLAIN_PART), ("zst", "zstd", events)];
    for (name, compression, events) in sets {
        make(&folder.join(name), compression, events)?;
    }
    println!("{}; medians of {ROUNDS}, all files read once before\n", machine::describe()?);
    for (name, events) in [("plain", events / PLAIN_PART), ("zst", events), ("parquet", events)] {
        let data = folder.join(name);
        if data.exists() {
            println!("{}", measure(&tool, &folder, name, events)?);
        }
    }
    Ok(())
}

fn number(text: &str) -> Result<u64> {
    let number: u64 = text.parse().with_context(|| format!("`{text}` is no number of events"))?;
    let least = 10 * EVENTS_OF_A_HOST * PLAIN_PART / 4;
    ensure!(number >= least, "{number} events hold no story; at least {least} do");
    Ok(number)
}

/// The release build of the tool: that of FOREBEAR_TOOL, or a new one.
fn tool() -> Result<PathBuf> {
    if let Some(tool) = std::env::var_os("FOREBEAR_TOOL") {
        return Ok(tool.into());
    }
    run_openly(&mut cargo(&["build", "--locked", "--release", "--package", "forebear"]))?;
    Ok(workspace::built("release")?.join("forebear"))
}

/// Makes a data set, unless it is there.
fn make(folder: &Path, compression: &str, events: u64) -> Result<()> {
    if folder.exists() {
        return Ok(());
    }
    run_openly(&mut cargo(&["build", "--locked", "--release", "--package", "forebear-fleet"]))?;
    // One that was interrupted is not taken for a whole one.
    let unfinished = folder.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let hosts = (events / EVENTS_OF_A_HOST).clamp(10, HOSTS);
    let mut fleet = Command::new(workspace::built("release")?.join("fleet"));
    fleet.args(["--hosts", &hosts.to_string(), "--events", &events.to_string()]);
    fleet.args(["--compression", compression, "--threads", "2", "--out"]).arg(&unfinished);
    run_openly(&mut fleet)?;
    fs::rename(&unfinished, folder)?;
    Ok(())
}

/// The questions with what stands in their places, by name; each by the language.
fn questions(folder: &Path, name: &str) -> Result<BTreeMap<String, Value>> {
    // The columns of Parquet are asked what the lines that they were made of are.
    let source = folder.join(if name == "plain" { "plain" } else { "zst" });
    let mut prepare = Command::new("python3");
    prepare.arg("-B").arg(asker::runner("prepare")).arg(source).arg("all");
    serde_json::from_slice(&read(&mut prepare)?).context("reading the prepared questions")
}

/// Asks a folder everything, and gives the table.
fn measure(tool: &Path, folder: &Path, name: &str, events: u64) -> Result<String> {
    let data = folder.join(name);
    let askers = Asker::of(name == "parquet");
    let (objects, bytes) = warm(&data)?;
    let mut table = Table::new(&askers);
    for (question, asked) in questions(folder, name)? {
        let mut answers = vec![Vec::new(); askers.len()];
        for _ in 0..ROUNDS {
            for (asker, answers) in askers.iter().zip(&mut answers) {
                // Who was not done in time once is not asked again.
                if answers.last().is_some_and(Answer::is_late) {
                    continue;
                }
                let answer = asker.ask(tool, &data, &question, &asked);
                answers.extend(answer.with_context(|| format!("asking {asker} {question}"))?);
            }
        }
        eprintln!("{name}: {question}");
        table.add(&question, answers)?;
    }
    Ok(format!(
        "{name}: {events} events, {objects} objects, {:.1} GB\n\n{}",
        bytes as f64 / 1e9,
        table.text()
    ))
}

/// Reads every file below a folder once; how many objects with events there are, and their bytes.
fn warm(folder: &Path) -> Result<(u64, u64)> {
    let (mut objects, mut bytes) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|ending| ending != "json") {
                objects += 1;
                bytes += std::io::copy(&mut fs::File::open(&path)?, &mut std::io::sink())?;
            }
        }
    }
    Ok((objects, bytes))
}
