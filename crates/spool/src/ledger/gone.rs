//! Which segments above the floor are known not to exist, because they were dropped or found
//! missing once. Without it, every start would count them again.
//!
//! The ranges are few: dropping takes the oldest segment that is not kept for a consumer, so what
//! stands between two ranges is such a segment, and each consumer has few of them.

use crate::bytes::Cursor;

/// More ranges are not kept. The oldest is forgotten first; its segments would then be counted
/// as missing by the next start, which errs on the side of telling.
pub(super) const MAX_RANGES: usize = 256;

/// Segments in a row that do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first.
    pub(crate) first: u64,
    /// The last.
    pub(crate) last: u64,
    /// Records that were in them.
    pub(crate) records: u64,
}

impl Range {
    /// How many segments.
    pub(crate) fn len(self) -> u64 {
        self.last - self.first + 1
    }
}

/// Ranges in order, without overlap; neighbours are one range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gone {
    ranges: Vec<Range>,
}

impl Gone {
    /// Adds segments that were not gone before.
    pub(crate) fn insert(&mut self, first: u64, last: u64, records: u64) {
        let at = self.ranges.partition_point(|range| range.last < first);
        self.ranges.insert(at, Range { first, last, records });
        self.ranges.dedup_by(|right, left| {
            let touches = right.first <= left.last.saturating_add(1);
            if touches {
                left.last = left.last.max(right.last);
                left.records += right.records;
            }
            touches
        });
        if self.ranges.len() > MAX_RANGES {
            self.ranges.remove(0);
        }
    }

    /// Whether this segment is gone.
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.ranges.iter().any(|range| range.first <= id && id <= range.last)
    }

    /// The ranges that lie wholly in `first..end`.
    pub(crate) fn within(&self, first: u64, end: u64) -> impl Iterator<Item = Range> + '_ {
        self.ranges.iter().copied().filter(move |range| first <= range.first && range.last < end)
    }

    /// The records of the ranges that lie wholly in `first..end`.
    pub(crate) fn records_within(&self, first: u64, end: u64) -> u64 {
        self.within(first, end).map(|range| range.records).sum()
    }

    /// Forgets what is below the floor, and gives the floor that follows: a range that begins at
    /// it lifts it.
    pub(crate) fn forget_below(&mut self, floor: u64) -> u64 {
        let mut floor = floor;
        self.ranges.retain(|range| {
            if range.first <= floor {
                floor = floor.max(range.last.saturating_add(1));
            }
            range.last >= floor
        });
        floor
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&super::count(self.ranges.len()).to_le_bytes());
        for range in &self.ranges {
            for number in [range.first, range.last, range.records] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Option<Gone> {
        let count = usize::try_from(cursor.u32()?).ok()?;
        if count > MAX_RANGES {
            return None;
        }
        let mut ranges: Vec<Range> = Vec::with_capacity(count);
        for _ in 0..count {
            let range = Range { first: cursor.u64()?, last: cursor.u64()?, records: cursor.u64()? };
            let is_ordered = ranges.last().is_none_or(|last| last.last < range.first);
            if range.last < range.first || range.last == u64::MAX || !is_ordered {
                return None;
            }
            ranges.push(range);
        }
        Some(Gone { ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_range() {
        let mut gone = Gone::default();
        gone.insert(7, 7, 10);
        gone.insert(3, 3, 1);
        gone.insert(4, 6, 5);
        assert_eq!(gone.ranges, [Range { first: 3, last: 7, records: 16 }]);
        assert!(gone.contains(3) && gone.contains(7) && !gone.contains(8));
    }

    #[test]
    fn a_range_at_the_floor_lifts_it() {
        let mut gone = Gone::default();
        gone.insert(2, 4, 1);
        gone.insert(6, 8, 1);
        assert_eq!(gone.forget_below(1), 1);
        assert_eq!(gone.forget_below(2), 5);
        assert_eq!(gone.ranges.len(), 1);
        assert_eq!(gone.forget_below(7), 9);
        assert!(gone.ranges.is_empty());
    }

    #[test]
    fn the_number_of_ranges_is_bounded() {
        let mut gone = Gone::default();
        (0..2000).for_each(|number| gone.insert(number * 2, number * 2, 1));
        assert_eq!(gone.ranges.len(), MAX_RANGES);
        assert!(gone.contains(3998));
    }
}
