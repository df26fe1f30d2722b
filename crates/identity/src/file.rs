//! The file of the store and its folder: opened without following links, looked at through what
//! was opened, and replaced as a whole.
//!
//! Invariants:
//! - Nothing is read from, or written into, what somebody else owns, can read or can write.
//! - Everything goes through the descriptor of the folder, so a path that changes meanwhile
//!   changes nothing.
//! - A reader sees the old file or the new one, whatever breaks in between.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::store::StoreError;
use crate::text::MAX_BYTES;

/// What group and others may do.
const OF_OTHERS: u32 = 0o077;
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
        let name = file.file_name().ok_or_else(|| StoreError::NoFile { path: file.to_owned() })?;
        let path = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(&path, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            // With O_DIRECTORY the kernel says ENOTDIR of a link too.
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(StoreError::NoFolder { path }),
            other => other.map_err(|errno| StoreError::io("open the folder", &path, errno))?,
        };
        let stat = stat(&fd, &path)?;
        refuse_exposed(&stat, &path, "700")?;
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
    pub(crate) fn read(&self) -> Result<Option<Zeroizing<String>>, StoreError> {
        let path = &self.file;
        let flags = OFlags::RDONLY
            | OFlags::NOFOLLOW
            | OFlags::NOCTTY
            | OFlags::CLOEXEC
            // A FIFO in its place is refused instead of waited for.
            | OFlags::NONBLOCK;
        let fd = match rustix::fs::openat(&self.fd, &self.name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(StoreError::Link { path: path.clone() }),
            other => other.map_err(|errno| StoreError::io("open", path, errno))?,
        };
        let stat = stat(&fd, path)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(StoreError::NoFile { path: path.clone() });
        }
        refuse_exposed(&stat, path, "600")?;
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size > MAX_BYTES {
            return Err(StoreError::TooLarge { path: path.clone(), size });
        }
        // Room for all of it, so that no copy of a secret is left behind by growing.
        let room = usize::try_from(size).unwrap_or_default() + 1;
        let mut text = Zeroizing::new(String::with_capacity(room));
        let read = File::from(fd).take(size).read_to_string(&mut text);
        read.map_err(|source| StoreError::Io { operation: "read", path: path.clone(), source })?;
        Ok(Some(text))
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

fn stat(fd: &OwnedFd, path: &Path) -> Result<Stat, StoreError> {
    rustix::fs::fstat(fd).map_err(|errno| StoreError::io("look at", path, errno))
}

/// Refuses what somebody else owns, can read or can write.
fn refuse_exposed(stat: &Stat, path: &Path, wanted: &'static str) -> Result<(), StoreError> {
    let own = rustix::process::geteuid().as_raw();
    if stat.st_uid != own {
        return Err(StoreError::Foreign { path: path.to_owned(), owner: stat.st_uid, own });
    }
    let mode = stat.st_mode & 0o7777;
    if mode & OF_OTHERS != 0 {
        return Err(StoreError::Exposed { path: path.to_owned(), mode, wanted });
    }
    Ok(())
}
