//! The file of the store and its folder: for their owner alone, locked, and replaced as a whole.
//!
//! Invariants:
//! - Nothing is written into a folder that somebody else owns, can read or can write.
//! - Everything goes through the descriptor of the folder, so a path that changes meanwhile
//!   changes nothing.
//! - A reader sees the old file or the new one, whatever breaks in between.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::private::{Private, PrivateError};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::text::MAX_BYTES;

/// What the store is.
const ACCOUNTS: Private = Private { most: MAX_BYTES, otherwise: "enrol everybody anew" };
/// How long another process may have the lock. None needs it for longer than a few hashes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is tried.
const PAUSE: Duration = Duration::from_millis(10);

/// An opened folder, and the name of the store in it.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    file: PathBuf,
    name: OsString,
}

impl Folder {
    /// Opens the folder of a store. `None` if there is none.
    pub(crate) fn open(file: &Path) -> Result<Option<Self>, StoreError> {
        let name =
            file.file_name().ok_or_else(|| PrivateError::NoFile { path: file.to_owned() })?;
        let path = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let Some(fd) = ACCOUNTS.open_folder(&path)? else { return Ok(None) };
        Ok(Some(Self { fd, path, file: file.to_owned(), name: name.to_owned() }))
    }

    /// Waits for the lock, which ends with this folder or this process.
    pub(crate) fn lock(&self) -> Result<(), StoreError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(Errno::WOULDBLOCK) => {
                    return Err(StoreError::Busy { path: self.file.clone() });
                }
                Err(errno) => return Err(StoreError::io("lock", &self.path, errno)),
            }
        }
    }

    /// What is in the store. `None` if there is none.
    pub(crate) fn read(&self) -> Result<Option<Secret>, StoreError> {
        Ok(ACCOUNTS.read_at(&self.fd, Path::new(&self.name), &self.file)?)
    }

    /// Replaces the store. Only under the lock.
    pub(crate) fn replace(&self, text: &str) -> Result<(), StoreError> {
        let mut new = self.name.clone();
        new.push(".new");
        let path = self.path.join(&new);
        let written = self.write(&new, &path, text).and_then(|()| {
            let renamed = rustix::fs::renameat(&self.fd, &new, &self.fd, &self.name);
            renamed.map_err(|errno| StoreError::io("replace", &self.file, errno))?;
            // The name itself is durable once the folder is.
            rustix::fs::fsync(&self.fd).map_err(|errno| StoreError::io("sync", &self.path, errno))
        });
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&self.fd, &new, AtFlags::empty());
        }
        written
    }

    /// Writes a new file and makes it durable.
    fn write(&self, name: &OsString, path: &Path, text: &str) -> Result<(), StoreError> {
        // What a crash has left; nobody else has it, since the lock is ours.
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(StoreError::io("remove", path, errno)),
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| StoreError::io("create", path, errno))?;
        let mut file = File::from(fd);
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|source| StoreError::Io {
            operation: "write",
            path: path.to_owned(),
            source,
        })
    }
}
