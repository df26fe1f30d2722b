//! Reading one segment: its records in order, and what is damaged between them.
//!
//! Memory is bounded by one record, or [`WINDOW_LEN`] if that is more.
//! Reading cannot fail once the file is open: a sector that cannot be read counts as zeros, and
//! zeros are never a record, so what was there is told as damage like any other.
//!
//! The same walk finds the end of a segment that was not sealed (see [`crate::recover`]), and it
//! is what a fuzzer drives ([`decode_segment`]): any bytes will do.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::SegmentId;
use crate::fs::File;
use crate::inventory::Segment;
use crate::record::{FOOTER_MARK, HEAD_LEN, Head};
use crate::segment::{self, FOOTER_LEN, Footer, HEADER_LEN, Header};
use crate::shared::Shared;

/// What is read at a time, in bytes.
const WINDOW_LEN: usize = 256 * 1024;

/// What is given up at a time when the disk cannot read, in bytes.
const SECTOR_LEN: u64 = 4096;

/// One thing in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A record, byte for byte as it was appended.
    Record(&'a [u8]),
    /// Something that was skipped. The records around it are whole.
    Damage(Damage),
}

/// A damaged place in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub segment: SegmentId,
    /// Where in its file, in bytes.
    pub offset: u64,
    /// How many bytes were skipped.
    pub bytes: u64,
    /// What was there.
    pub kind: DamageKind,
}

/// What was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DamageKind {
    /// The header. No record is lost by it.
    Header,
    /// Exactly one record.
    Record,
    /// A stretch in which no record can be made out; it may have held any number.
    Stretch,
    /// The records that were read are not those that were sealed. Comes last.
    Count {
        /// Records when it was sealed.
        sealed: u64,
        /// Whole records now.
        whole: u64,
    },
}

/// Reads one segment. Made by [`Spool::read`](crate::Spool::read).
pub struct SegmentReader {
    walk: Walk,
    /// Who to tell about losses, once.
    shared: Option<Arc<Shared>>,
}

impl SegmentReader {
    pub(crate) fn new(
        file: Arc<dyn File>,
        id: SegmentId,
        segment: Segment,
        shared: Arc<Shared>,
    ) -> SegmentReader {
        let walk = Walk::new(file, id, segment.end, Some(segment.footer));
        SegmentReader { walk, shared: Some(shared) }
    }

    /// The next record or damaged place; `None` at the end of the segment, and from then on.
    /// The same segment gives the same items each time it is read, unless the disk changes.
    #[expect(clippy::should_implement_trait, reason = "an item borrows from the reader")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        let step = self.walk.step();
        if matches!(step, Step::End)
            && let Some(shared) = self.shared.take()
        {
            shared.count_damage(self.walk.id, self.walk.lost_records());
        }
        self.walk.item(step)
    }

    /// The segment.
    pub fn id(&self) -> SegmentId {
        self.walk.id
    }

    /// How many records the segment held when it was sealed.
    pub fn sealed_records(&self) -> u64 {
        self.walk.sealed.map_or(0, |footer| footer.records)
    }

    /// How many of them are known to be lost, as far as was read; exact at the end.
    pub fn lost_records(&self) -> u64 {
        self.walk.lost_records()
    }
}

/// Where a walk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Header,
    Records,
    Done,
}

/// One step of a walk; a record is a range of the window.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Record(Range<usize>),
    Damage(Damage),
    End,
}

/// A walk over the bytes of a segment.
pub(crate) struct Walk {
    file: Arc<dyn File>,
    id: SegmentId,
    stage: Stage,
    /// What of the file is in memory: `window[start..filled]` stands at `offset`.
    window: Vec<u8>,
    start: usize,
    filled: usize,
    offset: u64,
    /// Where the records end.
    end: u64,
    /// What should be there; `None` when that is being found out.
    sealed: Option<Footer>,
    /// The whole records so far.
    pub(crate) found: Footer,
    /// Where the last whole record ends.
    pub(crate) found_end: u64,
    /// Records that were there and damaged.
    damaged: u64,
    /// Whether anything but the header was damaged.
    has_damage: bool,
    /// Whether there were sectors that the disk could not read.
    has_unreadable: bool,
}

