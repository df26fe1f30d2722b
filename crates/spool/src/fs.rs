//! The few file calls that the spool makes, as a trait.
//!
//! Everything that can go wrong on a disk goes through here, so that tests can make it go wrong:
//! [`Disk`] is the real thing, [`Faulty`] a disk in memory that fills up, stops at any step and
//! loses what was not synced.
//!
//! Offsets are always given: no file has a position of its own, so a short write is continued by
//! saying where, and reader and writer can share a file.

mod disk;
mod faulty;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub use disk::Disk;
pub use faulty::{Faulty, Loss};

/// A folder of files on something that keeps them.
pub trait FileSystem: Send + Sync {
    /// Makes the folder and its parents, readable by the owner alone; an existing one is fine.
    /// Fails with [`io::ErrorKind::NotADirectory`] if the path is something else.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// The names in a folder, in any order. Names that are not UTF-8 are left out: none of them
    /// is ours.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a new file, readable by the owner alone; fails if it exists.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens an existing file to read and write.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of whatever had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes the folder's names durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the lock that this file stands for, until the file is dropped; `None` if another
    /// holder has it. A holder that dies lets go of it. The file is made if it is missing.
    fn lock(&self, path: &Path) -> io::Result<Option<Arc<dyn File>>>;

    /// The number that another holder can be told as ours.
    fn holder(&self) -> u32;
}

/// An open file.
pub trait File: Send + Sync {
    /// Reads at most `buffer.len()` bytes at `offset`; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes at most all of `bytes` at `offset`, and says how many it took.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// The length in bytes.
    fn size(&self) -> io::Result<u64>;

    /// Cuts the file off at `size` bytes, or extends it with zeros.
    fn set_size(&self, size: u64) -> io::Result<()>;

    /// Makes the content durable, and the size.
    fn sync(&self) -> io::Result<()>;
}

/// Reads until `buffer` is full or the file ends; says how many bytes there were.
pub(crate) fn read_full_at(file: &dyn File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..)
        && !rest.is_empty()
    {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes all of `bytes`, however many calls it takes. On an error an unknown part was written.
pub(crate) fn write_all_at(file: &dyn File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..)
        && !rest.is_empty()
    {
        match file.write_at(rest, offset + done as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
