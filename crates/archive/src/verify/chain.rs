//! The chain of one host and the numbers of its runs. Pure.
//!
//! Objects are put in order by their links and not by time, because a clock may be set back
//! between two objects.

use std::collections::{BTreeMap, HashMap, HashSet};

use forebear_events::v1::Timestamp;
use uuid::Uuid;

use super::report::{Finding, FindingKind, HostSummary, Report};
use crate::digest::Digest;
use crate::layout::BatchName;
use crate::link::Link;
use crate::manifest::Manifest;

/// What a manifest says that matters to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The batch.
    pub batch: BatchName,
    /// What the next object refers to.
    pub link: Link,
    /// The chain value of the object before it.
    pub previous: Option<Digest>,
    /// SHA-256 of the object before it, as this one says.
    pub previous_sha256: Option<Digest>,
    /// Number of its events.
    pub events: u64,
    /// Time of its first event.
    pub first_time: Timestamp,
    /// Time of its last event.
    pub last_time: Timestamp,
}

impl Fact {
    /// What a manifest says.
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            batch: manifest.batch(),
            link: manifest.link(),
            previous: manifest.previous_chain_sha256,
            previous_sha256: manifest.previous_sha256,
            events: manifest.event_count,
            first_time: manifest.first_time,
            last_time: manifest.last_time,
        }
    }

    fn finding(&self, kind: FindingKind, text: impl Into<String>) -> Finding {
        Finding::of(kind, &self.batch, self.batch.manifest_path(), text)
    }
}

/// Follows one host. `begins_later` says that objects before these may exist and were not looked
/// at.
pub(super) fn walk(host: Uuid, mut facts: Vec<Fact>, begins_later: bool, report: &mut Report) {
    // By time, so that findings come in an order that a person can follow.
    facts.sort_by_key(|fact| (fact.first_time, fact.batch));
    let chain = Chain::of(&facts);
    links(&facts, &chain, begins_later, report);
    numbers(&facts, &chain, begins_later, report);
    let runs: HashSet<Uuid> = facts.iter().map(|fact| fact.batch.run).collect();
    let events = facts.iter().map(|fact| fact.events).sum();
    report.events += events;
    let first_time = facts.iter().map(|fact| fact.first_time).min();
    let last_time = facts.iter().map(|fact| fact.last_time).max();
    report.hosts.push(HostSummary {
        host,
        batches: facts.len() as u64,
        runs: runs.len() as u64,
        events,
        first_time: first_time.unwrap_or_default(),
        last_time: last_time.unwrap_or_default(),
        head: chain.head(&facts),
    });
}

/// Who follows whom, by index.
struct Chain {
    by_value: HashMap<Digest, usize>,
    followers: HashMap<usize, Vec<usize>>,
}

impl Chain {
    fn of(facts: &[Fact]) -> Self {
        let by_value: HashMap<Digest, usize> =
            facts.iter().enumerate().map(|(index, fact)| (fact.link.chain, index)).collect();
        let mut followers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, fact) in facts.iter().enumerate() {
            if let Some(before) = fact.previous.and_then(|value| by_value.get(&value)) {
                followers.entry(*before).or_default().push(index);
            }
        }
        Self { by_value, followers }
    }

    /// What is before an object; `None` if it is not here.
    fn before(&self, fact: &Fact) -> Option<usize> {
        self.by_value.get(&fact.previous?).copied()
    }

    /// Whether nothing was between two objects when the later one was written.
    fn joins(&self, before: &Fact, after: &Fact) -> bool {
        after.previous == Some(before.link.chain)
    }

    /// The only end of the chain.
    fn head(&self, facts: &[Fact]) -> Option<Link> {
        let mut ends = (0..facts.len()).filter(|index| !self.followers.contains_key(index));
        let end = ends.next()?;
        match ends.next() {
            Some(_) => None,
            None => facts.get(end).map(|fact| fact.link),
        }
    }
}

