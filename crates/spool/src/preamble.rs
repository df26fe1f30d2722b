//! The first 16 bytes of every file of the spool: what it is, and in which version.
//!
//! ```text
//! 0   magic     8 bytes   the kind of file
//! 8   version   u32
//! 12  checksum  u32       CRC32C of the 12 bytes before
//! ```
//!
//! **Invariant: this part is the same in all versions, for ever**, because it is how an older
//! program finds out that it must keep its hands off. It has a checksum of its own, so that a
//! flipped bit reads as damage and not as a later version.
//!
//! All numbers on disk are little-endian, here and everywhere else in the spool.

use crate::bytes::Cursor;

/// The length of a preamble in bytes.
pub(crate) const LEN: usize = 16;

/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// What a preamble turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preamble {
    /// This kind of file, in a version that is known.
    Known,
    /// This kind of file, in a later version.
    Newer(u32),
    /// Too short, another kind of file, or damaged.
    Damaged,
}

/// Appends a preamble in the present version.
pub(crate) fn encode(magic: [u8; 8], out: &mut Vec<u8>) {
    encode_version(magic, VERSION, out);
}

/// Appends a preamble in a given version.
fn encode_version(magic: [u8; 8], version: u32, out: &mut Vec<u8>) {
    let [a, b, c, d] = version.to_le_bytes();
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&magic), &[a, b, c, d]);
    out.extend_from_slice(&magic);
    out.extend_from_slice(&version.to_le_bytes());
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// Reads the preamble at the beginning of `bytes`.
pub(crate) fn decode(magic: [u8; 8], bytes: &[u8]) -> Preamble {
    let mut cursor = Cursor::new(bytes);
    let (Some(kind), Some(version), Some(checksum)) = (cursor.take(8), cursor.u32(), cursor.u32())
    else {
        return Preamble::Damaged;
    };
    let expected = crc32c::crc32c_append(crc32c::crc32c(kind), &version.to_le_bytes());
    if kind != magic || checksum != expected || version == 0 {
        Preamble::Damaged
    } else if version > VERSION {
        Preamble::Newer(version)
    } else {
        Preamble::Known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"a magic.";

    #[test]
    fn a_preamble_reads_back() {
        let mut bytes = Vec::new();
        encode(MAGIC, &mut bytes);
        assert_eq!(bytes.len(), LEN);
        assert_eq!(decode(MAGIC, &bytes), Preamble::Known);
        assert_eq!(decode(*b"another.", &bytes), Preamble::Damaged);
    }

    #[test]
    fn a_later_version_is_told_and_a_flipped_bit_is_not_one() {
        let mut bytes = Vec::new();
        encode_version(MAGIC, 7, &mut bytes);
        assert_eq!(decode(MAGIC, &bytes), Preamble::Newer(7));
        for at in 0..LEN {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(decode(MAGIC, &damaged), Preamble::Damaged, "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn nothing_shorter_is_a_preamble() {
        let mut bytes = Vec::new();
        encode(MAGIC, &mut bytes);
        for length in 0..LEN {
            assert_eq!(decode(MAGIC, &bytes[..length]), Preamble::Damaged);
        }
    }
}
