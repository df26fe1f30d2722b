//! The exit codes, which scripts and service managers rely on.

use std::process::ExitCode;

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: a check failed.
    CheckFailed,
    /// 2: the arguments are wrong, or name something that cannot be used.
    Usage,
    /// 3: the machine, its state or the privileges do not allow it.
    Environment,
    /// 4: it could not be finished: events were left unwritten, or something went wrong inside.
    Internal,
}

impl Exit {
    /// Every code with its meaning, for the reference.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Done, "done"),
        (Self::CheckFailed, "a check failed"),
        (Self::Usage, "the arguments are wrong, or name something that cannot be used"),
        (Self::Environment, "the machine, its state or the privileges do not allow it"),
        (
            Self::Internal,
            "it could not be finished: events were left unwritten, or something went wrong inside",
        ),
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::CheckFailed => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::Internal => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
