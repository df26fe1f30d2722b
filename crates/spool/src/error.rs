//! The errors of this crate: what was attempted, on what, why it failed, and what to do.
//!
//! Damage is not an error: it is skipped, counted and told in [`Recovery`](crate::Recovery),
//! [`Stats`](crate::Stats) and [`Damage`](crate::Damage).

use std::io;
use std::path::{Path, PathBuf};

use crate::SegmentId;

/// Why an operation on the spool failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has this spool open.
    #[error(
        "cannot open the spool {}: it is in use by {}; stop that one, or give this one a folder \
         of its own",
        .dir.display(), holder(*.pid)
    )]
    Locked {
        /// The spool's folder.
        dir: PathBuf,
        /// The process that has it, in its own process namespace; `None` if it did not say.
        pid: Option<u32>,
    },

    /// A later version of this program wrote the spool. Nothing in it was changed.
    #[error(
        "cannot open the spool: {} has format version {found}, and this program knows versions up \
         to {known}; use the newer program until the spool is empty, or give this one another \
         folder",
        .path.display()
    )]
    NewerVersion {
        /// The first file that says so.
        path: PathBuf,
        /// The version it was written in.
        found: u32,
        /// The newest version that this program reads.
        known: u32,
    },

    /// The path exists and is not a folder.
    #[error("cannot open the spool {}: it is not a folder; name a folder, or remove it", .dir.display())]
    NotADirectory {
        /// The path.
        dir: PathBuf,
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

    /// The list of consumers is not usable.
    #[error("cannot use the consumer name {name:?}: {reason}")]
    BadConsumer {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// No consumer of this name was given when the spool was opened.
    #[error("the spool has no consumer {name:?}")]
    UnknownConsumer {
        /// The name.
        name: String,
    },

    /// A consumer confirmed another segment than the one that it has to take next.
    #[error("consumer {name:?} confirmed segment {confirmed} when its next one is {}", next(*.expected))]
    OutOfOrder {
        /// The consumer.
        name: String,
        /// What it confirmed.
        confirmed: SegmentId,
        /// What it should have confirmed; `None` if it has everything.
        expected: Option<SegmentId>,
    },

    /// The note is too long to be kept.
    #[error("the note of {length} bytes is too long; {limit} are kept")]
    NoteTooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that is kept.
        limit: usize,
    },

    /// The segment is not there: confirmed by all, dropped, or somebody deleted its file.
    #[error("segment {id} is not in the spool")]
    NoSuchSegment {
        /// The segment.
        id: SegmentId,
    },
}

/// What callers branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Another process has the spool.
    Locked,
    /// Written by a later version.
    NewerVersion,
    /// The environment does not allow it: permissions, a missing folder, a broken disk.
    Environment,
    /// The disk is full. It is worth trying again.
    Full,
    /// The caller asked for something that cannot be.
    Misuse,
    /// The segment is gone; ask for the next one.
    Gone,
}

impl Error {
    /// What a caller may branch on.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Locked { .. } => ErrorKind::Locked,
            Error::NewerVersion { .. } => ErrorKind::NewerVersion,
            Error::NotADirectory { .. } => ErrorKind::Environment,
            Error::Io { source, .. } if is_full(source) => ErrorKind::Full,
            Error::Io { .. } => ErrorKind::Environment,
            Error::BadConsumer { .. }
            | Error::UnknownConsumer { .. }
            | Error::OutOfOrder { .. }
            | Error::NoteTooLong { .. } => ErrorKind::Misuse,
            Error::NoSuchSegment { .. } => ErrorKind::Gone,
        }
    }

    /// For `map_err`: an error of the system with what was attempted on what.
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, path: path.to_owned(), source }
    }
}

/// Whether the system said that there is no room: the disk is full, or a quota is used up.
/// Removing files of the spool helps against both.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

fn next(expected: Option<SegmentId>) -> String {
    expected.map_or_else(|| "none".to_owned(), |id| id.to_string())
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => "; run as the owner of the spool's folder",
        io::ErrorKind::ReadOnlyFilesystem => "; the spool needs a folder that can be written",
        io::ErrorKind::StorageFull => "; free some space on that disk",
        io::ErrorKind::QuotaExceeded => "; raise the quota",
        _ => "",
    }
}
