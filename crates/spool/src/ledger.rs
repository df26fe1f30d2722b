//! The ledger: who has confirmed what, what is known to be gone, and the counts of a lifetime.
//!
//! ```text
//! the file `ledger` = two copies of 32768 bytes; a copy =
//! 0   preamble       see preamble.rs
//! 16  generation     u64   grows by one with each write
//! 24  length         u32   of the body
//! 28  checksum       u32   CRC32C of generation, length and body
//! 32  body:
//!     floor          u64   no segment below this number is expected to exist
//!     floor record   u64   number of the first record at the floor
//!     next           u64   number of the first segment that was not sealed when this was written
//!     next record    u64   number of its first record
//!     totals         7 u64, see `Totals`
//!     gone           u32 count, each: first u64, last u64, records u64
//!     consumers      u32 count, each: u16 + name, u16 + note, active u8, position u64,
//!                    dropped segments u64 and records u64, missing segments u64 and records u64
//! ```
//!
//! A copy is at most as long as its room, which the limits below make certain.

mod gone;
mod positions;
mod slots;

use crate::bytes::Cursor;
use crate::preamble::{self, Preamble};

pub(crate) use gone::Gone;
pub(crate) use slots::{Found, LedgerFile, read};

const MAGIC: [u8; 8] = *b"fbledger";

/// The room of one copy in bytes.
const SLOT_LEN: usize = 32 * 1024;

/// The longest name of a consumer in bytes.
pub const MAX_NAME_LEN: usize = 64;

/// The longest note that is kept for a consumer, in bytes.
pub const MAX_NOTE_LEN: usize = 256;

/// The most consumers at a time.
pub const MAX_CONSUMERS: usize = 32;

/// How many removed consumers are remembered, in case they come back.
const MAX_RETIRED: usize = 32;

/// Bytes before the body.
const HEAD_LEN: usize = preamble::LEN + 8 + 4 + 4;
const FIXED_LEN: usize = 4 * 8 + 7 * 8 + 4 + 4;
const CONSUMER_LEN: usize = 2 + MAX_NAME_LEN + 2 + MAX_NOTE_LEN + 1 + 5 * 8;
const _: () = assert!(
    HEAD_LEN + FIXED_LEN + gone::MAX_RANGES * 24 + (MAX_CONSUMERS + MAX_RETIRED) * CONSUMER_LEN
        <= SLOT_LEN
);

/// A loss, in segments and in the records that were in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Whole segments.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
}

impl Lost {
    pub(crate) fn add(&mut self, other: Lost) {
        self.segments += other.segments;
        self.records += other.records;
    }
}

/// Counts since the spool was made; they survive restarts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Dropped to make room, before at least one consumer had them.
    pub dropped: Lost,
    /// Segments that were expected and whose file was not there.
    pub missing: Lost,
    /// Records that were not taken, because there was no room and nothing that could be dropped.
    pub rejected_records: u64,
    /// Records known to have been lost inside segments that were read.
    pub damaged_records: u64,
    /// Bytes cut off the ends of unsealed segments at [`open`](crate::Spool::open).
    pub cut_bytes: u64,
}

/// What the spool knows about one consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consumer {
    /// The name it was given.
    pub(crate) name: String,
    /// Whether it holds segments back: it was named when the spool was opened.
    pub(crate) is_active: bool,
    /// The newest segment that it has confirmed; 0 before the first.
    pub(crate) position: u64,
    /// What it gave with its last confirmation.
    pub(crate) note: Vec<u8>,
    /// Dropped before it had them.
    pub(crate) dropped: Lost,
    /// Missing before it had them.
    pub(crate) missing: Lost,
}

/// The ledger in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) floor: u64,
    pub(crate) floor_record: u64,
    pub(crate) next: u64,
    pub(crate) next_record: u64,
    pub(crate) totals: Totals,
    pub(crate) gone: Gone,
    pub(crate) consumers: Vec<Consumer>,
}

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger {
            // Segment 0 does not exist, so that position 0 is before the first.
            floor: 1,
            floor_record: 0,
            next: 1,
            next_record: 0,
            totals: Totals::default(),
            gone: Gone::default(),
            consumers: Vec::new(),
        }
    }
}

/// What one copy turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Copy {
    /// A whole copy.
    Whole {
        /// Its generation.
        generation: u64,
        /// What it says.
        ledger: Ledger,
    },
    /// A later version wrote it.
    Newer(u32),
    /// Anything else.
    Damaged,
}

impl Ledger {
    /// One copy, without padding.
    pub(crate) fn encode(&self, generation: u64) -> Vec<u8> {
        let mut body = Vec::with_capacity(1024);
        let mut numbers = vec![self.floor, self.floor_record, self.next, self.next_record];
        let totals = &self.totals;
        numbers.extend([totals.dropped.segments, totals.dropped.records]);
        numbers.extend([totals.missing.segments, totals.missing.records]);
        numbers.extend([totals.rejected_records, totals.damaged_records, totals.cut_bytes]);
        numbers.iter().for_each(|number| body.extend_from_slice(&number.to_le_bytes()));
        self.gone.encode(&mut body);
        body.extend_from_slice(&count(self.consumers.len()).to_le_bytes());
        self.consumers.iter().for_each(|consumer| consumer.encode(&mut body));

        let mut checked = generation.to_le_bytes().to_vec();
        checked.extend_from_slice(&count(body.len()).to_le_bytes());
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&checked), &body);
        let mut out = Vec::with_capacity(HEAD_LEN + body.len());
        preamble::encode(MAGIC, &mut out);
        out.extend_from_slice(&checked);
        out.extend_from_slice(&checksum.to_le_bytes());
        out.extend_from_slice(&body);
        out
    }

    /// Reads the copy at the beginning of `bytes`. Any bytes will do.
    pub(crate) fn decode(bytes: &[u8]) -> Copy {
        match preamble::decode(MAGIC, bytes) {
            Preamble::Newer(version) => Copy::Newer(version),
            Preamble::Damaged => Copy::Damaged,
            Preamble::Known => decode_checked(bytes).unwrap_or(Copy::Damaged),
        }
    }
}

