//! What is in the spool, in memory: the sealed segments and the ledger, and the rules between
//! them. Pure: no files, no threads.
//!
//! **Invariant:** every sealed segment here is at or above the ledger's floor and not gone.
//! **Invariant:** a segment stays until every active consumer has confirmed it, or it is dropped,
//! or its file is found not to be there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

use crate::SegmentId;
use crate::error::Error;
use crate::ledger::{Ledger, Lost, MAX_CONSUMERS, MAX_NAME_LEN, MAX_NOTE_LEN};
use crate::limits;
use crate::segment::Footer;

/// A sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The number of its first record.
    pub(crate) first: u64,
    /// What it holds.
    pub(crate) footer: Footer,
    /// Where its records end in the file.
    pub(crate) end: u64,
    /// The file's length in bytes.
    pub(crate) len: u64,
    /// Whether losses inside were already counted by this run.
    pub(crate) is_damage_counted: bool,
}

/// Everything that the spool knows.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// Positions and counts, as they are now; the disk may be behind.
    pub(crate) ledger: Ledger,
    /// Sealed segments by number.
    pub(crate) segments: BTreeMap<u64, Segment>,
    /// What the sealed segments take on disk, in bytes.
    charged: u64,
    /// Length of the unsealed segment's file.
    pub(crate) current_len: u64,
    /// Whether the ledger on disk is behind in something that may wait for the next sync.
    pub(crate) is_ledger_behind: bool,
    /// Segments written to since they were last synced.
    pub(crate) unsynced: BTreeSet<u64>,
    /// Whether names were made since the folder was last synced.
    pub(crate) has_new_names: bool,
    /// How many of its next segments are kept for each consumer.
    pub(crate) ahead: usize,
}

impl Inventory {
    /// No segments yet.
    pub(crate) fn new(ledger: Ledger) -> Inventory {
        Inventory { ledger, ..Inventory::default() }
    }

    /// What everything takes on disk, in bytes.
    pub(crate) fn charged(&self) -> u64 {
        self.charged + limits::charge(self.current_len)
    }

    /// Takes up a sealed segment.
    pub(crate) fn insert(&mut self, id: u64, segment: Segment) {
        self.charged += limits::charge(segment.len);
        self.segments.insert(id, segment);
    }

    /// Counts the unsealed segment as sealed. Gives the segments whose files are to be removed:
    /// with no consumer, this one.
    pub(crate) fn seal(&mut self, id: u64, segment: Segment) -> Vec<SegmentId> {
        self.insert(id, segment);
        self.ledger.next = id.saturating_add(1);
        self.ledger.next_record = segment.first.saturating_add(segment.footer.records);
        self.current_len = 0;
        self.is_ledger_behind = true;
        if self.ledger.active().next().is_none() { self.release() } else { Vec::new() }
    }

    /// The oldest sealed segment after a position.
    pub(crate) fn next_after(&self, position: u64) -> Option<SegmentId> {
        let (id, _) = self.segments.range(position.checked_add(1)?..).next()?;
        Some(SegmentId(*id))
    }

    /// The ledger as it would be after a confirmation; `None` if it says nothing new.
    pub(crate) fn plan_confirm(
        &self,
        name: &str,
        id: SegmentId,
        note: &[u8],
    ) -> Result<Option<Ledger>, Error> {
        if note.len() > MAX_NOTE_LEN {
            return Err(Error::NoteTooLong { length: note.len(), limit: MAX_NOTE_LEN });
        }
        let unknown = || Error::UnknownConsumer { name: name.to_owned() };
        let consumer = self.ledger.consumer(name).ok_or_else(unknown)?;
        if id.0 == consumer.position {
            if consumer.note == note {
                return Ok(None);
            }
        } else {
            let expected = self.next_after(consumer.position);
            if expected != Some(id) {
                return Err(Error::OutOfOrder { name: name.to_owned(), confirmed: id, expected });
            }
        }
        let mut planned = self.ledger.clone();
        planned.confirm(name, id, note);
        planned.lift_floor(|floor| self.above(floor));
        Ok(Some(planned))
    }

    /// The ledger as it would be with these consumers.
    pub(crate) fn plan_consumers(&self, names: &[&str]) -> Ledger {
        let mut planned = self.ledger.clone();
        planned.set_consumers(names);
        planned.lift_floor(|floor| self.above(floor));
        planned
    }

