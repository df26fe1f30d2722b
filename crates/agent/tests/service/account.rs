//! The events at a destination, read back and accounted for.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use forebear_archive::verify::{FindingKind, VerifyOptions};
use forebear_archive::{Access, Archive, Destination, Environment, Listed, ReadLimits, Selection};
use forebear_testkit::bucket::{Gcs, S3};
use futures_util::TryStreamExt as _;
use serde_json::Value;

use crate::service::Variables;

/// What is at a destination.
pub(crate) struct Account {
    pub(crate) events: Vec<Value>,
    /// What `verify` finds.
    pub(crate) findings: Vec<(FindingKind, String)>,
}

/// Reads everything that is in a folder.
pub(crate) fn of_folder(path: &Path) -> Account {
    of(&Destination::of_source(path.to_str().unwrap()), vec![])
}

/// Reads everything that is in an S3 server's bucket.
pub(crate) fn of_s3(s3: &S3) -> Account {
    let mut destination = Destination::new("s3", format!("{}/some/prefix", s3.url()));
    destination.endpoint = Some(s3.endpoint());
    destination.allow_http = true;
    of(&destination, s3.environment().into_iter().collect())
}

/// Reads everything that is in a look-alike's bucket.
pub(crate) fn of_gcs(gcs: &Gcs) -> Account {
    let mut destination = Destination::new("gcs", format!("{}/some/prefix", gcs.url()));
    destination.endpoint = Some(gcs.endpoint());
    destination.allow_http = true;
    destination.anonymous = true;
    of(&destination, vec![])
}

/// Reads everything that is at a place.
pub(crate) fn of(destination: &Destination, variables: Variables) -> Account {
    let environment = Environment::from_iter(variables);
    let archive = Archive::open(destination, &environment, Access::Read).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut events = vec![];
        let mut listed = archive.list(&Selection::default());
        while let Some(item) = listed.try_next().await.unwrap() {
            let Listed::Object(object) = item else { panic!("{item:?}") };
            let mut lines = archive.lines(&object, &ReadLimits::default()).await.unwrap();
            while let Some(line) = lines.next().await.unwrap() {
                events.push(serde_json::from_slice(line).unwrap());
            }
        }
        let options = VerifyOptions::default();
        let report = archive.verify(&Selection::default(), &options, &mut |_| {}).await.unwrap();
        let findings = report.findings.iter().map(|finding| (finding.kind, finding.to_string()));
        Account { events, findings: findings.collect() }
    })
}

impl Account {
    /// The numbers of each run.
    pub(crate) fn numbers(&self) -> BTreeMap<String, BTreeSet<u64>> {
        let mut runs: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for event in &self.events {
            let run = event["agent"]["run_uuid"].as_str().unwrap().to_owned();
            runs.entry(run).or_default().insert(event["seq"].as_u64().unwrap());
        }
        runs
    }

    /// Events that are not there although a later one of their run is.
    pub(crate) fn missing(&self) -> u64 {
        let missing = |numbers: &BTreeSet<u64>| numbers.last().unwrap() - numbers.len() as u64;
        self.numbers().values().map(missing).sum()
    }

    /// Fails if an event is there twice.
    #[track_caller]
    pub(crate) fn assert_nothing_doubled(&self) {
        let ids: HashSet<&str> =
            self.events.iter().map(|event| event["event_uuid"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), self.events.len(), "events are doubled");
    }

    /// Fails unless every event of every run is there once, and `verify` finds nothing.
    #[track_caller]
    pub(crate) fn assert_whole(&self) {
        self.assert_nothing_doubled();
        assert_eq!(self.missing(), 0, "{:?}", self.numbers());
        assert_eq!(self.findings, [], "verify");
    }

    /// Fails unless something was dropped, and everything else is there once and the rest admitted.
    #[track_caller]
    pub(crate) fn assert_accounted_for(&self) {
        self.assert_nothing_doubled();
        assert!(self.missing() > 0, "nothing was dropped, so nothing was tested");
        assert_eq!(self.missing(), self.admitted(), "{:?}", self.numbers());
        assert!(self.reasons().contains(&"lost"), "{:?}", self.reasons());
        for (kind, text) in &self.findings {
            assert_eq!(*kind, FindingKind::Dropped, "{text}");
        }
    }

    /// Fails unless each of these words is in one event.
    #[track_caller]
    pub(crate) fn assert_has(&self, words: &[String]) {
        let mut found: BTreeMap<&str, u32> = BTreeMap::new();
        for word in self.events.iter().filter_map(|event| event["self"]["argv"][1].as_str()) {
            *found.entry(word).or_default() += 1;
        }
        for word in words {
            assert_eq!(found.get(word.as_str()), Some(&1), "{word}");
        }
    }

    /// What AGENT events admit as lost in the spool, of all runs together.
    pub(crate) fn admitted(&self) -> u64 {
        let kinds = ["dropped", "rejected", "missing", "damaged"];
        let admitted = kinds.iter().map(|kind| {
            let name = format!("spool_{kind}_records");
            // They only grow, so the largest is the last.
            let told = self.events.iter().filter_map(|event| event["counters"][&name].as_u64());
            told.max().unwrap_or(0)
        });
        admitted.sum()
    }

    /// The reasons of AGENT events.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event["reason"].as_str()).collect()
    }
}
