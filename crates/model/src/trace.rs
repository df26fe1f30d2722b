//! The text form of a stream of observations: print and parse.
//!
//! A trace is UTF-8 text. Its first line is the header; after it each line is one observation,
//! blank, or a comment that begins with `#`. A line is a word followed by fields, separated by
//! single blanks:
//!
//! ```text
//! trace version=1 host=00112233445566778899aabbccddeeff boot=00112233445566778899aabbccddeeff
//! clock boot=1000 wall=1764000000000000000
//! exit at=2000 process=17@1500 status=0
//! ```
//!
//! A field is `name=value` or a bare `name` that stands for yes. Values are numbers, processes
//! (`pid@start` in ns of the boot clock), devices (`major:minor`), and bytes in double quotes in
//! which everything but printable ASCII is escaped (`\0`, `\n`, `\r`, `\t`, `\"`, `\\`, `\xNN`).
//! A field that is left out is absent; `!reason` in place of a value says why it is unknown.
//! Fields of a parent begin with `parent.`.
//!
//! Reading is strict: what is not understood is an [`Error`] with its column, because a trace
//! that is read wrongly would prove nothing.

use crate::identity::{BootId, HostId};
use crate::observation::Observation;

mod fields;
mod parse;
mod print;

pub use parse::Line;
pub use print::{print, print_header};

/// The version of the text form that is written, and the only one that is read.
pub const VERSION: u64 = 1;

/// The first line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The host that was observed.
    pub host: HostId,
    /// The boot that was observed.
    pub boot: BootId,
    /// Further fields, which the model does not need: name and text.
    pub about: Vec<(String, String)>,
}

/// What a line of a trace says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'l> {
    /// Nothing: a blank line or a comment.
    Nothing,
    /// The header.
    Header(Header),
    /// An observation.
    Observation(Observation<'l>),
}

/// Why a line could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct Error {
    /// Where in the line, counted in bytes from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub problem: String,
}
