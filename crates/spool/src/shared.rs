//! What the writer and the handles share.
//!
//! Two locks. The inventory's is held for memory work, and for an open or an unlink where file
//! and inventory must change together; the writer takes it. The ledger file's is held over syncs
//! and the writer takes it only if nobody else has it. Who takes both takes the ledger file's
//! first.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use crate::SegmentId;
use crate::error::Error;
use crate::fs::{File, FileSystem};
use crate::inventory::Inventory;
use crate::ledger::{LedgerFile, Lost};
use crate::reader::SegmentReader;

/// Called when a segment was sealed.
pub(crate) type Listener = Box<dyn Fn() + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) fs: Arc<dyn FileSystem>,
    pub(crate) dir: PathBuf,
    pub(crate) ledger_path: PathBuf,
    pub(crate) max_bytes: u64,
    pub(crate) inventory: Mutex<Inventory>,
    pub(crate) ledger_file: Mutex<LedgerFile>,
    pub(crate) has_sealed: Condvar,
    pub(crate) listeners: RwLock<Vec<Listener>>,
    /// Held as long as anybody can write.
    pub(crate) _lock: Arc<dyn File>,
}

impl Shared {
    /// The inventory. A thread that panicked holding it left it between two plain assignments at
    /// worst; going on is better than losing what is recorded.
    pub(crate) fn inventory(&self) -> MutexGuard<'_, Inventory> {
        self.inventory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self, id: SegmentId) -> PathBuf {
        self.dir.join(id.file_name())
    }

    /// Makes room by removing the segment that gives way first. `None` if there is none, or if
    /// it cannot be removed.
    pub(crate) fn drop_oldest(&self) -> Option<Lost> {
        // The lock is held over the unlink, so that nobody is given this segment in between.
        let mut inventory = self.inventory();
        let id = inventory.droppable()?;
        match self.fs.remove(&self.path(id)) {
            Ok(()) => Some(inventory.mark_dropped(id)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                inventory.mark_missing(id);
                Some(Lost::default())
            }
            Err(_) => None,
        }
    }

    /// Writes the ledger down for the case of a kill, without waiting for the disk or for anybody
    /// who does. If somebody is just writing it, the next sync does what is left undone here.
    pub(crate) fn note_ledger(&self) {
        if let Ok(mut file) = self.ledger_file.try_lock() {
            let ledger = self.inventory().ledger.clone();
            file.note(&ledger);
        }
    }

    /// Removes files that the ledger says nobody needs. One that cannot be removed now is
    /// removed by the next start.
    pub(crate) fn remove_released(&self, released: &[SegmentId]) {
        for id in released {
            let _ = self.fs.remove(&self.path(*id));
        }
    }

    /// Wakes everybody who waits for a sealed segment.
    pub(crate) fn announce(&self) {
        self.has_sealed.notify_all();
        for listener in self.listeners.read().unwrap_or_else(PoisonError::into_inner).iter() {
            listener();
        }
    }

    /// Opens a segment to read.
    pub(crate) fn read(self: &Arc<Shared>, id: SegmentId) -> Result<SegmentReader, Error> {
        let mut inventory = self.inventory();
        let Some(segment) = inventory.segments.get(&id.0).copied() else {
            return Err(Error::NoSuchSegment { id });
        };
        let path = self.path(id);
        match self.fs.open(&path) {
            Ok(file) => Ok(SegmentReader::new(file, id, segment, Arc::clone(self))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                inventory.mark_missing(id);
                Err(Error::NoSuchSegment { id })
            }
            Err(error) => Err(Error::io("open", &path)(error)),
        }
    }

    /// Counts records lost inside a segment, the first time it was read to its end.
    pub(crate) fn count_damage(&self, id: SegmentId, lost: u64) {
        if lost == 0 {
            return;
        }
        let mut inventory = self.inventory();
        // If it was confirmed while it was read, somebody else has read it to its end.
        let Some(segment) = inventory.segments.get_mut(&id.0) else { return };
        if !segment.is_damage_counted {
            segment.is_damage_counted = true;
            inventory.ledger.totals.damaged_records += lost;
            inventory.is_ledger_behind = true;
        }
    }
}
