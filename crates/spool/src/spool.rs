//! The handle: what the consumers and the syncing thread use.

use std::path::Path;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::SegmentId;
use crate::error::Error;
use crate::fs::{Disk, FileSystem};
use crate::inventory;
use crate::ledger::{Ledger, LedgerFile};
use crate::open::{self, Options};
use crate::reader::SegmentReader;
use crate::recover::Recovery;
use crate::shared::Shared;
use crate::stats::Stats;
use crate::writer::Writer;

/// A handle to an open spool. Clones are the same spool; it is closed, and its lock let go, when
/// the writer, all handles and all readers are dropped.
#[derive(Clone)]
pub struct Spool {
    shared: Arc<Shared>,
}

impl Spool {
    /// Opens the spool in this folder, or makes one, and brings it in order after whatever ended
    /// the run before. `consumers` are the names of all who have to confirm a segment.
    ///
    /// # Errors
    ///
    /// Another process has it, a later version wrote it (nothing is changed then), a name is not
    /// usable, or the system refuses something. Damage is not an error: see [`Recovery`].
    pub fn open(
        dir: &Path,
        options: &Options,
        consumers: &[&str],
    ) -> Result<(Writer, Spool, Recovery), Error> {
        Spool::open_on(Arc::new(Disk), dir, options, consumers)
    }

    /// Like [`Spool::open`], on a file system of the caller's choice.
    pub fn open_on(
        fs: Arc<dyn FileSystem>,
        dir: &Path,
        options: &Options,
        consumers: &[&str],
    ) -> Result<(Writer, Spool, Recovery), Error> {
        let (writer, shared, recovery) = open::open(fs, dir, options, consumers)?;
        Ok((writer, Spool { shared }, recovery))
    }

    /// The segment that this consumer has to take next: the oldest sealed one that it has not
    /// confirmed. `None` if it has everything, or if there is no such consumer.
    ///
    /// This segment is not dropped until the consumer has confirmed it.
    pub fn next_for(&self, consumer: &str) -> Option<SegmentId> {
        let inventory = self.shared.inventory();
        let position = inventory.ledger.consumer(consumer)?.position;
        inventory.next_after(position)
    }

    /// The oldest sealed segment after this one, for a consumer that works ahead; by at most
    /// [`Options::ahead`](crate::Options::ahead), or the segment may be dropped meanwhile.
    pub fn sealed_after(&self, id: SegmentId) -> Option<SegmentId> {
        self.shared.inventory().next_after(id.0)
    }

