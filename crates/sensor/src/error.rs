//! What can go wrong in this crate as a whole.
//!
//! What cannot be read about one process is not an error: it is a reason in the observation, or
//! a line in the list of problems.

use std::io;
use std::path::PathBuf;

use crate::requirements::Requirement;

/// The whole of an error in one line: what it says, and its causes after colons.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// Why a source could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine or the privileges do not allow it.
    #[error(
        "cannot attach to the kernel: {}: {} (needed because {}); {}",
        .0.name, .0.outcome.detail(), .0.why, .0.remedy
    )]
    Requirement(Box<Requirement>),
    /// The kernel refused something although every known requirement is met.
    #[error("cannot {operation} {subject}")]
    Bpf {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// On what.
        subject: String,
        /// The loader's reason.
        #[source]
        source: libbpf_rs::Error,
    },
    /// A file could not be read.
    #[error("cannot {operation} {}", path.display())]
    File {
        /// What was attempted, as a verb.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A file does not contain what the kernel writes there.
    #[error("{} does not hold {expected}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What should be there.
        expected: &'static str,
    },
}
