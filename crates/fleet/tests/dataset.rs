//! What every data set has to be: the same each time, whole, valid, consistent, skewed.

#![allow(clippy::unwrap_used, reason = "a test fails where it stops")]

#[path = "support/small.rs"]
mod small;
#[path = "../../events/tests/support/validator.rs"]
mod validator;

use std::collections::{BTreeMap, BTreeSet};

use forebear_archive::{
    Access, Archive, Compression, Destination, Environment, Selection, VerifyOptions,
};
use serde_json::Value;

use small::{dataset, files, lines};

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
    let [one, same] = [1, 2].map(|threads| dataset(7, 20, 4_000, Compression::Zstd, threads));
    assert_eq!(files(one.path()), files(same.path()));
    let other = dataset(8, 20, 4_000, Compression::Zstd, 1);
    assert_ne!(files(one.path()), files(other.path()));
}

#[test]
fn every_compression_holds_the_same_lines() {
    let all = [Compression::Zstd, Compression::Gzip, Compression::None];
    let [zstd, gzip, none] = all.map(|compression| dataset(7, 5, 1_500, compression, 1));
    assert_eq!(lines(zstd.path()), lines(none.path()));
    assert_eq!(lines(gzip.path()), lines(none.path()));
}

#[tokio::test]
async fn a_data_set_is_verified_without_a_finding() {
    let folder = dataset(1, 30, 20_000, Compression::Zstd, 1);
    let destination = Destination::of_source(folder.path().to_str().unwrap());
    let archive = Archive::open(&destination, &Environment::of_process(), Access::Read).unwrap();
    let report = archive
        .verify(&Selection::default(), &VerifyOptions::default(), &mut |_| {})
        .await
        .unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.events, 20_000);
}

#[test]
fn every_line_is_an_event_as_its_types_write_it() {
    let folder = dataset(1, 30, 20_000, Compression::Zstd, 1);
    for line in lines(folder.path()) {
        let event = forebear_events::ndjson::read(line.as_bytes()).unwrap().unwrap();
        assert_eq!(forebear_events::ndjson::line(&event).trim_end(), line);
    }
}

#[test]
fn every_line_is_valid_by_the_committed_schema() {
    let schema = include_str!("../../../schema/event.v1.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let folder = dataset(2, 10, 3_000, Compression::Zstd, 1);
    for line in lines(folder.path()) {
        let errors = validator::errors(&schema, &serde_json::from_str(&line).unwrap());
        assert!(errors.is_empty(), "{errors:#?}\n{line}");
    }
}

#[test]
fn trees_are_consistent() {
    let folder = dataset(3, 30, 20_000, Compression::Zstd, 1);
    let mut seqs: BTreeMap<String, u64> = BTreeMap::new();
    // A process, by its uuid: pid and start never change.
    let mut known: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for line in lines(folder.path()) {
        let event: Value = serde_json::from_str(&line).unwrap();
        let run = event["agent"]["run_uuid"].to_string();
        let before = seqs.entry(run).or_default();
        assert_eq!(event["seq"].as_u64().unwrap(), *before + 1, "{line}");
        *before += 1;
        let roles = ["self", "parent", "session_leader", "inception_session", "last_user_entered"];
        for role in roles.map(|role| &event[role]).into_iter().filter(|role| !role.is_null()) {
            let facts = (role["pid"].as_u64().unwrap(), role["start_time"].to_string());
            let uuid = role["uuid"].to_string();
            assert_eq!(known.entry(uuid).or_insert(facts.clone()), &facts, "{line}");
        }
        if event["event_type"] == "EXEC" {
            assert!(event["missing"].is_null(), "{line}");
            assert_eq!(event["self"]["ppid"], event["parent"]["pid"], "{line}");
            assert_eq!(event["self"]["parent_uuid"], event["parent"]["uuid"], "{line}");
            assert!(event["parent"]["start_time"].as_str() <= event["self"]["start_time"].as_str());
        }
    }
    assert_eq!(seqs.len(), 30);
}

#[test]
fn a_fleet_is_as_skewed_as_real_ones() {
    let folder = dataset(1, 30, 20_000, Compression::Zstd, 1);
    let (mut hosts, mut programs, mut kinds) = (Counts::new(), Counts::new(), Counts::new());
    let (mut persons, mut typed, mut bytes) = (BTreeSet::new(), 0, 0);
    let lines = lines(folder.path());
    for line in &lines {
        let event: Value = serde_json::from_str(line).unwrap();
        *hosts.entry(event["host"]["name"].to_string()).or_default() += 1;
        *programs.entry(event["self"]["name"].to_string()).or_default() += 1;
        *kinds.entry(event["event_type"].to_string()).or_default() += 1;
        persons.extend(event["cmd_user"].as_str().map(str::to_owned));
        typed += usize::from(event["self"]["user_entered"] == true);
        bytes += line.len();
    }
    let top = |counts: &Counts| {
        let mut sorted: Vec<usize> = counts.values().copied().collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        sorted
    };
    let (hosts, names) = (top(&hosts), top(&programs));
    assert_eq!(hosts.len(), 30);
    assert!(hosts[0] > 5 * hosts[10], "{hosts:?}");
    assert!(names.len() > 80 && names[0] > 50 * names[60], "{names:?}");
    assert!(persons.len() > 5, "{persons:?}");
    assert!((1_000..6_000).contains(&typed), "{typed}");
    assert!((2_000..5_000).contains(&(bytes / lines.len())), "{}", bytes / lines.len());
    assert!(kinds["\"EXEC\""] > 17_000, "{kinds:?}");
    for kind in ["BUILTIN", "BACKFILL", "AGENT", "VERIFY"] {
        assert!(kinds[&format!("\"{kind}\"")] > 20, "{kind}: {kinds:?}");
    }
}

type Counts = BTreeMap<String, usize>;
