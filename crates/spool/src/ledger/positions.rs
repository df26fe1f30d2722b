//! The consumers in the ledger: who there is, where each stands, and the floor that follows.

use super::{Consumer, Ledger, Lost, MAX_RETIRED};
use crate::SegmentId;

impl Ledger {
    /// The consumers that hold segments back.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Consumer> {
        self.consumers.iter().filter(|consumer| consumer.is_active)
    }

    /// The consumer of this name that holds segments back.
    pub(crate) fn consumer(&self, name: &str) -> Option<&Consumer> {
        self.active().find(|consumer| consumer.name == name)
    }

    /// The active consumers that have not confirmed this segment.
    pub(crate) fn waiting_for(&mut self, id: u64) -> impl Iterator<Item = &mut Consumer> {
        let consumers = self.consumers.iter_mut();
        consumers.filter(move |consumer| consumer.is_active && consumer.position < id)
    }

    /// Moves a consumer's position.
    pub(crate) fn confirm(&mut self, name: &str, id: SegmentId, note: &[u8]) {
        if let Some(consumer) = self.consumers.iter_mut().find(|consumer| consumer.name == name) {
            consumer.position = consumer.position.max(id.0);
            consumer.note = note.to_vec();
        }
    }

    /// Makes these the active consumers. A new one begins at the floor; one that comes back goes
    /// on where it was; one that is not named is remembered and holds nothing back.
    pub(crate) fn set_consumers(&mut self, names: &[&str]) {
        for consumer in &mut self.consumers {
            consumer.is_active = names.contains(&consumer.name.as_str());
        }
        for name in names {
            if self.consumer(name).is_none() {
                self.consumers.push(Consumer {
                    name: (*name).to_owned(),
                    is_active: true,
                    position: self.floor.saturating_sub(1),
                    note: Vec::new(),
                    dropped: Lost::default(),
                    missing: Lost::default(),
                });
            }
        }
        self.forget_retired();
    }

    /// Keeps the removed consumers that got furthest.
    fn forget_retired(&mut self) {
        let retired = self.consumers.iter().filter(|consumer| !consumer.is_active);
        let mut positions: Vec<u64> = retired.map(|consumer| consumer.position).collect();
        positions.sort_unstable_by(|left, right| right.cmp(left));
        if let Some(&too_old) = positions.get(MAX_RETIRED) {
            self.consumers.retain(|consumer| consumer.is_active || consumer.position > too_old);
        }
    }

    /// Lifts the floor as far as every active consumer has confirmed; with none, all the way.
    /// `above` gives number and first record of the oldest sealed segment from a number on.
    pub(crate) fn lift_floor(&mut self, above: impl Fn(u64) -> Option<(u64, u64)>) {
        let confirmed = self.active().map(|consumer| consumer.position).min();
        let floor = confirmed.map_or(self.next, |position| position.saturating_add(1));
        self.floor = self.gone.forget_below(floor.max(self.floor));
        // The floor's record number is what the next file above says, less what is known to be
        // gone between, so that a start can count what is missing there.
        let (id, first) = above(self.floor).unwrap_or((self.next, self.next_record));
        let gone = self.gone.records_within(self.floor, id);
        self.floor_record = first.saturating_sub(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn a_consumer_that_comes_back_goes_on_where_it_was() {
        let mut ledger = sample();
        ledger.set_consumers(&["new"]);
        assert!(ledger.consumer("bucket").is_none());
        assert_eq!(ledger.consumer("new").map(|consumer| consumer.position), Some(3));
        ledger.set_consumers(&["new", "bucket"]);
        let bucket = ledger.consumer("bucket").expect("it is back");
        assert_eq!((bucket.position, bucket.note.as_slice()), (4, b"a note".as_slice()));
    }

    #[test]
    fn removed_consumers_are_not_remembered_without_bound() {
        let mut ledger = Ledger::default();
        for number in 0..500 {
            let name = format!("consumer {number}");
            ledger.set_consumers(&[&name]);
            ledger.confirm(&name, SegmentId(number), b"");
        }
        assert!(ledger.consumers.len() <= MAX_RETIRED + 1, "{}", ledger.consumers.len());
    }

    #[test]
    fn without_consumers_the_floor_is_at_the_top() {
        let mut ledger = Ledger { next: 9, next_record: 77, ..Ledger::default() };
        ledger.lift_floor(|_| None);
        assert_eq!((ledger.floor, ledger.floor_record), (9, 77));
    }
}
