//! Small data sets, and their lines read with eyes of their own.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test has its part; it fails where it stops"
)]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use forebear_archive::Compression;
use forebear_fleet::{Plan, generate};
use tempfile::TempDir;

/// A data set of one day in a folder of its own.
pub(crate) fn dataset(
    seed: u64,
    hosts: usize,
    events: u64,
    compression: Compression,
    threads: usize,
) -> TempDir {
    planned(&Plan { seed, hosts, events, hours: 24, compression, max_age: 3600 }, threads)
}

/// A data set in a folder of its own.
pub(crate) fn planned(plan: &Plan, threads: usize) -> TempDir {
    let folder = TempDir::with_prefix("forebear-fleet-").unwrap();
    let written = generate(plan, folder.path(), threads).unwrap();
    assert_eq!(written.events, plan.events);
    folder
}

/// Every file below a folder, with its bytes.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(folder, "", &mut found);
    found
}

fn collect(folder: &Path, above: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{above}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Every line of every object, in the order of the numbers of each host.
pub(crate) fn lines(folder: &Path) -> Vec<String> {
    let texts = objects(folder);
    texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
}

/// The text of every object, in that order.
pub(crate) fn objects(folder: &Path) -> Vec<String> {
    let mut objects: Vec<(String, u64, String)> = Vec::new();
    for (name, bytes) in files(folder) {
        let Some(name) = name.strip_prefix("events-v1/") else { continue };
        let text = match name.rsplit('.').next().unwrap() {
            "zst" => decoded(zstd::Decoder::new(&*bytes).unwrap()),
            "gz" => decoded(flate2::read::GzDecoder::new(&*bytes)),
            _ => String::from_utf8(bytes).unwrap(),
        };
        // date=/hour=/host=/<boot>-<run>-<first>-<last>
        let (partition, file) = name.rsplit_once('/').unwrap();
        let host = partition.rsplit('/').next().unwrap().to_owned();
        let first = file.split('-').nth(10).and_then(|first| first.parse().ok()).unwrap_or(0);
        objects.push((host + file.get(..73).unwrap_or_default(), first, text));
    }
    objects.sort();
    objects.into_iter().map(|(_, _, text)| text).collect()
}

fn decoded(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}
