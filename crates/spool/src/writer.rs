//! Appending: records are collected in memory, written with one call, and sealed.
//!
//! **Invariant:** what is before `written` in the file is a header and whole records, and what is
//! after it, if a write went wrong, is overwritten by the next one.
//! **Invariant:** nothing here waits for a disk to sync, and nothing here fails: what cannot be
//! stored is counted.

use std::io;
use std::sync::Arc;

use crate::SegmentId;
use crate::error;
use crate::fs::{self, File};
use crate::inventory::Segment;
use crate::ledger::Lost;
use crate::limits;
use crate::record::{HEAD_LEN, Head, MAX_RECORD_LEN};
use crate::segment::{self, FOOTER_LEN, Footer, HEADER_LEN};
use crate::shared::Shared;

/// What is collected before it is written without being asked to, in bytes.
const BUFFER_LEN: usize = 1024 * 1024;

/// What became of the records since the last call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Records written.
    pub stored: u64,
    /// Records for which there was no room, or that were too long. They are lost and counted.
    pub rejected: u64,
    /// What was dropped to make room.
    pub dropped: Lost,
}

/// The one end of the spool where records go in. When it is dropped, what it has collected is
/// written; the segment is left unsealed and the next start recovers it.
pub struct Writer {
    shared: Arc<Shared>,
    id: SegmentId,
    /// Number of the segment's first record.
    first: u64,
    /// The segment's file, from the first write on.
    file: Option<Arc<dyn File>>,
    /// Length of the whole part of the file in bytes.
    written: u64,
    /// The records in that part.
    stored: Footer,
    /// What is to be written next.
    buffer: Vec<u8>,
    /// The records in the file and in the buffer.
    tally: Footer,
    since: Flushed,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>) -> Writer {
        Writer {
            shared,
            id: SegmentId(0),
            first: 0,
            file: None,
            written: 0,
            stored: Footer::default(),
            buffer: Vec::with_capacity(BUFFER_LEN),
            tally: Footer::default(),
            since: Flushed::default(),
        }
    }

    /// Adds a record to the current segment. It is in memory until [`flush`](Writer::flush), or
    /// until a megabyte has come together. A record longer than
    /// [`MAX_RECORD_LEN`](crate::MAX_RECORD_LEN) is rejected.
    pub fn append(&mut self, record: &[u8]) {
        if record.len() > MAX_RECORD_LEN {
            self.reject(1);
            return;
        }
        if self.file.is_none() && self.buffer.is_empty() {
            self.begin();
        }
        let offset = self.written + self.buffer.len() as u64;
        let head = Head::of(record);
        head.encode(self.id, offset, &mut self.buffer);
        self.buffer.extend_from_slice(record);
        self.tally.add(head);
        if self.buffer.len() >= BUFFER_LEN {
            self.write_buffer();
        }
    }

    /// Writes what was appended, with one call to the system when there is room. From then on a
    /// kill of the process loses none of it.
    pub fn flush(&mut self) -> Flushed {
        self.write_buffer();
        std::mem::take(&mut self.since)
    }

    /// Flushes and closes the current segment, and gives it to the consumers. `None` if it holds
    /// no record. What [`flush`](Writer::flush) would have told is told by the next one.
    pub fn seal(&mut self) -> Option<SegmentId> {
        self.write_buffer();
        self.close()
    }

    /// Bytes of the records in the current segment, in the file and in memory.
    pub fn len_bytes(&self) -> u64 {
        self.tally.bytes
    }

    /// Number of records in the current segment, in the file and in memory.
    pub fn len_records(&self) -> u64 {
        self.tally.records
    }

    /// Begins a segment, in memory.
    fn begin(&mut self) {
        let inventory = self.shared.inventory();
        self.id = SegmentId(inventory.ledger.next);
        self.first = inventory.ledger.next_record;
        drop(inventory);
        self.written = 0;
        segment::encode_header(self.id, self.first, &mut self.buffer);
    }

    fn write_buffer(&mut self) {
        if self.tally == self.stored {
            return;
        }
        let before = self.since;
        let (done, problem) = self.try_write();
        self.settle(done);
        if self.since.dropped != before.dropped || self.since.rejected != before.rejected {
            self.shared.note_ledger();
        }
        if problem.is_some_and(|error| !error::is_full(&error)) {
            // Whatever is wrong with this file, a fresh one may not have it.
            self.close();
        }
    }

    /// Writes as much of the buffer as can be; says how much, and why not all.
    fn try_write(&mut self) -> (usize, Option<io::Error>) {
        if !self.make_room() {
            return (0, Some(io::ErrorKind::StorageFull.into()));
        }
        let mut done = 0;
        loop {
            let problem = match self.write_some(done) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    done += count;
                    if done >= self.buffer.len() {
                        return (done, None);
                    }
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            if !error::is_full(&problem) || !self.drop_oldest() {
                return (done, Some(problem));
            }
        }
    }

    fn write_some(&mut self, done: usize) -> io::Result<usize> {
        let file = match &self.file {
            Some(file) => file,
            None => {
                let file = self.create()?;
                self.shared.inventory().has_new_names = true;
                self.file.insert(file)
            }
        };
        let rest = self.buffer.get(done..).unwrap_or_default();
        file.write_at(rest, self.written + done as u64)
    }

    fn create(&self) -> io::Result<Arc<dyn File>> {
        let path = self.shared.path(self.id);
        match self.shared.fs.create(&path) {
            // Left by an attempt that could neither write nor remove it. Nobody knows it yet.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let file = self.shared.fs.open(&path)?;
                file.set_size(0)?;
                Ok(file)
            }
            other => other,
        }
    }

    /// Drops segments until the buffer fits below the limit; whether it does.
    fn make_room(&mut self) -> bool {
        let len = self.written + self.buffer.len() as u64 + FOOTER_LEN;
        let growth = limits::charge(len) - limits::charge(self.written);
        loop {
            let charged = self.shared.inventory().charged();
            if charged.saturating_add(growth) <= self.shared.max_bytes {
                return true;
            }
            if !self.drop_oldest() {
                return false;
            }
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let dropped = self.shared.drop_oldest();
        self.since.dropped.add(dropped.unwrap_or_default());
        dropped.is_some()
    }

    /// Takes stock after a write of `done` bytes of the buffer: whole records are stored, the
    /// others are lost and counted.
    fn settle(&mut self, done: usize) {
        let before = self.stored.records;
        let mut at = if self.written == 0 { HEADER_LEN as usize } else { 0 };
        if done >= self.buffer.len() {
            at = done;
            self.stored = self.tally;
        } else {
            while let Some(head) = self
                .buffer
                .get(at..)
                .and_then(|bytes| Head::decode(self.id, self.written + at as u64, bytes))
            {
                let end = at + HEAD_LEN + head.body_len();
                if end > done {
                    break;
                }
                self.stored.add(head);
                at = end;
            }
        }
        if self.stored.records > 0 {
            self.written += at as u64;
        } else if let Some(file) = self.file.take() {
            // Not even one record: no file, and the number is used by the next try.
            drop(file);
            let _ = self.shared.fs.remove(&self.shared.path(self.id));
        }
        if let Some(file) = &self.file
            && done < self.buffer.len()
        {
            // Best effort: a torn record would be overwritten, or cut at the next start.
            let _ = file.set_size(self.written);
        }
        self.since.stored += self.stored.records - before;
        self.reject(self.tally.records - self.stored.records);
        self.tally = self.stored;
        self.buffer.clear();
        let mut inventory = self.shared.inventory();
        inventory.current_len = self.written;
        if self.stored.records > before {
            inventory.unsynced.insert(self.id.0);
        }
    }

    fn reject(&mut self, records: u64) {
        if records > 0 {
            self.since.rejected += records;
            let mut inventory = self.shared.inventory();
            inventory.ledger.totals.rejected_records += records;
            inventory.is_ledger_behind = true;
        }
    }

    /// Ends the segment with a footer, as far as the disk lets us. Without one it is sealed all
    /// the same, and the next start writes the footer.
    fn close(&mut self) -> Option<SegmentId> {
        let file = self.file.take()?;
        let bytes = self.stored.encode(self.id, self.written);
        let has_footer = loop {
            match fs::write_all_at(&*file, &bytes, self.written) {
                Ok(()) => break true,
                Err(error) if error::is_full(&error) && self.drop_oldest() => {}
                Err(_) => {
                    let _ = file.set_size(self.written);
                    break false;
                }
            }
        };
        let segment = Segment {
            first: self.first,
            footer: self.stored,
            end: self.written,
            len: self.written + if has_footer { FOOTER_LEN } else { 0 },
            is_damage_counted: false,
        };
        let mut inventory = self.shared.inventory();
        inventory.unsynced.insert(self.id.0);
        let released = inventory.seal(self.id.0, segment);
        drop(inventory);
        self.shared.note_ledger();
        self.shared.remove_released(&released);
        self.written = 0;
        self.stored = Footer::default();
        self.tally = Footer::default();
        self.shared.announce();
        Some(self.id)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.write_buffer();
    }
}
