//! Walking what is in a bucket: is anything missing, altered, doubled or out of order?
//!
//! Every object is read and compared with its manifest and its metadata; the manifests of each
//! host are put in the order of their chain, and the numbers of each run are followed. What does
//! not fit becomes a [`Finding`]; an error is only what kept us from looking.
//!
//! What this proves: within the time that is looked at, that nothing was changed since it was
//! written, by anyone who cannot rewrite every later object of the host as well. Against such a
//! person, keep a host's [`HostSummary::head`] elsewhere and compare.
//! What it cannot see: objects removed from the end of a chain, until a later one names them.
//!
//! Memory: some 300 bytes an object, up to [`VerifyOptions::max_objects`].

mod chain;
mod examine;
mod report;

use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use crate::compress::Compression;
use crate::error::{Error, Kind, Result};
use crate::layout::BatchName;
use crate::lines::ReadLimits;
use crate::read::{Listed, Selection};
use crate::store::Archive;

pub use chain::Fact;
pub use report::{Finding, FindingKind, HostSummary, Report};

/// How to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Whether objects are read. Without, only manifests, names and sizes are looked at.
    pub contents: bool,
    /// The most objects that are looked at in one go.
    pub max_objects: usize,
    /// The most findings that are kept; more are counted.
    pub max_findings: usize,
    /// Objects that are read at the same time.
    pub parallel: usize,
    /// Limits of each object.
    pub read: ReadLimits,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            contents: true,
            max_objects: 1_000_000,
            max_findings: 10_000,
            parallel: 8,
            read: ReadLimits::default(),
        }
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Objects looked at.
    pub done: u64,
    /// Objects to look at.
    pub total: u64,
}

/// What a listing shows of one batch.
#[derive(Debug, Default)]
struct Seen {
    objects: Vec<(Compression, u64)>,
    has_manifest: bool,
}

const VERIFY: &str = "verify";

impl Archive {
    /// Walks the objects of a selection. `progress` is called after each object.
    ///
    /// A selection that begins at a time takes the chain as it finds it there; without, the first
    /// object of a host has to be the first of its chain.
    ///
    /// Fails where the place cannot be listed or an object cannot be had for reasons that say
    /// nothing about it (network, permission).
    pub async fn verify(
        &self,
        selection: &Selection,
        options: &VerifyOptions,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Report> {
        let mut report = Report::new(options.max_findings);
        let batches = self.seen(selection, options, &mut report).await?;
        let total = batches.len() as u64;

        let examined = stream::iter(batches)
            .map(|(batch, seen)| self.examine(batch, seen, options))
            .buffer_unordered(options.parallel.max(1));
        let mut examined = std::pin::pin!(examined);
        let mut hosts: HashMap<Uuid, Vec<Fact>> = HashMap::new();
        let mut done = 0;
        while let Some((fact, findings)) = examined.try_next().await? {
            done += 1;
            progress(Progress { done, total });
            findings.into_iter().for_each(|finding| report.add(finding));
            if let Some(fact) = fact {
                hosts.entry(fact.batch.host).or_default().push(fact);
            }
        }
        let mut hosts: Vec<_> = hosts.into_iter().collect();
        hosts.sort_by_key(|(host, _)| *host);
        for (host, facts) in hosts {
            chain::walk(host, facts, selection.since.is_some(), &mut report);
        }
        Ok(report)
    }

    /// What the listings of both trees show.
    async fn seen(
        &self,
        selection: &Selection,
        options: &VerifyOptions,
        report: &mut Report,
    ) -> Result<BTreeMap<BatchName, Seen>> {
        let mut batches: BTreeMap<BatchName, Seen> = BTreeMap::new();
        let mut objects = self.list(selection);
        while let Some(listed) = objects.try_next().await? {
            match listed {
                Listed::Object(object) => {
                    let seen = batches.entry(object.key.batch).or_default();
                    seen.objects.push((object.key.compression, object.size));
                    report.objects += 1;
                }
                // A copy for questions; the chain is of what the agent has written.
                Listed::Columns(_) => {}
                Listed::Foreign(path) => report.add(Finding::foreign(path)),
            }
            self.check_number(batches.len(), options)?;
        }
        let mut manifests = self.list_manifests(selection);
        while let Some(listed) = manifests.try_next().await? {
            match listed {
                Ok(batch) => batches.entry(batch).or_default().has_manifest = true,
                Err(path) => report.add(Finding::foreign(path)),
            }
            self.check_number(batches.len(), options)?;
        }
        Ok(batches)
    }

    fn check_number(&self, number: usize, options: &VerifyOptions) -> Result<()> {
        if number <= options.max_objects {
            return Ok(());
        }
        let detail = format!("there are more than {} objects", options.max_objects);
        let remedy = "give a shorter time or one host at a time";
        Err(Error::new(Kind::TooLarge, VERIFY, self.place(), detail).with_remedy(remedy))
    }
}
