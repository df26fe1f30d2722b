//! What a walk has found, for people and for programs.

use std::fmt;

use forebear_events::v1::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::layout::BatchName;
use crate::link::Link;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// Something that was there, as what is left shows, is not there.
    Missing,
    /// Events that never came: the agent lost them before the upload, and the chain shows that
    /// nothing was removed since.
    Dropped,
    /// An object or a manifest is not what was written.
    Altered,
    /// The same events are there twice.
    Doubled,
    /// Events or objects are not in the order in which they were made.
    OutOfOrder,
    /// A chain begins in the middle: the agent's memory of what it wrote was lost, or what came
    /// before is kept from us.
    ChainRestarted,
    /// An object cannot be read to its end.
    Damaged,
    /// An object has no manifest: an upload that was not finished, or a manifest removed since.
    NoManifest,
    /// Something that is not ours lies among the objects.
    Foreign,
}

impl FindingKind {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Dropped => "dropped",
            Self::Altered => "altered",
            Self::Doubled => "doubled",
            Self::OutOfOrder => "out of order",
            Self::ChainRestarted => "chain restarted",
            Self::Damaged => "damaged",
            Self::NoManifest => "no manifest",
            Self::Foreign => "foreign",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// The host, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Uuid>,
    /// The run, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// The path below the prefix of the object or manifest that it was seen at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The first event that it is about, by its number in the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_seq: Option<u64>,
    /// The last event that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seq: Option<u64>,
    /// What was found.
    pub text: String,
}

impl Finding {
    pub(super) fn foreign(path: String) -> Self {
        Self {
            kind: FindingKind::Foreign,
            host: None,
            run: None,
            path: Some(path),
            first_seq: None,
            last_seq: None,
            text: "it is not named as objects are".to_owned(),
        }
    }

    /// About a batch, or some of its numbers.
    pub(super) fn of(
        kind: FindingKind,
        batch: &BatchName,
        path: impl fmt::Display,
        text: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            host: Some(batch.host),
            run: Some(batch.run),
            path: Some(path.to_string()),
            first_seq: Some(batch.first_seq),
            last_seq: Some(batch.last_seq),
            text: text.into(),
        }
    }

    pub(super) fn numbered(mut self, first: u64, last: u64) -> Self {
        (self.first_seq, self.last_seq) = (Some(first), Some(last));
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.words())?;
        if let Some(host) = self.host {
            write!(f, ": host {host}")?;
        }
        if let Some(run) = self.run {
            write!(f, " run {run}")?;
        }
        match (self.first_seq, self.last_seq) {
            (Some(first), Some(last)) if first == last => write!(f, " event {first}")?,
            (Some(first), Some(last)) => write!(f, " events {first} to {last}")?,
            _ => {}
        }
        write!(f, ": {}", self.text)?;
        if let Some(path) = &self.path {
            write!(f, " ({path})")?;
        }
        Ok(())
    }
}

/// One host's objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostSummary {
    /// The host's id.
    pub host: Uuid,
    /// Batches that are known of it.
    pub batches: u64,
    /// Runs of the agent.
    pub runs: u64,
    /// Events, as manifests count them.
    pub events: u64,
    /// Time of the first event.
    pub first_time: Timestamp,
    /// Time of the last event.
    pub last_time: Timestamp,
    /// The chain value at the end, if the chain has one end. It covers everything before it: keep
    /// it elsewhere to prove later that nothing was rewritten.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "chain_value")]
    pub head: Option<Link>,
}

fn chain_value<S: serde::Serializer>(
    head: &Option<Link>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    head.map(|link| link.chain).serialize(serializer)
}

/// What a walk has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Data objects that are there.
    pub objects: u64,
    /// Events in them, as manifests count them.
    pub events: u64,
    /// Each host's objects.
    pub hosts: Vec<HostSummary>,
    /// What is wrong, as much as is kept.
    pub findings: Vec<Finding>,
    /// What is wrong besides, and was only counted.
    pub more_findings: u64,
    #[serde(skip)]
    max_findings: usize,
}

impl Report {
    pub(super) fn new(max_findings: usize) -> Self {
        Self {
            objects: 0,
            events: 0,
            hosts: Vec::new(),
            findings: Vec::new(),
            more_findings: 0,
            max_findings,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.more_findings == 0
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.findings.len() < self.max_findings {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }
}
