//! What gives way when there is no more room: the oldest sealed segment that no consumer has to
//! take next. Never silently: every drop is counted, in total and for each consumer that had not
//! confirmed it.
//!
//! A consumer's next segments stay, as many as it may work [`ahead`](crate::Options::ahead),
//! because the consumer may have delivered them already and only not confirmed them yet. Dropped,
//! they would be counted as lost and be at their destination all the same, and the counts would no
//! longer add up.
//! The price is so many segments for each consumer that is behind; [`Options::max_bytes`] should
//! hold a few more than that.
//!
//! [`Options::max_bytes`]: crate::Options::max_bytes

/// What a file is taken to occupy: whole blocks. A month of small segments is mostly the
/// round-up, and the limit is meant to say how much of the disk is used.
const BLOCK: u64 = 4096;

/// The bytes on disk of a file of this length.
pub(crate) fn charge(len: u64) -> u64 {
    len.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// The first of `sealed`, in order, that is not kept for anybody.
pub(crate) fn droppable(mut sealed: impl Iterator<Item = u64>, kept: &[u64]) -> Option<u64> {
    sealed.find(|id| !kept.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_charged_in_whole_blocks() {
        assert_eq!([0, 1, BLOCK, BLOCK + 1].map(charge), [0, BLOCK, BLOCK, 2 * BLOCK]);
    }

    #[test]
    fn what_a_consumer_takes_next_is_not_dropped() {
        assert_eq!(droppable([1, 2, 3].into_iter(), &[1, 3]), Some(2));
        assert_eq!(droppable([1, 3].into_iter(), &[1, 3]), None);
        assert_eq!(droppable([1, 3, 4].into_iter(), &[1, 3]), Some(4));
    }
}