impl Walk {
    /// Walks the records of this file up to `end`.
    pub(crate) fn new(
        file: Arc<dyn File>,
        id: SegmentId,
        end: u64,
        sealed: Option<Footer>,
    ) -> Walk {
        Walk {
            file,
            id,
            stage: Stage::Header,
            window: Vec::new(),
            start: 0,
            filled: 0,
            offset: 0,
            end,
            sealed,
            found: Footer::default(),
            found_end: HEADER_LEN.min(end),
            damaged: 0,
            has_damage: false,
            has_unreadable: false,
        }
    }

    /// What is at the place where a step ended.
    pub(crate) fn item(&self, step: Step) -> Option<Item<'_>> {
        match step {
            Step::Record(range) => self.window.get(range).map(Item::Record),
            Step::Damage(damage) => Some(Item::Damage(damage)),
            Step::End => None,
        }
    }

    /// Whether the disk could not read something that lies before the end.
    pub(crate) fn has_unreadable(&self) -> bool {
        self.has_unreadable
    }

    /// Records that are known to be lost.
    fn lost_records(&self) -> u64 {
        let Some(sealed) = self.sealed.filter(|_| self.stage == Stage::Done) else {
            return self.damaged;
        };
        // A recovered segment was sealed without the records that were damaged by then.
        sealed.records.saturating_sub(self.found.records).max(self.damaged)
    }

    pub(crate) fn step(&mut self) -> Step {
        match self.stage {
            Stage::Header => {
                self.stage = Stage::Records;
                self.header().map_or_else(|| self.record(), Step::Damage)
            }
            Stage::Records => self.record(),
            Stage::Done => Step::End,
        }
    }

    /// Steps over the header; the damage, if it is.
    fn header(&mut self) -> Option<Damage> {
        let length = HEADER_LEN.min(self.end);
        self.fill(HEADER_LEN as usize);
        let header = segment::decode_header(self.id, self.ahead());
        self.advance(length);
        // A later version was refused at open; if it is met here, the records are tried.
        let is_whole = matches!(header, Header::Whole { .. });
        (!is_whole).then(|| self.damage(0, DamageKind::Header))
    }

    fn record(&mut self) -> Step {
        if self.offset >= self.end {
            return self.finish();
        }
        let from = self.offset;
        self.fill(HEAD_LEN);
        let Some(head) = Head::decode(self.id, from, self.ahead()) else { return self.search() };
        if head.length == FOOTER_MARK {
            // In a sealed segment the walk ends before the footer. One that is found here was
            // followed by something that does not belong to the segment.
            self.fill(FOOTER_LEN as usize);
            if Footer::decode(self.id, from, self.ahead()).is_none() {
                return self.search();
            }
            self.end = from;
            return self.finish();
        }
        let Some(total) = self.total(head) else { return self.search() };
        self.fill(total);
        let body = self.start + HEAD_LEN..self.start + total;
        let is_whole = self
            .window
            .get(body.clone())
            .is_some_and(|body| crc32c::crc32c(body) == head.body_checksum);
        self.advance(total as u64);
        if !is_whole {
            self.damaged += 1;
            self.has_damage = true;
            return Step::Damage(self.damage(from, DamageKind::Record));
        }
        self.found.add(head);
        self.found_end = self.offset;
        Step::Record(body)
    }

    /// Looks for the next whole record, and tells what was stepped over.
    fn search(&mut self) -> Step {
        let from = self.offset;
        self.has_damage = true;
        self.advance(1);
        while self.offset < self.end {
            self.fill(HEAD_LEN);
            if let Some(head) = Head::decode(self.id, self.offset, self.ahead())
                && self.is_whole(head)
            {
                break;
            }
            self.advance(1);
        }
        Step::Damage(self.damage(from, DamageKind::Stretch))
    }

    /// Whether the body of this head at the present place is whole too. Asked only in a search:
    /// a head that is right by chance must not lead it astray.
    fn is_whole(&mut self, head: Head) -> bool {
        if head.length == FOOTER_MARK {
            self.fill(FOOTER_LEN as usize);
            return Footer::decode(self.id, self.offset, self.ahead()).is_some();
        }
        let Some(total) = self.total(head) else { return false };
        self.fill(total);
        let body = self.window.get(self.start + HEAD_LEN..self.start + total);
        body.is_some_and(|body| crc32c::crc32c(body) == head.body_checksum)
    }

    /// The length of head and body, if that much is there.
    fn total(&self, head: Head) -> Option<usize> {
        let total = HEAD_LEN.checked_add(head.body_len())?;
        (total as u64 <= self.end - self.offset).then_some(total)
    }

    fn finish(&mut self) -> Step {
        self.stage = Stage::Done;
        let Some(sealed) = self.sealed else { return Step::End };
        let whole = self.found.records;
        let is_explained = whole + self.damaged == sealed.records && self.has_damage;
        if self.found == sealed || is_explained {
            return Step::End;
        }
        let kind = DamageKind::Count { sealed: sealed.records, whole };
        Step::Damage(self.damage(self.offset, kind))
    }

    /// Damage from there to the present place.
    fn damage(&self, from: u64, kind: DamageKind) -> Damage {
        Damage { segment: self.id, offset: from, bytes: self.offset - from, kind }
    }

    /// What is in memory from the present place on.
    fn ahead(&self) -> &[u8] {
        self.window.get(self.start..self.filled).unwrap_or_default()
    }

    fn advance(&mut self, count: u64) {
        let count = count.min(self.end.saturating_sub(self.offset));
        self.offset += count;
        // What is stepped over was filled before, so it fits.
        self.start = self.start.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        debug_assert!(self.start <= self.filled, "stepped over what was not read");
        self.start = self.start.min(self.filled);
    }

    /// Brings `count` bytes from the present place into memory, or as many as there are before
    /// the end.
    fn fill(&mut self, count: usize) {
        let there = self.end.saturating_sub(self.offset);
        let count = usize::try_from(there).unwrap_or(usize::MAX).min(count);
        if self.filled - self.start >= count {
            return;
        }
        self.window.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        // A search calls with a few bytes at a time; a window is filled at a time.
        let room = usize::try_from(there).unwrap_or(usize::MAX).min(WINDOW_LEN).max(count);
        if self.window.len() < room {
            self.window.resize(room, 0);
        }
        while self.filled < count {
            self.read_more(room);
        }
    }

    /// Reads until at most `room` bytes are in memory, at least one more than before.
    fn read_more(&mut self, room: usize) {
        let at = self.offset + self.filled as u64;
        let Some(rest) = self.window.get_mut(self.filled..room) else { return };
        match self.file.read_at(rest, at) {
            Ok(count) if count > 0 => {
                self.filled += count;
                return;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
            // The file is shorter than it was: what is not there reads as zeros.
            Ok(_) => {
                rest.fill(0);
                self.filled = room;
                return;
            }
            Err(_) => {}
        }
        // The disk failed somewhere in this stretch. Take it up to the end of the sector, and if
        // that fails too, do without this sector.
        let sector = usize::try_from(SECTOR_LEN - at % SECTOR_LEN).unwrap_or(1).min(rest.len());
        let Some(rest) = rest.get_mut(..sector) else { return };
        match self.file.read_at(rest, at) {
            Ok(count) if count > 0 => self.filled += count,
            _ => {
                rest.fill(0);
                self.filled += sector;
                self.has_unreadable = true;
            }
        }
    }
}

/// Walks bytes as if they were a segment's file, and gives every record and every damaged place.
/// For tests and fuzzing: any bytes will do, and no more memory is asked for than about twice theirs.
pub fn decode_segment(id: SegmentId, bytes: &[u8], sink: &mut dyn FnMut(Item<'_>)) {
    let length = bytes.len() as u64;
    let end = length.saturating_sub(FOOTER_LEN);
    let at_end = usize::try_from(end).ok().and_then(|end| bytes.get(end..));
    let sealed = Footer::decode(id, end, at_end.unwrap_or_default());
    let end = if sealed.is_some() { end } else { length };
    let mut walk = Walk::new(Arc::new(Memory(bytes.to_vec())), id, end, sealed);
    loop {
        let step = walk.step();
        let Some(item) = walk.item(step) else { break };
        sink(item);
    }
}

/// Bytes in the place of a file.
struct Memory(Vec<u8>);

impl File for Memory {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(start..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn set_size(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
