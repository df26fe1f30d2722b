//! What a start finds: every segment looked at, the unsealed ones cut after their last whole
//! record and sealed.
//!
//! Sealed segments are known by their two ends, so a start after a month offline reads a few
//! dozen bytes of each file. Only a segment without a footer is walked from end to end.
//!
//! **Invariant: a later version's file stops the start before anything was changed.** All headers
//! are read first; repairs come after.
//! **Invariant: repairs may be repeated.** A start that is interrupted at any place is followed
//! by one that finds either what the first had found or what it had made of it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::SegmentId;
use crate::error::Error;
use crate::fs::{self, File, FileSystem};
use crate::inventory::{Inventory, Segment};
use crate::ledger::{Ledger, Lost};
use crate::preamble::VERSION;
use crate::reader::{Step, Walk};
use crate::segment::{self, FOOTER_LEN, Footer, HEADER_LEN, Header};

/// What was found when the spool was opened, and what was done about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// What the ledger was like.
    pub ledger: LedgerState,
    /// Sealed segments that wait for a consumer, recovered ones included.
    pub segments: u64,
    /// Unsealed segments that were sealed, and the records in them: what the run before had
    /// written and not sealed when it ended.
    pub recovered: Lost,
    /// Bytes cut off behind the last whole record of unsealed segments. Records in them were
    /// being written when the run before ended, or were not durable when the power went.
    pub cut_bytes: u64,
    /// Unsealed segments in which not one whole record was found; removed.
    pub empty_segments: u64,
    /// Segments whose header is damaged; their records are not affected.
    pub damaged_headers: u64,
    /// Damaged places in unsealed segments before their last whole record. The reader tells them.
    pub damaged_places: u64,
    /// Segments that should be there and are not, and the records that were in them.
    pub missing: Lost,
    /// Files that everybody had confirmed and that a run before could not remove; removed.
    pub leftovers: u64,
    /// Segments that could not be given a footer, because the disk is full or cannot read all of
    /// them. What can be read of them is delivered, and the next start tries again.
    pub unfinished: u64,
}

/// What the ledger was like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerState {
    /// There was none, and no segments: a new spool.
    #[default]
    New,
    /// Both copies were whole.
    Whole,
    /// One of its two copies was damaged, or was being written when the run before ended; the
    /// other was used, and both are whole again.
    Halved,
    /// There were segments and no ledger, or both copies were damaged. Every consumer begins at
    /// the oldest segment, without a note. A damaged ledger is kept as `ledger.damaged`.
    Lost,
}

impl Recovery {
    /// Whether something was lost or damaged that an operator should hear of. What a killed run
    /// leaves as a matter of course is not counted: an unsealed segment, its torn last record, a
    /// copy of the ledger that was just being written.
    pub fn has_damage(&self) -> bool {
        self.ledger == LedgerState::Lost
            || self.damaged_headers > 0
            || self.damaged_places > 0
            || self.missing.segments > 0
    }
}

/// A segment's file, as its two ends show it. The file is not kept open: there may be more of
/// them than a process may have open files.
pub(crate) struct Candidate {
    id: SegmentId,
    size: u64,
    first: Option<u64>,
    footer: Option<Footer>,
}

/// Looks at both ends of a segment's file. Changes nothing. `None` if there is a name and no
/// file that could be opened: such a segment is told as missing.
pub(crate) fn look(
    fs: &dyn FileSystem,
    dir: &Path,
    id: SegmentId,
) -> Result<Option<Candidate>, Error> {
    let path = dir.join(id.file_name());
    let file = match fs.open(&path) {
        Ok(file) => file,
        Err(error) if is_damage(&error) => return Ok(None),
        // Permissions, too many open files: nothing is wrong with the segment.
        Err(error) => return Err(Error::io("open", &path)(error)),
    };
    let size = file.size().map_err(Error::io("look at", &path))?;
    let mut bytes = [0; HEADER_LEN as usize];
    // What cannot be read is damaged.
    let count = fs::read_full_at(&*file, &mut bytes, 0).unwrap_or(0);
    let first = match segment::decode_header(id, bytes.get(..count).unwrap_or_default()) {
        Header::Whole { first } => Some(first),
        Header::Damaged => None,
        Header::Newer(found) => {
            return Err(Error::NewerVersion { path, found, known: VERSION });
        }
    };
    let mut bytes = [0; FOOTER_LEN as usize];
    let footer = size.checked_sub(FOOTER_LEN).filter(|end| *end >= HEADER_LEN).and_then(|end| {
        let count = fs::read_full_at(&*file, &mut bytes, end).unwrap_or(0);
        Footer::decode(id, end, bytes.get(..count).unwrap_or_default())
    });
    Ok(Some(Candidate { id, size, first, footer }))
}

/// Whether the disk or the file system is broken at this file: an error of the device (EIO), of
/// a checksum (EBADMSG), of the structure (EUCLEAN), or the name is a folder's (EISDIR).
/// The numbers are the same on all of Linux's architectures that this is built for.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(5 | 74 | 117 | 21))
}

