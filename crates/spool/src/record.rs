//! One record on disk: a head of 12 bytes, then the bytes of the record.
//!
//! ```text
//! 0   length         u32   of the bytes that follow the head
//! 4   body checksum  u32   CRC32C of those bytes
//! 8   head checksum  u32   CRC32C of: segment id u64, offset of this head in the file u64,
//!                          length, body checksum; 1 if that is 0
//! 12  the bytes
//! ```
//!
//! The head has a checksum of its own for two reasons. A flipped byte in a record costs exactly
//! that record, because its length can still be trusted. And after a damaged head the next good
//! one is found by trying every offset at the price of a 24-byte checksum each, so the search is
//! linear whatever the bytes are.
//!
//! The segment and the offset are in the head checksum so that a frame counts only where it was
//! written: a stale disk block, or a record that itself contains a piece of a spool, is no frame.
//! The head checksum is never 0, so that zeros, which a power cut leaves where a file had grown,
//! are known without a look at the checksum.

use crate::SegmentId;
use crate::bytes::Cursor;

/// The length of a head in bytes.
pub(crate) const HEAD_LEN: usize = 12;

/// The longest record in bytes. A length above it is damage.
pub const MAX_RECORD_LEN: usize = 16 * 1024 * 1024;

/// In place of a length: this is the footer of the segment, see [`crate::segment`].
pub(crate) const FOOTER_MARK: u32 = u32::MAX;

/// A head whose checksum was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Length of the body in bytes, or [`FOOTER_MARK`].
    pub(crate) length: u32,
    /// CRC32C of the body.
    pub(crate) body_checksum: u32,
}

impl Head {
    /// The head of a body that is a record. The caller has checked the length.
    pub(crate) fn of(body: &[u8]) -> Head {
        Head {
            length: u32::try_from(body.len()).unwrap_or(FOOTER_MARK),
            body_checksum: crc32c::crc32c(body),
        }
    }

    /// Appends the head as it is at this place.
    pub(crate) fn encode(self, segment: SegmentId, offset: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.body_checksum.to_le_bytes());
        out.extend_from_slice(&self.checksum(segment, offset).to_le_bytes());
    }

    /// Reads the head at the beginning of `bytes`, which stand at `offset` of this segment.
    pub(crate) fn decode(segment: SegmentId, offset: u64, bytes: &[u8]) -> Option<Head> {
        let mut cursor = Cursor::new(bytes);
        let head = Head { length: cursor.u32()?, body_checksum: cursor.u32()? };
        let checksum = cursor.u32()?;
        // The cheap question first: most offsets that a search tries fail here.
        let plausible = head.length == FOOTER_MARK || head.body_len() <= MAX_RECORD_LEN;
        let is_head = plausible && checksum != 0 && checksum == head.checksum(segment, offset);
        is_head.then_some(head)
    }

    /// The length of the record as a length in memory.
    pub(crate) fn body_len(self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    fn checksum(self, segment: SegmentId, offset: u64) -> u32 {
        let mut place = [0; 24];
        let parts = segment.0.to_le_bytes().into_iter().chain(offset.to_le_bytes());
        let parts = parts.chain(self.length.to_le_bytes()).chain(self.body_checksum.to_le_bytes());
        for (to, from) in place.iter_mut().zip(parts) {
            *to = from;
        }
        crc32c::crc32c(&place).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: SegmentId = SegmentId(3);

    fn encoded(body: &[u8], offset: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        Head::of(body).encode(SEGMENT, offset, &mut bytes);
        bytes
    }

    #[test]
    fn a_head_reads_back_only_at_its_place() {
        let bytes = encoded(b"body", 40);
        assert_eq!(bytes.len(), HEAD_LEN);
        assert_eq!(Head::decode(SEGMENT, 40, &bytes), Some(Head::of(b"body")));
        assert_eq!(Head::decode(SEGMENT, 41, &bytes), None);
        assert_eq!(Head::decode(SegmentId(4), 40, &bytes), None);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = encoded(b"body", 40);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(Head::decode(SEGMENT, 40, &damaged), None, "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn zeros_are_no_head() {
        for offset in 0..100_000 {
            assert_eq!(Head::decode(SEGMENT, offset, &[0; HEAD_LEN]), None);
        }
    }

    #[test]
    fn a_length_above_the_limit_is_no_head() {
        let length = u32::try_from(MAX_RECORD_LEN).expect("fits") + 1;
        let mut bytes = Vec::new();
        Head { length, body_checksum: 0 }.encode(SEGMENT, 0, &mut bytes);
        assert_eq!(Head::decode(SEGMENT, 0, &bytes), None);
    }
}
