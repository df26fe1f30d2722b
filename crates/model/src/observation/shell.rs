//! What a shell does without running a program, and what it was told to do.

use super::{Argv, Place, ProcessKey, State};
use crate::known::Known;
use crate::time::BootTime;

/// A shell ran a builtin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Builtin<'a> {
    /// When it began.
    pub at: BootTime,
    /// The shell.
    pub process: ProcessKey,
    /// The kernel's parent of the shell at that moment.
    pub parent: ProcessKey,
    /// The shell's facts at that moment, with redirections of the builtin in place.
    pub state: State,
    /// The shell's place.
    pub place: Place<'a>,
    /// The working directory before the builtin; after it, if it was noticed by its effect.
    pub cwd: Known<&'a [u8]>,
    /// Which shell.
    pub shell: Shell,
    /// How it was noticed.
    pub source: BuiltinSource,
    /// What it was called as.
    pub name: &'a [u8],
    /// The name and the arguments after expansion.
    pub argv: Argv<'a>,
    /// What it returned; `None` where it did not return, or had not when it had to be told.
    pub exit_status: Option<i32>,
}

/// A shell's line editor handed over a line, or is about to ask for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// When.
    pub at: BootTime,
    /// The shell.
    pub process: ProcessKey,
    /// What was typed; `None` says that the line before has been carried out.
    pub text: Option<TypedText<'a>>,
    /// It continues the command of the line before (the shell asked with its second prompt).
    pub continues: bool,
}

/// A line as it was typed, without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypedText<'a> {
    /// The bytes from its beginning on.
    pub bytes: &'a [u8],
    /// How many bytes there were; more than `bytes` holds if it was cut.
    pub total: u64,
}

/// The shells whose builtins can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shell {
    /// The GNU shell, bash(1).
    Bash,
    /// The Z shell, zsh(1).
    Zsh,
    /// The shell of BusyBox, a program that is many.
    Busybox,
    /// A C shell, csh(1) or tcsh(1).
    Csh,
    /// The Debian Almquist shell, dash(1).
    Dash,
    /// The friendly interactive shell, fish(1).
    Fish,
    /// A KornShell, ksh(1).
    Ksh,
    /// The MirBSD KornShell, mksh(1).
    Mksh,
    /// Yet another shell, yash(1).
    Yash,
    /// Some shell: its file is called `sh` and tells no more.
    Sh,
}

impl Shell {
    /// Every shell.
    pub const ALL: [Self; 10] = [
        Self::Bash,
        Self::Zsh,
        Self::Busybox,
        Self::Csh,
        Self::Dash,
        Self::Fish,
        Self::Ksh,
        Self::Mksh,
        Self::Yash,
        Self::Sh,
    ];

    /// Its name in the exported format and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Busybox => "busybox",
            Self::Csh => "csh",
            Self::Dash => "dash",
            Self::Fish => "fish",
            Self::Ksh => "ksh",
            Self::Mksh => "mksh",
            Self::Yash => "yash",
            Self::Sh => "sh",
        }
    }

    /// Finds a shell by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shell| shell.as_str() == name)
    }
}

/// How a builtin was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BuiltinSource {
    /// The shell called the function that is the builtin.
    Call,
    /// The kernel saw what only a builtin can have done; name and arguments follow from that.
    Effect,
}

impl BuiltinSource {
    /// Every source.
    pub const ALL: [Self; 2] = [Self::Call, Self::Effect];

    /// Its name in the exported format and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Effect => "effect",
        }
    }

    /// Finds a source by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }
}
