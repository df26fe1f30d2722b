//! Files that hold secrets, and their folders: for their owner alone, or refused.
//!
//! Invariants:
//! - No link is followed, and what is looked at is what was opened.
//! - Nothing is taken from what somebody else owns, can read or can write.
//! - No copy of what was read is left behind in memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::secret::Secret;

/// What group and others may do.
const OF_OTHERS: u32 = 0o077;

/// Why something is not private, or cannot be read. Each says on what, why, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateError {
    /// It is a symbolic link.
    #[error(
        "cannot use {}: it is a symbolic link, and those are not followed; name the file itself",
        .path.display()
    )]
    Link {
        /// The link.
        path: PathBuf,
    },

    /// It is a link, or no folder.
    #[error(
        "cannot use the folder {}: it is a symbolic link or no folder; name the folder itself",
        .path.display()
    )]
    NoFolder {
        /// What is no folder.
        path: PathBuf,
    },

    /// It is no file.
    #[error("cannot use {}: it is not a file; name one", .path.display())]
    NoFile {
        /// What is no file.
        path: PathBuf,
    },

    /// Others can read or write it.
    #[error(
        "cannot use {}: its mode {mode:o} lets others in, so what it holds may be known to them or \
         come from them; if not, `chmod {wanted} {}`; if it may be, {otherwise}",
        .path.display(), .path.display()
    )]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// What they should be.
        wanted: &'static str,
        /// What to do if others know the secrets.
        otherwise: &'static str,
    },

    /// It belongs to somebody else.
    #[error(
        "cannot use {}: it belongs to user {owner}, and this program runs as user {own}; run it as \
         its owner{}", .path.display(), sudo(*.owner)
    )]
    Foreign {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose this process is.
        own: u32,
    },

    /// It is larger than any of its kind.
    #[error(
        "cannot use {}: {size} bytes are more than the {most} that it can have; is it another file?",
        .path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// What it may have, in bytes.
        most: u64,
    },

    /// The operating system refused.
    #[error("cannot {operation} {}: {source}{}", .path.display(), advice(.source))]
    Io {
        /// What was being attempted, as a verb.
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PrivateError {
    fn io(operation: &'static str, path: &Path, errno: Errno) -> Self {
        Self::Io { operation, path: path.to_owned(), source: errno.into() }
    }
}

fn sudo(owner: u32) -> &'static str {
    if owner == 0 { " (sudo)" } else { "" }
}

/// What helps where the system refuses.
pub(crate) fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => "; run it as root (sudo)",
        io::ErrorKind::StorageFull => "; free some space on that disk",
        _ => "",
    }
}

/// A kind of secret file.
#[derive(Clone, Copy, Debug)]
pub struct Private {
    /// The largest that one can be, in bytes.
    pub most: u64,
    /// What to do if others know what is in it, as an error says it: "enrol everybody anew".
    pub otherwise: &'static str,
}

impl Private {
    /// What is in the file at a path. `None` if there is none.
    ///
    /// # Errors
    /// It is a link, no file, too large, not for its owner alone, or cannot be read.
    pub fn read(self, path: &Path) -> Result<Option<Secret>, PrivateError> {
        self.read_at(CWD, path, path)
    }

    /// The same of a name in an opened folder; `path` is for people.
    pub(crate) fn read_at(
        self,
        folder: impl AsFd,
        name: &Path,
        path: &Path,
    ) -> Result<Option<Secret>, PrivateError> {
        let flags = OFlags::RDONLY
            | OFlags::NOFOLLOW
            | OFlags::NOCTTY
            | OFlags::CLOEXEC
            // A FIFO in its place is refused instead of waited for.
            | OFlags::NONBLOCK;
        let fd = match rustix::fs::openat(folder, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(PrivateError::Link { path: path.to_owned() }),
            other => other.map_err(|errno| PrivateError::io("open", path, errno))?,
        };
        let stat = stat(&fd, path)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(PrivateError::NoFile { path: path.to_owned() });
        }
        self.refuse_exposed(&stat, path, "600")?;
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size > self.most {
            return Err(PrivateError::TooLarge { path: path.to_owned(), size, most: self.most });
        }
        // Room for all of it, so that no copy of a secret is left behind by growing.
        let room = usize::try_from(size).unwrap_or_default() + 1;
        let mut bytes = Vec::with_capacity(room);
        let read = File::from(fd).take(size).read_to_end(&mut bytes);
        let secret = Secret::new(bytes);
        read.map_err(|source| PrivateError::Io { operation: "read", path: path.into(), source })?;
        Ok(Some(secret))
    }

    /// A folder that holds such files. `None` if there is none.
    ///
    /// # Errors
    /// It is a link, no folder, not for its owner alone, or cannot be opened.
    pub(crate) fn open_folder(self, path: &Path) -> Result<Option<OwnedFd>, PrivateError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(path, flags, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            // With O_DIRECTORY the kernel says ENOTDIR of a link too.
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return Err(PrivateError::NoFolder { path: path.to_owned() });
            }
            other => other.map_err(|errno| PrivateError::io("open the folder", path, errno))?,
        };
        self.refuse_exposed(&stat(&fd, path)?, path, "700")?;
        Ok(Some(fd))
    }

    /// Refuses what somebody else owns, can read or can write.
    fn refuse_exposed(
        self,
        stat: &Stat,
        path: &Path,
        wanted: &'static str,
    ) -> Result<(), PrivateError> {
        let own = rustix::process::geteuid().as_raw();
        if stat.st_uid != own {
            return Err(PrivateError::Foreign { path: path.to_owned(), owner: stat.st_uid, own });
        }
        let mode = stat.st_mode & 0o7777;
        if mode & OF_OTHERS != 0 {
            let otherwise = self.otherwise;
            return Err(PrivateError::Exposed { path: path.to_owned(), mode, wanted, otherwise });
        }
        Ok(())
    }
}

fn stat(fd: &OwnedFd, path: &Path) -> Result<Stat, PrivateError> {
    rustix::fs::fstat(fd).map_err(|errno| PrivateError::io("look at", path, errno))
}
