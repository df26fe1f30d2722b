//! The two ends of a segment's file: the header before the records, the footer after them.
//!
//! ```text
//! header, 40 bytes                          footer, 36 bytes
//! 0   preamble      see preamble.rs         0   head            see record.rs, with FOOTER_MARK
//! 16  segment id    u64                                         in place of the length
//! 24  first record  u64                     12  records         u64
//! 32  reserved      u32, zero               20  bytes           u64, of the records' bodies
//! 36  checksum      u32, of the 36 before   28  chain           u32
//!                                           32  reserved        u32, zero
//! ```
//!
//! *First record* is the number of the segment's first record, counted since the spool was made.
//! It makes the loss of a whole file countable in records: the next file says where it begins.
//!
//! *Chain* is the CRC32C of all body checksums in order, so that records which are each whole are
//! also known to be the ones that were sealed. A segment without a footer was not sealed.
//!
//! A damaged header costs nothing but its numbers: the file name repeats the id, and records
//! carry their own checksums.

use crate::SegmentId;
use crate::bytes::Cursor;
use crate::preamble::{self, Preamble};
use crate::record::{FOOTER_MARK, HEAD_LEN, Head};

/// The length of a header in bytes: where the first record begins.
pub(crate) const HEADER_LEN: u64 = 40;

/// The length of a footer in bytes.
pub(crate) const FOOTER_LEN: u64 = 36;

const MAGIC: [u8; 8] = *b"fbsegmnt";

const HEADER_SIZE: usize = HEADER_LEN as usize;
const FOOTER_SIZE: usize = FOOTER_LEN as usize;
const FOOTER_BODY: usize = 24;
const _: () = assert!(HEADER_SIZE == preamble::LEN + 8 + 8 + 4 + 4);
const _: () = assert!(FOOTER_SIZE == HEAD_LEN + FOOTER_BODY);
const _: () = assert!(FOOTER_BODY == 8 + 8 + 4 + 4);

/// What a file's first bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// A header of this segment; the number of its first record.
    Whole {
        /// Counted since the spool was made.
        first: u64,
    },
    /// A later version wrote it.
    Newer(u32),
    /// Anything else, also the header of another segment.
    Damaged,
}

/// Appends a header.
pub(crate) fn encode_header(id: SegmentId, first: u64, out: &mut Vec<u8>) {
    let start = out.len();
    preamble::encode(MAGIC, out);
    out.extend_from_slice(&id.0.to_le_bytes());
    out.extend_from_slice(&first.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes());
    let checksum = crc32c::crc32c(out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// Reads the header at the beginning of `bytes`, which are those of the segment's file.
pub(crate) fn decode_header(id: SegmentId, bytes: &[u8]) -> Header {
    match preamble::decode(MAGIC, bytes) {
        Preamble::Newer(version) => return Header::Newer(version),
        Preamble::Damaged => return Header::Damaged,
        Preamble::Known => {}
    }
    let mut cursor = Cursor::new(bytes);
    let Some(checked) = cursor.take(HEADER_SIZE - 4) else { return Header::Damaged };
    let checksum = cursor.u32();
    let mut cursor = Cursor::new(checked);
    let numbers = cursor.take(preamble::LEN).and_then(|_| Some((cursor.u64()?, cursor.u64()?)));
    match numbers {
        Some((found, first)) if found == id.0 && checksum == Some(crc32c::crc32c(checked)) => {
            Header::Whole { first }
        }
        _ => Header::Damaged,
    }
}

/// What a segment held when it was sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Footer {
    /// Number of records.
    pub(crate) records: u64,
    /// Bytes of their bodies.
    pub(crate) bytes: u64,
    /// CRC32C of their checksums in order.
    pub(crate) chain: u32,
}

impl Footer {
    /// Counts one more record.
    pub(crate) fn add(&mut self, head: Head) {
        self.records += 1;
        self.bytes += u64::from(head.length);
        self.chain = crc32c::crc32c_append(self.chain, &head.body_checksum.to_le_bytes());
    }

    /// The footer as it is at this offset of this segment.
    pub(crate) fn encode(&self, id: SegmentId, offset: u64) -> Vec<u8> {
        let mut body = Vec::with_capacity(FOOTER_BODY);
        body.extend_from_slice(&self.records.to_le_bytes());
        body.extend_from_slice(&self.bytes.to_le_bytes());
        body.extend_from_slice(&self.chain.to_le_bytes());
        body.extend_from_slice(&0_u32.to_le_bytes());
        let mut out = Vec::with_capacity(FOOTER_SIZE);
        Head { length: FOOTER_MARK, body_checksum: crc32c::crc32c(&body) }
            .encode(id, offset, &mut out);
        out.extend_from_slice(&body);
        out
    }

    /// Reads the footer at the beginning of `bytes`, which stand at `offset` of this segment.
    pub(crate) fn decode(id: SegmentId, offset: u64, bytes: &[u8]) -> Option<Footer> {
        let head = Head::decode(id, offset, bytes)?;
        let mut cursor = Cursor::new(bytes);
        cursor.take(HEAD_LEN)?;
        let body = cursor.take(FOOTER_BODY)?;
        if head.length != FOOTER_MARK || head.body_checksum != crc32c::crc32c(body) {
            return None;
        }
        let mut cursor = Cursor::new(body);
        Some(Footer { records: cursor.u64()?, bytes: cursor.u64()?, chain: cursor.u32()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SegmentId = SegmentId(9);

    #[test]
    fn a_header_reads_back_for_its_segment_alone() {
        let mut bytes = Vec::new();
        encode_header(ID, 77, &mut bytes);
        assert_eq!(bytes.len(), HEADER_SIZE);
        assert_eq!(decode_header(ID, &bytes), Header::Whole { first: 77 });
        assert_eq!(decode_header(SegmentId(8), &bytes), Header::Damaged);
    }

    #[test]
    fn a_damaged_header_is_never_a_later_version() {
        let mut bytes = Vec::new();
        encode_header(ID, 77, &mut bytes);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(decode_header(ID, &damaged), Header::Damaged, "byte {at} bit {bit}");
            }
        }
        for length in 0..bytes.len() {
            assert_eq!(decode_header(ID, &bytes[..length]), Header::Damaged);
        }
    }

    #[test]
    fn a_footer_reads_back_only_whole_and_at_its_place() {
        let mut footer = Footer::default();
        footer.add(Head::of(b"one"));
        footer.add(Head::of(b"three"));
        let bytes = footer.encode(ID, 100);
        assert_eq!(bytes.len(), FOOTER_SIZE);
        assert_eq!(Footer::decode(ID, 100, &bytes), Some(footer));
        assert_eq!((footer.records, footer.bytes), (2, 8));
        assert_eq!(Footer::decode(ID, 101, &bytes), None);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Footer::decode(ID, 100, &damaged), None, "byte {at}");
        }
    }
}
