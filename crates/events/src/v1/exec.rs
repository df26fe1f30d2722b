//! EXEC: a process ran a program.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::envelope::process_event;
use super::why::Why;
use crate::bytes::Base64;

process_event! {
    /// A process ran a program.
    pub struct Exec {
        /// How the program was run.
        pub exec: Execution,
    }
}

/// How a program was run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// The path as it was given to execve: for a script the script itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Exact bytes of `filename`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename_b64: Option<Base64>,
    /// The interpreter of a script; absent for a program that needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    /// Exact bytes of `interpreter`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpreter_b64: Option<Base64>,
    /// Path of the executable file that the process ran before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_exe: Option<String>,
    /// Exact bytes of `previous_exe`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_exe_b64: Option<Base64>,
    /// True if the effective user changed because of the file's set-user-ID bit; otherwise absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub setuid: bool,
    /// True if the effective group changed because of the file's set-group-ID bit; otherwise
    /// absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub setgid: bool,
    /// The line that a person typed at the shell that ran the program itself, where the shell's
    /// editor read one (mode `control`); the lines of one command are joined by line feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Exact bytes of `line`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_b64: Option<Base64>,
    /// How many bytes were typed, if not all are in `line`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_truncated: Option<u64>,
    /// SHA-256 of the executable file in hexadecimal digits; only where the operator asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exe_sha256: Option<String>,
    /// Which fields of this object are absent because their value is not known, each with the
    /// reason; absent if everything is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, Why>,
}
