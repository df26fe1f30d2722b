//! What the verification of people asks of the recording.
//!
//! A verdict comes from another thread, with a way to say what became of it. It is taken in between
//! two rounds of the loop, after everything that the kernel has told until then, so that the process
//! that asked is known.

use std::net::IpAddr;

use forebear_model::observation::{Bound, Verification};
use forebear_model::{BootTime, ProcessKey, Uid, VerificationMethod, VerificationOutcome};

/// What the recording is asked for.
pub enum Verdict {
    /// Somebody was asked who they are, and how that ended.
    Asked(Asked, Ending),
    /// A person's binding of before the agent was started.
    Restored {
        /// The process that was bound.
        process: ProcessKey,
        /// The person.
        person: Person,
    },
    /// This account stands behind nothing any more.
    Revoked(String),
    /// Where a process has come from; nothing is recorded.
    Whence {
        /// The process.
        process: ProcessKey,
        /// Told; `None` if nobody has come in there, or the process is not known.
        tell: Box<dyn FnOnce(Option<Origin>) + Send>,
    },
}

/// What a process runs, and how whoever runs it came onto the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The program's file.
    pub exe: Vec<u8>,
    /// Who owns it.
    pub owner: Uid,
    /// Its type and permission bits.
    pub mode: u32,
    /// The door.
    pub entry: &'static str,
    /// The far end of the connection.
    pub source: Option<IpAddr>,
}

/// Somebody was asked who they are.
pub struct Asked {
    /// The process that asked.
    pub process: ProcessKey,
    /// The account that was named last.
    pub account: Option<String>,
    /// The method that was used last.
    pub method: Option<VerificationMethod>,
    /// How many answers were tried.
    pub attempts: u32,
    /// The service that asked.
    pub service: String,
    /// The Linux user.
    pub user: String,
    /// Where the login came from.
    pub remote: Option<String>,
}

/// How asking ended.
pub enum Ending {
    /// It is known who it is. Told: which process is bound, if there is one that could be.
    Verified(Person, Box<dyn FnOnce(Option<ProcessKey>) + Send>),
    /// The answers were wrong.
    Refused(Recorded),
    /// Whoever was asked went away.
    Abandoned(Recorded),
}

/// Told when it is on record. Until then the process that asked has to be kept waiting: once it
/// has ended there is nothing that could be said of it.
pub type Recorded = Box<dyn FnOnce() + Send>;

/// A person as the account store has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account: String,
    /// The roles.
    pub roles: Vec<String>,
    /// Until when the proof holds.
    pub until: Option<BootTime>,
}

impl Person {
    /// The observation that binds them.
    pub fn bound(&self, at: BootTime, process: ProcessKey) -> Bound<'_> {
        Bound {
            at,
            process,
            account: &self.account,
            roles: self.roles.iter().map(String::as_str).collect(),
            until: self.until,
        }
    }
}

impl Asked {
    /// The observation that tells it.
    pub fn verification(&self, at: BootTime, outcome: VerificationOutcome) -> Verification<'_> {
        Verification {
            at,
            process: self.process,
            account: self.account.as_deref(),
            method: self.method,
            outcome,
            attempts: self.attempts,
            service: &self.service,
            user: &self.user,
            remote: self.remote.as_deref(),
        }
    }
}
