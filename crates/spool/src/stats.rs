//! The spool's counts, for metrics, status and the stream's own admissions.
//!
//! Counts of losses are totals since the spool was made and survive restarts, so the last report
//! of many runs is the sum of all.

use crate::SegmentId;
use crate::inventory::Inventory;
use crate::ledger::{Lost, Totals};

/// What is in the spool and what was lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// What all files take on disk, in whole blocks, in bytes.
    pub bytes: u64,
    /// Sealed segments that somebody has not confirmed.
    pub segments: u64,
    /// Losses since the spool was made.
    pub totals: Totals,
    /// Each active consumer.
    pub consumers: Vec<ConsumerStats>,
}

/// One consumer's counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerStats {
    /// Its name.
    pub name: String,
    /// The newest segment it has confirmed; 0 before the first.
    pub position: SegmentId,
    /// Sealed segments that it has not confirmed.
    pub backlog_segments: u64,
    /// Records in them.
    pub backlog_records: u64,
    /// Bytes of those records.
    pub backlog_bytes: u64,
    /// Dropped before this consumer had them, since it was first named.
    pub dropped: Lost,
    /// Missing before this consumer had them, since it was first named.
    pub missing: Lost,
}

impl Stats {
    pub(crate) fn of(inventory: &Inventory) -> Stats {
        let consumers = inventory.ledger.active().map(|consumer| {
            let waiting = inventory.segments.range(consumer.position.saturating_add(1)..);
            let mut stats = ConsumerStats {
                name: consumer.name.clone(),
                position: SegmentId(consumer.position),
                backlog_segments: 0,
                backlog_records: 0,
                backlog_bytes: 0,
                dropped: consumer.dropped,
                missing: consumer.missing,
            };
            for (_, segment) in waiting {
                stats.backlog_segments += 1;
                stats.backlog_records += segment.footer.records;
                stats.backlog_bytes += segment.footer.bytes;
            }
            stats
        });
        Stats {
            bytes: inventory.charged(),
            segments: inventory.segments.len() as u64,
            totals: inventory.ledger.totals,
            consumers: consumers.collect(),
        }
    }
}
