//! What comes out: the facts that one observation establishes.

use std::sync::Arc;

use crate::known::Known;
use crate::observation::{Argv, Builtin, Exec, Verification};
use crate::process::{Image, KeptLine, Process};
use crate::time::BootTime;

/// Something that an event is made from. The process's context is asked from the
/// [`Model`](crate::Model) that the fact is handed over with.
#[derive(Clone, Debug)]
pub enum Fact<'f> {
    /// A process ran a program.
    Executed {
        /// The process, as it is after the exec.
        process: &'f Process,
        /// What was observed, with the whole argument list.
        exec: &'f Exec<'f>,
        /// What the process ran before.
        previous: Known<Arc<Image>>,
        /// The line that a person typed at the shell that ran it, where the shell's editor read
        /// one.
        line: Option<Arc<KeptLine>>,
    },
    /// A shell ran a builtin.
    RanBuiltin {
        /// The shell.
        process: &'f Process,
        /// What was observed.
        builtin: &'f Builtin<'f>,
        /// The line that a person typed for it.
        line: Option<Arc<KeptLine>>,
    },
    /// Somebody was asked who they are.
    Verification {
        /// The process that asked; `None` if it is not there any more.
        process: Option<&'f Process>,
        /// What came of it.
        verification: &'f Verification<'f>,
    },
    /// A process was already running.
    Found {
        /// The process.
        process: &'f Process,
        /// When the snapshot saw it.
        at: BootTime,
        /// Its arguments, not cut to what the table keeps.
        argv: Known<Argv<'f>>,
    },
}