    /// Like [`Spool::next_for`], and waits at most this long until there is one.
    pub fn wait_for(&self, consumer: &str, timeout: Duration) -> Option<SegmentId> {
        let deadline = Instant::now().checked_add(timeout);
        let mut inventory = self.shared.inventory();
        loop {
            let position = inventory.ledger.consumer(consumer)?.position;
            if let Some(id) = inventory.next_after(position) {
                return Some(id);
            }
            let left = deadline.map_or(timeout, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return None;
            }
            let waited = self.shared.has_sealed.wait_timeout(inventory, left);
            inventory = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Has this called after each sealed segment, on the writer's thread, until the spool is
    /// closed. It must be quick and must not block; setting a flag or waking a task is right.
    pub fn on_sealed(&self, listener: impl Fn() + Send + Sync + 'static) {
        let mut listeners = self.shared.listeners.write().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Box::new(listener));
    }

    /// Opens a sealed segment to read, any number of times.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Gone`](crate::ErrorKind::Gone) if it is not there: then
    /// [`Spool::next_for`] gives another one. Or the system refuses to open the file.
    pub fn read(&self, id: SegmentId) -> Result<SegmentReader, Error> {
        self.shared.read(id)
    }

    /// Records, durably, that this consumer has done with its next segment, and a note of its
    /// own (at most [`MAX_NOTE_LEN`](crate::MAX_NOTE_LEN) bytes) in the same step. Segments that
    /// every consumer has confirmed are then removed.
    ///
    /// Confirming the same segment again is allowed and changes at most the note. It syncs, so
    /// it may take a while.
    ///
    /// # Errors
    ///
    /// On an error nothing is confirmed in this run, and the call is to be repeated. If the run
    /// ends before that, the next one may find the confirmation made.
    pub fn confirm(&self, consumer: &str, id: SegmentId, note: &[u8]) -> Result<(), Error> {
        let mut file = self.ledger_file();
        let Some(planned) = self.shared.inventory().plan_confirm(consumer, id, note)? else {
            return Ok(());
        };
        self.write(&mut file, &planned)?;
        // The writer may have dropped or sealed something meanwhile, so the change is made again
        // where everything else is up to date.
        let released = {
            let mut inventory = self.shared.inventory();
            inventory.ledger.confirm(consumer, id, note);
            inventory.release()
        };
        self.shared.remove_released(&released);
        Ok(())
    }

    /// What this consumer gave with its last confirmation; empty before the first, `None` if
    /// there is no such consumer.
    pub fn note(&self, consumer: &str) -> Option<Vec<u8>> {
        Some(self.shared.inventory().ledger.consumer(consumer)?.note.clone())
    }

    /// Makes these the consumers from now on. A new one begins at the oldest segment that there
    /// is; one that is not named holds nothing back any longer; one that comes back later goes on
    /// where it was, with its note.
    ///
    /// # Errors
    ///
    /// A name is not usable, or the change could not be made durable; nothing is changed then.
    pub fn set_consumers(&self, consumers: &[&str]) -> Result<(), Error> {
        inventory::check_names(consumers)?;
        let mut file = self.ledger_file();
        let planned = self.shared.inventory().plan_consumers(consumers);
        self.write(&mut file, &planned)?;
        let released = {
            let mut inventory = self.shared.inventory();
            inventory.ledger.set_consumers(consumers);
            inventory.release()
        };
        self.shared.remove_released(&released);
        // Somebody may have more to take than before.
        self.shared.announce();
        Ok(())
    }

    /// Makes everything durable that was flushed before the call. Meant to be called about once
    /// a second by a thread that may wait for the disk; it holds up nobody else. Cheap when
    /// nothing was written.
    ///
    /// # Errors
    ///
    /// The system could not sync something. The next call tries that again.
    pub fn sync(&self) -> Result<(), Error> {
        let (ids, has_new_names) = {
            let mut inventory = self.shared.inventory();
            let ids = std::mem::take(&mut inventory.unsynced);
            (ids, std::mem::take(&mut inventory.has_new_names))
        };
        let mut outcome = Ok(());
        for id in ids {
            if let Err(error) = self.sync_segment(SegmentId(id)) {
                self.shared.inventory().unsynced.insert(id);
                outcome = Err(error);
            }
        }
        if has_new_names {
            let dir = &self.shared.dir;
            if let Err(error) = self.shared.fs.sync_dir(dir).map_err(Error::io("sync", dir)) {
                self.shared.inventory().has_new_names = true;
                outcome = Err(error);
            }
        }
        outcome.and(self.sync_ledger())
    }

    /// Counts and positions as they are now.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared.inventory())
    }

    fn sync_segment(&self, id: SegmentId) -> Result<(), Error> {
        let path = self.shared.path(id);
        // A sync of any descriptor covers the whole file, so the writer's own is not needed.
        match self.shared.fs.open(&path) {
            Ok(file) => file.sync().map_err(Error::io("sync", &path)),
            // Confirmed or dropped meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io("open", &path)(error)),
        }
    }

    fn sync_ledger(&self) -> Result<(), Error> {
        let mut file = self.ledger_file();
        let ledger = {
            let mut inventory = self.shared.inventory();
            if !std::mem::take(&mut inventory.is_ledger_behind) {
                return Ok(());
            }
            inventory.ledger.clone()
        };
        let written = self.write(&mut file, &ledger);
        if written.is_err() {
            self.shared.inventory().is_ledger_behind = true;
        }
        written
    }

    fn ledger_file(&self) -> MutexGuard<'_, LedgerFile> {
        self.shared.ledger_file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, file: &mut LedgerFile, ledger: &Ledger) -> Result<(), Error> {
        file.write(ledger).map_err(Error::io("write", &self.shared.ledger_path))
    }
}
