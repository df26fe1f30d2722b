//! The controlling terminal and the standard streams of a process.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vocabulary::vocabulary;

/// A controlling terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terminal {
    /// Major device number.
    pub major: u32,
    /// Minor device number.
    pub minor: u32,
    /// Where its input comes from.
    pub kind: TerminalKind,
    /// Its usual name below `/dev`, such as `pts/3`; absent for drivers without a fixed numbering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

vocabulary! {
    /// Where a terminal's input comes from.
    pub enum TerminalKind {
        /// A pseudo-terminal: the network (ssh), a terminal multiplexer, a terminal window.
        Pseudo = "pseudo",
        /// A serial line or a hypervisor's console.
        Serial = "serial",
        /// A virtual console: keyboard and screen.
        Console = "console",
        /// A terminal of another driver.
        Other = "other",
    }
}

/// What a standard stream is open on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    /// Major device number: of the device itself, otherwise of the file system that holds the
    /// file.
    pub major: u32,
    /// Minor device number, likewise.
    pub minor: u32,
    /// What it is.
    pub kind: StreamKind,
    /// Whether it is the controlling terminal of its process, also through `/dev/tty` or
    /// `/dev/console`.
    pub is_ctty: bool,
}

vocabulary! {
    /// What a standard stream is open on.
    pub enum StreamKind {
        /// A terminal.
        Tty = "tty",
        /// Another character device, such as `/dev/null`.
        Char = "char",
        /// A block device.
        Block = "block",
        /// A regular file.
        File = "file",
        /// A directory.
        Directory = "directory",
        /// A pipe or FIFO.
        Pipe = "pipe",
        /// A socket.
        Socket = "socket",
        /// A file without a place in a file system, such as an eventfd.
        Anon = "anon",
    }
}
