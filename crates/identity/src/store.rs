//! The accounts on disk.
//!
//! Invariants:
//! - Changes are made one after the other, by a lock (`flock(2)` on the folder) that the agent
//!   and the commands share; each begins with what the one before it left.
//! - A change that failed has changed nothing.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::account::Accounts;
use crate::file::Folder;
use crate::private::{PrivateError, advice};
use crate::text::{self, Problem, TextError, VERSION};

/// A store at a path. Nothing is kept open between calls.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

/// Why a store cannot be used. Each says what was attempted, on what, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Its folder does not exist, so there are no accounts to change.
    #[error(
        "there are no accounts yet: the folder of {} does not exist; `forebear-agent users add` \
         makes it with the first", .path.display()
    )]
    Missing {
        /// Where the file would be.
        path: PathBuf,
    },

    /// The file or its folder is not for its owner alone, or cannot be read.
    #[error(transparent)]
    Private(#[from] PrivateError),

    /// A later version of this program wrote it. Nothing was changed.
    #[error(
        "cannot read the accounts {}: they have format version {found}, and this program knows \
         versions up to {VERSION}; use the newer program", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },

    /// It says what it must not.
    #[error(
        "cannot read the accounts {}:{}\nput them right, or bring back a copy", .path.display(),
        lines(.path, .problems)
    )]
    Wrong {
        /// The file.
        path: PathBuf,
        /// All that is wrong, by line.
        problems: Vec<Problem>,
    },

    /// Another process has the lock and does not let go.
    #[error(
        "cannot change the accounts {}: another process is changing them and does not finish; look \
         for one with `fuser -v` on its folder, and try again", .path.display()
    )]
    Busy {
        /// The file.
        path: PathBuf,
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

impl StoreError {
    pub(crate) fn io(operation: &'static str, path: &Path, errno: Errno) -> Self {
        Self::Io { operation, path: path.to_owned(), source: errno.into() }
    }
}

fn lines(path: &Path, problems: &[Problem]) -> String {
    let line =
        |problem: &Problem| format!("\n  {}:{}: {}", path.display(), problem.line, problem.text);
    problems.iter().map(line).collect()
}

impl Store {
    /// Where accounts are.
    pub const PATH: &'static str = "/var/lib/forebear/identity/accounts.toml";

    /// A store at a path, which need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes its folder, for its owner alone, if it does not exist.
    ///
    /// # Errors
    /// The system does not let it.
    pub fn create_folder(&self) -> Result<(), StoreError> {
        let Some(folder) = self.path.parent() else { return Ok(()) };
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| StoreError::Io {
            operation: "make the folder",
            path: folder.to_owned(),
            source,
        })
    }

    /// What is in it; no accounts if there is no file. Waits for nobody.
    ///
    /// # Errors
    /// It is a link, not a file, not ours alone, of a later version, or wrong.
    pub fn read(&self) -> Result<Accounts, StoreError> {
        match Folder::open(&self.path)? {
            Some(folder) => self.read_in(&folder),
            None => Ok(Accounts::default()),
        }
    }

    /// Changes it: what is there now goes in, and what is there afterwards is on the disk when
    /// this returns. Nothing is written if the change fails, or is none.
    ///
    /// Codes are checked within this, so that of two logins with one code only one is let in. An
    /// error then means that nobody is: the code may not have been marked used.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), those of the change, a folder that does not exist, a lock
    /// that another process keeps, a disk that cannot be written.
    pub fn update<T, E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Accounts) -> Result<T, E>,
    ) -> Result<T, E> {
        let folder = Folder::open(&self.path)?
            .ok_or_else(|| StoreError::Missing { path: self.path.clone() })?;
        folder.lock()?;
        let before = self.read_in(&folder)?;
        let mut accounts = before.clone();
        let outcome = change(&mut accounts)?;
        if accounts != before {
            folder.replace(&text::write(&accounts))?;
        }
        Ok(outcome)
    }

    fn read_in(&self, folder: &Folder) -> Result<Accounts, StoreError> {
        let Some(text) = folder.read()? else { return Ok(Accounts::default()) };
        let path = || self.path.clone();
        let wrong = |problems| StoreError::Wrong { path: path(), problems };
        let text = std::str::from_utf8(text.expose()).map_err(|error| {
            let good = text.expose().get(..error.valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            wrong(vec![Problem { line, text: "this is not UTF-8".to_owned() }])
        })?;
        text::read(text).map_err(|error| match error {
            TextError::Newer(found) => StoreError::Newer { path: path(), found },
            TextError::Problems(problems) => wrong(problems),
        })
    }
}

#[cfg(test)]
mod tests;