impl Consumer {
    fn encode(&self, out: &mut Vec<u8>) {
        for part in [self.name.as_bytes(), &self.note] {
            out.extend_from_slice(&u16::try_from(part.len()).unwrap_or_default().to_le_bytes());
            out.extend_from_slice(part);
        }
        out.push(u8::from(self.is_active));
        let numbers = [
            self.position,
            self.dropped.segments,
            self.dropped.records,
            self.missing.segments,
            self.missing.records,
        ];
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    }

    fn decode(cursor: &mut Cursor<'_>) -> Option<Consumer> {
        let length = cursor.u16()?;
        let name = std::str::from_utf8(cursor.take(usize::from(length))?).ok()?.to_owned();
        let length = cursor.u16()?;
        let note = cursor.take(usize::from(length))?.to_vec();
        if name.len() > MAX_NAME_LEN || note.len() > MAX_NOTE_LEN {
            return None;
        }
        Some(Consumer {
            name,
            note,
            is_active: cursor.u8()? != 0,
            position: cursor.u64()?,
            dropped: Lost { segments: cursor.u64()?, records: cursor.u64()? },
            missing: Lost { segments: cursor.u64()?, records: cursor.u64()? },
        })
    }
}

fn decode_checked(bytes: &[u8]) -> Option<Copy> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(preamble::LEN)?;
    let mut checked = cursor;
    let generation = cursor.u64()?;
    let length = usize::try_from(cursor.u32()?).ok()?;
    let checksum = cursor.u32()?;
    let body = cursor.take(length)?;
    if checksum != crc32c::crc32c_append(crc32c::crc32c(checked.take(12)?), body) {
        return None;
    }
    let mut cursor = Cursor::new(body);
    let ledger = decode_body(&mut cursor)?;
    cursor.is_empty().then_some(Copy::Whole { generation, ledger })
}

fn decode_body(cursor: &mut Cursor<'_>) -> Option<Ledger> {
    let (floor, floor_record) = (cursor.u64()?, cursor.u64()?);
    let (next, next_record) = (cursor.u64()?, cursor.u64()?);
    let totals = Totals {
        dropped: Lost { segments: cursor.u64()?, records: cursor.u64()? },
        missing: Lost { segments: cursor.u64()?, records: cursor.u64()? },
        rejected_records: cursor.u64()?,
        damaged_records: cursor.u64()?,
        cut_bytes: cursor.u64()?,
    };
    let gone = Gone::decode(cursor)?;
    let count = usize::try_from(cursor.u32()?).ok()?;
    if count > MAX_CONSUMERS + MAX_RETIRED || floor == 0 || next < floor {
        return None;
    }
    let consumers = (0..count).map(|_| Consumer::decode(cursor)).collect::<Option<Vec<_>>>()?;
    Some(Ledger { floor, floor_record, next, next_record, totals, gone, consumers })
}

/// Decodes one copy of a ledger and says whether it is whole. For tests and fuzzing: any bytes
/// will do.
pub fn decode_ledger(bytes: &[u8]) -> bool {
    matches!(Ledger::decode(bytes), Copy::Whole { .. })
}

/// A count that the limits keep far below four billion.
pub(crate) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Ledger {
        let mut gone = Gone::default();
        gone.insert(5, 5, 10);
        gone.insert(7, 9, 31);
        let consumer = |name: &str, is_active| Consumer {
            name: name.to_owned(),
            is_active,
            position: 4,
            note: b"a note".to_vec(),
            dropped: Lost { segments: 4, records: 41 },
            missing: Lost { segments: 1, records: 2 },
        };
        Ledger {
            floor: 4,
            floor_record: 300,
            next: 12,
            next_record: 900,
            totals: Totals { rejected_records: 3, cut_bytes: 9, ..Totals::default() },
            gone,
            consumers: vec![consumer("bucket", true), consumer("gone away", false)],
        }
    }

    #[test]
    fn a_ledger_reads_back() {
        let ledger = sample();
        let bytes = ledger.encode(8);
        assert_eq!(Ledger::decode(&bytes), Copy::Whole { generation: 8, ledger });
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_damage() {
        let bytes = sample().encode(8);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert_eq!(Ledger::decode(&damaged), Copy::Damaged, "byte {at}");
            assert_eq!(Ledger::decode(&bytes[..at]), Copy::Damaged, "cut at {at}");
        }
    }

    #[test]
    fn the_largest_ledger_fits_its_room() {
        let mut ledger = sample();
        ledger.gone = Gone::default();
        for number in 0..1000 {
            ledger.gone.insert(number * 2 + 10, number * 2 + 10, 1);
        }
        ledger.consumers = (0..MAX_CONSUMERS + MAX_RETIRED)
            .map(|number| Consumer {
                name: format!("{number:064}"),
                note: vec![7; MAX_NOTE_LEN],
                ..ledger.consumers[0].clone()
            })
            .collect();
        let bytes = ledger.encode(1);
        assert!(bytes.len() <= SLOT_LEN, "{}", bytes.len());
        assert!(matches!(Ledger::decode(&bytes), Copy::Whole { .. }));
    }
}
