//! BUILTIN: a shell did something itself, without running a program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::envelope::process_event;
use crate::bytes::Base64;
use crate::vocabulary::vocabulary;

process_event! {
    /// A shell ran a builtin (mode `control` only): `self` is the shell, and no program was run.
    /// Functions and aliases are expanded before: what they ran is what is told.
    pub struct Builtin {
        /// What the shell did.
        pub builtin: BuiltinCall,
    }
}

/// What a shell did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BuiltinCall {
    /// Which shell it is: for `call` whatever its file is called, for `effect` by its file's name.
    pub shell: Shell,
    /// How it was noticed.
    pub source: BuiltinSource,
    /// What the builtin was called as: `[` and `test` are told apart, and so are `.` and `source`.
    pub name: String,
    /// Exact bytes of `name`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_b64: Option<Base64>,
    /// Name and arguments after expansion. For `effect` what the kernel was asked for, in the
    /// builtin's own form: `cd` with the path that it was given, `umask 0077`, `kill -TERM 4711`
    /// (a negative number is a process group), `ulimit -n 500` (in bytes, seconds or pieces;
    /// `soft:hard` where they differ).
    pub argv: Vec<String>,
    /// Exact bytes of each argument, if one of them is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv_b64: Option<Vec<Base64>>,
    /// How many bytes the arguments had, each with a byte behind it, if not all are in `argv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv_truncated: Option<u64>,
    /// What it returned; absent if it did not return, or had not within a second, or did something
    /// else before, and for `effect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    /// The line that a person typed for it, where the shell's editor read one; the lines of one
    /// command are joined by line feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Exact bytes of `line`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_b64: Option<Base64>,
    /// How many bytes were typed, if not all are in `line`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_truncated: Option<u64>,
}

vocabulary! {
    /// A shell.
    pub enum Shell {
        /// The GNU shell.
        Bash = "bash",
        /// The Z shell.
        Zsh = "zsh",
        /// The shell of BusyBox.
        Busybox = "busybox",
        /// A C shell: csh or tcsh.
        Csh = "csh",
        /// The Debian Almquist shell.
        Dash = "dash",
        /// The friendly interactive shell.
        Fish = "fish",
        /// A KornShell.
        Ksh = "ksh",
        /// The MirBSD KornShell.
        Mksh = "mksh",
        /// Yet another shell.
        Yash = "yash",
        /// Some shell: its file is called `sh` and tells no more.
        Sh = "sh",
    }
}

vocabulary! {
    /// How a builtin was noticed.
    pub enum BuiltinSource {
        /// The shell called the function that is the builtin.
        Call = "call",
        /// The kernel saw what only a builtin can have done; name and arguments follow from that,
        /// and `self` is the shell as it was afterwards.
        Effect = "effect",
    }
}
