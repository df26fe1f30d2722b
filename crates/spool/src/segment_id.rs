//! The name of a segment: a number, and the file name made of it.
//!
//! File names are of one length, so that a listing of the folder is in the order of writing.

use std::fmt;

/// What the name of a segment's file ends with.
const SUFFIX: &str = ".seg";

/// Digits in a file name: as many as the largest number has.
const DIGITS: usize = 20;

/// At a million segments a second it is reached after a hundred thousand years.
const LARGEST: u64 = u64::MAX / 4;

/// A segment's number. Numbers grow by one and are not used again, also across runs: a number
/// that a consumer could confirm never names other records later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u64);

impl SegmentId {
    /// The name of this segment's file inside the spool's folder.
    pub fn file_name(self) -> String {
        format!("{:0width$}{SUFFIX}", self.0, width = DIGITS)
    }

    /// Reads a file name back; `None` for the name of anything else. Numbers that no spool
    /// reaches are nothing of ours, so that adding to one cannot overflow.
    pub fn from_file_name(name: &str) -> Option<SegmentId> {
        let digits = name.strip_suffix(SUFFIX)?;
        if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().filter(|id| *id <= LARGEST).map(SegmentId)
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_reads_back() {
        for id in [0, 1, 42, LARGEST] {
            assert_eq!(SegmentId::from_file_name(&SegmentId(id).file_name()), Some(SegmentId(id)));
        }
    }

    #[test]
    fn other_names_are_no_segments() {
        for name in [
            "ledger",
            "1.seg",
            ".seg",
            "99999999999999999999.seg",
            "18446744073709551615.seg",
            "0000000000000000000x.seg",
        ] {
            assert_eq!(SegmentId::from_file_name(name), None, "{name}");
        }
    }
}