/// Makes the inventory of what was seen, oldest first, with repairs where they are needed.
pub(crate) fn take_stock(
    fs: &dyn FileSystem,
    dir: &Path,
    seen: Vec<Candidate>,
    ledger: Ledger,
    recovery: &mut Recovery,
) -> Result<Inventory, Error> {
    let mut inventory = Inventory::new(ledger);
    let mut number = inventory.ledger.floor_record;
    for candidate in seen {
        let path = dir.join(candidate.id.file_name());
        let id = candidate.id;
        if id.0 < inventory.ledger.floor || inventory.ledger.gone.contains(id.0) {
            let _ = fs.remove(&path);
            recovery.leftovers += 1;
            continue;
        }
        let (first, size) = (candidate.first, candidate.size);
        let repaired = match candidate.footer {
            Some(footer) => Repaired::Segment(footer, size.saturating_sub(FOOTER_LEN), size),
            None => {
                let file = fs.open(&path).map_err(Error::io("open", &path))?;
                repair(file, &candidate, recovery)
            }
        };
        let (footer, end, len) = match repaired {
            Repaired::Segment(footer, end, len) => (footer, end, len),
            Repaired::Unreadable => {
                // Its number is not used again, and it is told as missing.
                let next = &mut inventory.ledger.next;
                *next = (*next).max(id.0.saturating_add(1));
                recovery.unfinished += 1;
                continue;
            }
            Repaired::Empty => {
                let _ = fs.remove(&path);
                recovery.empty_segments += 1;
                recovery.cut_bytes += size.saturating_sub(HEADER_LEN);
                continue;
            }
        };
        if first.is_none() {
            recovery.damaged_headers += 1;
        }
        let first = first.unwrap_or(number);
        number = first.saturating_add(footer.records);
        // The run before may not have come to sync it; whether it had is not known.
        inventory.unsynced.insert(id.0);
        inventory.insert(id.0, Segment { first, footer, end, len, is_damage_counted: false });
    }
    recovery.segments = inventory.segments.len() as u64;
    inventory.ledger.totals.cut_bytes += recovery.cut_bytes;
    Ok(inventory)
}

/// What became of a segment.
enum Repaired {
    /// What it holds, where its records end, and how long its file is.
    Segment(Footer, u64, u64),
    /// It holds no whole record.
    Empty,
    /// The disk cannot read it, and no whole record is in what it can read.
    Unreadable,
}

/// Seals an unsealed segment behind its last whole record.
fn repair(file: Arc<dyn File>, candidate: &Candidate, recovery: &mut Recovery) -> Repaired {
    let (id, size) = (candidate.id, candidate.size);
    let mut walk = Walk::new(Arc::clone(&file), id, size, None);
    let mut damaged_places = 0;
    let mut places = 0;
    loop {
        match walk.step() {
            Step::Record(_) => damaged_places = places,
            // The header is counted with the sealed ones.
            Step::Damage(damage) => places += u64::from(damage.offset > 0),
            Step::End => break,
        }
    }
    let (footer, end) = (walk.found, walk.found_end);
    if footer.records == 0 {
        return if walk.has_unreadable() { Repaired::Unreadable } else { Repaired::Empty };
    }
    recovery.damaged_places += damaged_places;
    recovery.recovered.add(Lost { segments: 1, records: footer.records });
    let finish = || {
        if walk.has_unreadable() {
            // Perhaps another day the disk can read it. Until then nothing is cut.
            return Err(io::ErrorKind::InvalidData.into());
        }
        file.set_size(end)?;
        fs::write_all_at(&*file, &footer.encode(id, end), end)?;
        file.sync()
    };
    if finish().is_err() {
        recovery.unfinished += 1;
        return Repaired::Segment(footer, end, size.max(end));
    }
    recovery.cut_bytes += size.saturating_sub(end);
    Repaired::Segment(footer, end, end + FOOTER_LEN)
}

/// Counts what lies between the floor and the next number and is neither there nor known to be
/// gone, and sets the next number.
pub(crate) fn count_missing(inventory: &mut Inventory, recovery: &mut Recovery) {
    let ledger = &inventory.ledger;
    let positions = ledger.consumers.iter().map(|consumer| consumer.position.saturating_add(1));
    let newest = inventory.segments.last_key_value();
    let after_newest = newest.map_or(0, |(id, _)| id.saturating_add(1));
    let next = ledger.next.max(after_newest).max(positions.max().unwrap_or(0));
    let written =
        newest.map_or(0, |(_, segment)| segment.first.saturating_add(segment.footer.records));
    let next_record = ledger.next_record.max(written);

    let mut expected = (ledger.floor, ledger.floor_record);
    let mut gaps = Vec::new();
    let there = inventory.segments.iter().map(|(id, segment)| {
        (*id, segment.first, segment.first.saturating_add(segment.footer.records))
    });
    for (id, first, end) in there.chain([(next, next_record, next_record)]) {
        let unknown = (id - expected.0)
            .saturating_sub(ledger.gone.within(expected.0, id).map(|gone| gone.len()).sum());
        if unknown > 0 {
            let records = first
                .saturating_sub(expected.1)
                .saturating_sub(ledger.gone.records_within(expected.0, id));
            gaps.push((expected.0, id - 1, Lost { segments: unknown, records }));
        }
        expected = (id.saturating_add(1), end);
    }
    inventory.ledger.next = next;
    inventory.ledger.next_record = next_record;
    for (first, last, lost) in gaps {
        recovery.missing.add(lost);
        inventory.count_missing(first, last, lost);
    }
}
