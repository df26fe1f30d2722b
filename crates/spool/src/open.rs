//! Opening a spool: folder, lock, versions, recovery, consumers, in this order.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use crate::SegmentId;
use crate::error::Error;
use crate::fs::{self, File, FileSystem};
use crate::inventory::{self, Inventory};
use crate::ledger::{self, Found, Ledger, LedgerFile};
use crate::preamble::VERSION;
use crate::recover::{self, LedgerState, Recovery};
use crate::shared::Shared;
use crate::writer::Writer;

const LOCK: &str = "lock";
const LEDGER: &str = "ledger";
/// A ledger that is being made.
const LEDGER_NEW: &str = "ledger.new";
/// A ledger of which nothing could be read, for people to look at.
const LEDGER_DAMAGED: &str = "ledger.damaged";

/// How a spool behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What all files together may take on disk, in bytes. Give it room for a few segments more
    /// than `ahead` for each consumer, because those are not dropped.
    pub max_bytes: u64,
    /// How many of its next segments a consumer may deliver before it confirms the first of them;
    /// at least 1.
    pub ahead: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { max_bytes: 2 * 1024 * 1024 * 1024, ahead: 1 }
    }
}

pub(crate) fn open(
    fs: Arc<dyn FileSystem>,
    dir: &Path,
    options: &Options,
    consumers: &[&str],
) -> Result<(Writer, Arc<Shared>, Recovery), Error> {
    inventory::check_names(consumers)?;
    fs.create_dir(dir).map_err(|source| {
        if source.kind() == io::ErrorKind::NotADirectory {
            return Error::NotADirectory { dir: dir.to_owned() };
        }
        Error::io("create", dir)(source)
    })?;
    let lock = lock(&*fs, dir)?;

    // Everything that may refuse the spool comes before everything that changes it.
    let names = fs.list(dir).map_err(Error::io("list", dir))?;
    let ledger_path = dir.join(LEDGER);
    let found = ledger::read(&*fs, &ledger_path)?;
    if let Found::Newer(found) = found {
        return Err(Error::NewerVersion { path: ledger_path, found, known: VERSION });
    }
    let mut ids: Vec<SegmentId> =
        names.iter().filter_map(|name| SegmentId::from_file_name(name)).collect();
    ids.sort_unstable();
    let mut seen = Vec::with_capacity(ids.len());
    for id in &ids {
        seen.extend(recover::look(&*fs, dir, *id)?);
    }

    let (ledger, file, state) = begin_ledger(found, &ids);
    let mut recovery = Recovery { ledger: state, ..Recovery::default() };
    if names.iter().any(|name| name == LEDGER_NEW) {
        let _ = fs.remove(&dir.join(LEDGER_NEW));
    }
    let mut inventory = recover::take_stock(&*fs, dir, seen, ledger, &mut recovery)?;
    inventory.ahead = options.ahead.max(1);
    if inventory.ledger.active().next().is_none() {
        // Nobody waited for anything, so nothing below the oldest is missing.
        inventory.lift_floor_to_oldest();
    }
    recover::count_missing(&mut inventory, &mut recovery);
    inventory.ledger.set_consumers(consumers);
    let released = inventory.release();

    let file = write_ledger(&*fs, dir, &ledger_path, file, state, &inventory)?;
    fs.sync_dir(dir).map_err(Error::io("sync", dir))?;
    recovery.segments = inventory.segments.len() as u64;
    let shared = Arc::new(Shared {
        fs,
        dir: dir.to_owned(),
        ledger_path,
        max_bytes: options.max_bytes,
        inventory: Mutex::new(inventory),
        ledger_file: Mutex::new(file),
        has_sealed: Condvar::new(),
        listeners: RwLock::default(),
        _lock: lock,
    });
    shared.remove_released(&released);
    Ok((Writer::new(Arc::clone(&shared)), shared, recovery))
}

/// Takes the lock and says in it who has it. The file's content is for people and for the error
/// of the next one; what counts is the lock.
fn lock(fs: &dyn FileSystem, dir: &Path) -> Result<Arc<dyn File>, Error> {
    let path = dir.join(LOCK);
    let taken = fs.lock(&path).map_err(Error::io("lock", &path))?;
    let Some(lock) = taken else {
        return Err(Error::Locked { dir: dir.to_owned(), pid: holder(fs, &path) });
    };
    let text = format!("{}\n", fs.holder());
    // A full disk must not keep the spool shut, so this may fail.
    let _ = fs::write_all_at(&*lock, text.as_bytes(), 0);
    let _ = lock.set_size(text.len() as u64);
    Ok(lock)
}

/// Who the lock's file names.
fn holder(fs: &dyn FileSystem, path: &Path) -> Option<u32> {
    let file = fs.open(path).ok()?;
    let mut bytes = [0; 16];
    let count = fs::read_full_at(&*file, &mut bytes, 0).ok()?;
    std::str::from_utf8(bytes.get(..count)?).ok()?.trim_end().parse().ok()
}

fn begin_ledger(found: Found, ids: &[SegmentId]) -> (Ledger, Option<LedgerFile>, LedgerState) {
    let (state, oldest) = match found {
        Found::Whole { ledger, file, is_halved } => {
            let state = if is_halved { LedgerState::Halved } else { LedgerState::Whole };
            return (*ledger, Some(file), state);
        }
        Found::Nothing if ids.is_empty() => (LedgerState::New, None),
        // A later version does not get here.
        Found::Nothing | Found::Damaged | Found::Newer(_) => (LedgerState::Lost, ids.first()),
    };
    let floor = oldest.map_or(1, |id| id.0.max(1));
    (Ledger { floor, next: floor, ..Ledger::default() }, None, state)
}

fn write_ledger(
    fs: &dyn FileSystem,
    dir: &Path,
    path: &Path,
    file: Option<LedgerFile>,
    state: LedgerState,
    inventory: &Inventory,
) -> Result<LedgerFile, Error> {
    if let Some(mut file) = file {
        file.write(&inventory.ledger).map_err(Error::io("write", path))?;
        return Ok(file);
    }
    if state == LedgerState::Lost {
        // There may be none to keep.
        let _ = fs.rename(path, &dir.join(LEDGER_DAMAGED));
    }
    let unfinished: PathBuf = dir.join(LEDGER_NEW);
    LedgerFile::create(fs, dir, path, &unfinished, &inventory.ledger)
}