    /// Lifts the floor as far as every active consumer has confirmed, and gives the segments that
    /// are below it now. Their files are to be removed once the ledger is durable.
    pub(crate) fn release(&mut self) -> Vec<SegmentId> {
        self.lift_floor();
        let kept = self.segments.split_off(&self.ledger.floor);
        let released = std::mem::replace(&mut self.segments, kept);
        for (id, segment) in &released {
            self.charged = self.charged.saturating_sub(limits::charge(segment.len));
            self.unsynced.remove(id);
        }
        released.into_keys().map(SegmentId).collect()
    }

    /// Expects nothing below the oldest segment that is there.
    pub(crate) fn lift_floor_to_oldest(&mut self) {
        let ledger = &mut self.ledger;
        let oldest = oldest_from(&self.segments, 0);
        (ledger.floor, ledger.floor_record) = oldest.unwrap_or((ledger.next, ledger.next_record));
    }

    /// The segment that gives way when there is no more room; see [`limits`].
    pub(crate) fn droppable(&self) -> Option<SegmentId> {
        let next = |position: u64| {
            self.segments.range((Excluded(position), Unbounded)).map(|(id, _)| *id).take(self.ahead)
        };
        let kept: Vec<u64> =
            self.ledger.active().flat_map(|consumer| next(consumer.position)).collect();
        limits::droppable(self.segments.keys().copied(), &kept).map(SegmentId)
    }

    /// Counts a segment as dropped; its file is gone.
    pub(crate) fn mark_dropped(&mut self, id: SegmentId) -> Lost {
        let lost = self.take_out(id.0).unwrap_or_default();
        self.ledger.totals.dropped.add(lost);
        for consumer in self.ledger.waiting_for(id.0) {
            consumer.dropped.add(lost);
        }
        lost
    }

    /// Counts a segment as missing; its file turned out not to be there.
    pub(crate) fn mark_missing(&mut self, id: SegmentId) {
        let lost = self.take_out(id.0).unwrap_or_default();
        self.ledger.totals.missing.add(lost);
        for consumer in self.ledger.waiting_for(id.0) {
            consumer.missing.add(lost);
        }
    }

    /// Counts segments that a start expected and did not find.
    pub(crate) fn count_missing(&mut self, first: u64, last: u64, lost: Lost) {
        self.ledger.gone.insert(first, last, lost.records);
        self.ledger.totals.missing.add(lost);
        for consumer in self.ledger.waiting_for(last) {
            // One that had confirmed a part of them lost only the rest. How the records were
            // spread over the part is not known, so it is told the most that it can have lost.
            let had = consumer.position.saturating_add(1).saturating_sub(first);
            let segments = lost.segments.saturating_sub(had);
            consumer.missing.add(Lost { segments, records: lost.records });
        }
    }

    fn take_out(&mut self, id: u64) -> Option<Lost> {
        let segment = self.segments.remove(&id)?;
        self.charged = self.charged.saturating_sub(limits::charge(segment.len));
        self.unsynced.remove(&id);
        let lost = Lost { segments: 1, records: segment.footer.records };
        self.ledger.gone.insert(id, id, lost.records);
        self.lift_floor();
        self.is_ledger_behind = true;
        Some(lost)
    }

    fn lift_floor(&mut self) {
        let segments = &self.segments;
        self.ledger.lift_floor(|floor| oldest_from(segments, floor));
    }

    fn above(&self, floor: u64) -> Option<(u64, u64)> {
        oldest_from(&self.segments, floor)
    }
}

fn oldest_from(segments: &BTreeMap<u64, Segment>, floor: u64) -> Option<(u64, u64)> {
    segments.range(floor..).next().map(|(id, segment)| (*id, segment.first))
}

/// Checks a list of consumers.
pub(crate) fn check_names(names: &[&str]) -> Result<(), Error> {
    for (index, name) in names.iter().enumerate() {
        let earlier = names.get(..index).unwrap_or_default();
        let reason = if name.is_empty() {
            "it is empty"
        } else if name.len() > MAX_NAME_LEN {
            "it is longer than 64 bytes"
        } else if earlier.contains(name) {
            "it is there twice"
        } else if index >= MAX_CONSUMERS {
            "there are more than 32 consumers"
        } else {
            continue;
        };
        return Err(Error::BadConsumer { name: (*name).to_owned(), reason });
    }
    Ok(())
}