/// Every object but the first has the one that it names before it, and one after it.
fn links(facts: &[Fact], chain: &Chain, begins_later: bool, report: &mut Report) {
    // One object has none before it here; it need not be the first by time, since clocks are set.
    let mut has_begun = false;
    for fact in facts {
        match (fact.previous, chain.before(fact)) {
            (None, _) if !has_begun => has_begun = true,
            (None, _) => report.add(fact.finding(
                FindingKind::ChainRestarted,
                "it says that nothing came before it, and there are other objects of its host",
            )),
            (Some(_), None) if begins_later && !has_begun => has_begun = true,
            (Some(_), None) => {
                let text = match fact.previous_sha256 {
                    Some(sha256) => {
                        format!("the object before it, of SHA-256 {sha256}, is not there")
                    }
                    None => "the object before it is not there".to_owned(),
                };
                report.add(fact.finding(FindingKind::Missing, text).numbered_before(fact));
            }
            (Some(_), Some(before)) => {
                let said = facts.get(before).map(|before| before.link.sha256);
                if said != fact.previous_sha256 {
                    let text = "it names another SHA-256 than the object before it has";
                    report.add(fact.finding(FindingKind::Altered, text));
                }
            }
        }
    }
    let mut forks: Vec<_> = chain.followers.iter().filter(|(_, after)| after.len() > 1).collect();
    forks.sort();
    for (before, after) in forks {
        if let Some(fact) = facts.get(*before) {
            let text = format!("{} objects say that they follow it", after.len());
            report.add(fact.finding(FindingKind::OutOfOrder, text));
        }
    }
}

/// The numbers of each run go on without gaps and without overlap, in the order of the chain.
fn numbers(facts: &[Fact], chain: &Chain, begins_later: bool, report: &mut Report) {
    let mut runs: BTreeMap<(Uuid, Uuid), Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        runs.entry((fact.batch.boot, fact.batch.run)).or_default().push(fact);
    }
    for run in runs.values_mut() {
        run.sort_by_key(|fact| (fact.batch.first_seq, fact.batch.last_seq));
        if let Some(first) = run.first()
            && first.batch.first_seq > 1
            && !(begins_later && chain.before(first).is_none())
        {
            let is_whole = first.previous.is_none() || chain.before(first).is_some();
            report.add(gap(first, 1, is_whole));
        }
        let mut highest: Option<&Fact> = None;
        for fact in run.iter().copied() {
            if let Some(before) = highest {
                let next = before.batch.last_seq.saturating_add(1);
                if fact.batch.first_seq > next {
                    report.add(gap(fact, next, chain.joins(before, fact)));
                } else if fact.batch.first_seq < next {
                    let last = before.batch.last_seq.min(fact.batch.last_seq);
                    let text = format!("these events are in {} too", before.batch);
                    let finding = fact.finding(FindingKind::Doubled, text);
                    report.add(finding.numbered(fact.batch.first_seq, last));
                }
                // Written before the object with the lower numbers: the chain turned round.
                if chain.joins(fact, before) {
                    let text = format!("it is before {} in the chain", before.batch);
                    report.add(fact.finding(FindingKind::OutOfOrder, text));
                }
            }
            if highest.is_none_or(|before| fact.batch.last_seq > before.batch.last_seq) {
                highest = Some(fact);
            }
            let span = fact.batch.last_seq - fact.batch.first_seq;
            if fact.events < span.saturating_add(1) {
                let lost = span + 1 - fact.events;
                let text = format!("{lost} of these events were lost before the upload");
                report.add(fact.finding(FindingKind::Dropped, text));
            }
        }
    }
}

/// Numbers that are in no object, up to an object's first.
fn gap(after: &Fact, first: u64, is_whole: bool) -> Finding {
    let last = after.batch.first_seq.saturating_sub(1);
    let (kind, text) = if is_whole {
        (
            FindingKind::Dropped,
            "these events never came; the chain is whole, so they were lost before the upload",
        )
    } else {
        (FindingKind::Missing, "these events are in no object, and the chain is broken here")
    };
    after.finding(kind, text).numbered(first, last)
}

impl Finding {
    /// About what is before an object, of which no numbers are known.
    fn numbered_before(mut self, fact: &Fact) -> Self {
        self.first_seq = fact.batch.first_seq.checked_sub(1).filter(|seq| *seq > 0);
        self.last_seq = self.first_seq;
        self
    }
}

#[cfg(test)]
mod tests;
