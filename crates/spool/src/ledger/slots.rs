//! The ledger's file: two copies that are overwritten in place, one after the other.
//!
//! In place, because then a confirmation needs no new room on a full disk, where it is what
//! frees some (a copy-on-write file system may need a little all the same; the caller tries
//! again). Twice, because a write in place can be torn: **the second copy is not touched before
//! the first is durable**, so at each moment one copy is whole, and between writes both are, so
//! that a sector which goes bad costs nothing.
//! After a failed write the copy that it left in doubt is the first one written next time.
//!
//! Between such writes the copy that would be written first may be overwritten without a sync
//! ([`LedgerFile::note`]): worth nothing after a power cut, everything after a kill.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Copy, Ledger, SLOT_LEN};
use crate::error::Error;
use crate::fs::{self, File, FileSystem};

/// The open file.
pub(crate) struct LedgerFile {
    file: Arc<dyn File>,
    generation: u64,
    /// The copy to write first.
    doubtful: usize,
    /// Whether the other copy is known to be durable. A killed run may not have come to sync it.
    is_other_durable: bool,
}

/// What was found on disk.
pub(crate) enum Found {
    /// No file.
    Nothing,
    /// A ledger.
    Whole {
        /// The newest that is whole.
        ledger: Box<Ledger>,
        /// Its file.
        file: LedgerFile,
        /// Whether the other copy was not whole.
        is_halved: bool,
    },
    /// A later version's ledger.
    Newer(u32),
    /// A file of which no copy is whole.
    Damaged,
}

/// Reads the ledger of this name.
pub(crate) fn read(fs: &dyn FileSystem, path: &Path) -> Result<Found, Error> {
    let file = match fs.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(Error::io("open", path)(error)),
    };
    // A copy that cannot be read is a damaged one.
    let copies = [0, 1].map(|slot| {
        let mut bytes = vec![0; SLOT_LEN];
        let length = fs::read_full_at(&*file, &mut bytes, offset(slot)).unwrap_or(0);
        Ledger::decode(bytes.get(..length).unwrap_or_default())
    });
    if let Some(version) = copies.iter().find_map(|copy| match copy {
        Copy::Newer(version) => Some(*version),
        _ => None,
    }) {
        return Ok(Found::Newer(version));
    }
    let [left, right] = copies.map(|copy| match copy {
        Copy::Whole { generation, ledger } => Some((generation, Box::new(ledger))),
        _ => None,
    });
    let is_halved = left.is_none() || right.is_none();
    let (generation, ledger, doubtful) = match (left, right) {
        (Some((left, ledger)), Some((right, _))) if left >= right => (left, ledger, 1),
        (Some((generation, ledger)), None) => (generation, ledger, 1),
        (_, Some((generation, ledger))) => (generation, ledger, 0),
        (None, None) => return Ok(Found::Damaged),
    };
    let file = LedgerFile { file, generation, doubtful, is_other_durable: false };
    Ok(Found::Whole { ledger, file, is_halved })
}

impl LedgerFile {
    /// Makes a new file in place of whatever had the name. It appears whole or not at all.
    pub(crate) fn create(
        fs: &dyn FileSystem,
        dir: &Path,
        path: &Path,
        unfinished: &Path,
        ledger: &Ledger,
    ) -> Result<LedgerFile, Error> {
        let attempt = || {
            let file = fs.create(unfinished)?;
            let mut bytes = ledger.encode(1);
            bytes.resize(SLOT_LEN, 0);
            for slot in [0, 1] {
                fs::write_all_at(&*file, &bytes, offset(slot))?;
            }
            file.sync()?;
            fs.rename(unfinished, path)?;
            fs.sync_dir(dir)?;
            Ok(file)
        };
        let file = attempt().map_err(Error::io("create", path))?;
        Ok(LedgerFile { file, generation: 1, doubtful: 0, is_other_durable: true })
    }

    /// Writes both copies. After an error what was there before still holds; after a success the
    /// new one is durable.
    pub(crate) fn write(&mut self, ledger: &Ledger) -> io::Result<()> {
        if !self.is_other_durable {
            self.file.sync()?;
            self.is_other_durable = true;
        }
        let generation = self.generation + 1;
        let bytes = ledger.encode(generation);
        let (first, second) = (self.doubtful, 1 - self.doubtful);
        self.write_copy(first, &bytes)?;
        self.generation = generation;
        // One durable copy is a success; a failure of the second is found again at the next write.
        self.doubtful = second;
        if self.write_copy(second, &bytes).is_ok() {
            self.doubtful = first;
        }
        Ok(())
    }

    /// Writes the copy that is to be written next, and does not wait until it is durable. A
    /// failure costs nothing but the note.
    pub(crate) fn note(&mut self, ledger: &Ledger) {
        let bytes = ledger.encode(self.generation + 1);
        let _ = fs::write_all_at(&*self.file, &bytes, offset(self.doubtful));
    }

    fn write_copy(&self, slot: usize, bytes: &[u8]) -> io::Result<()> {
        fs::write_all_at(&*self.file, bytes, offset(slot))?;
        self.file.sync()
    }
}

fn offset(slot: usize) -> u64 {
    (slot * SLOT_LEN) as u64
}
