//! The process model: who stands behind a process.
//!
//! # Conventions
//! - One [`Model`] is one boot of one host. It is a synchronous state machine: an
//!   [`Observation`] goes in, [`Fact`]s come out, nothing else happens.
//! - Nothing here does input or output, reads a clock, starts a thread or serializes. Time comes
//!   in with the observations.
//! - Nothing here fails. What is not known is [`Known`] with a reason, never a guess.
//! - Processes are keyed by thread group id; threads are not processes.
//! - Memory is bounded by the number of living processes, whatever has happened before.
//!
//! # Terms
//! - *self*: the process in which an event occurred.
//! - *parent*: the kernel's parent at that moment (`real_parent`).
//! - *creator*: the process that forked it. Inheritance follows the creator.
//! - *session leader*: the leader of the session that encloses self.
//! - *inception session*: the process through which a person or service came onto the machine.
//! - *person*: the human being behind an inception session, once verified.
//! - *user-entered*: typed by a person, by three criteria. The *last user-entered* process is
//!   the nearest such ancestor by creation.

#![forbid(unsafe_code)]

mod broker;
mod container;
pub mod context;
pub mod entered;
pub mod facts;
pub mod identity;
pub mod ids;
pub mod inception;
pub mod known;
pub mod observation;
pub mod person;
pub mod process;
pub mod table;
pub mod time;
pub mod trace;
pub mod tty;

pub use context::Context;
pub use facts::Fact;
pub use identity::{BootId, HostId, Identities, ProcessUuid};
pub use ids::{AuditSession, CgroupId, Credentials, Gid, NamespaceId, Pgid, Pid, Sid, Uid};
pub use inception::{Entry, Evidence, Inception, InceptionKind};
pub use known::{Known, Why};
pub use observation::{
    BuiltinSource, Observation, ProcessKey, Shell, VerificationMethod, VerificationOutcome,
};
pub use person::Person;
pub use process::{Container, Image, KeptLine, Process};
pub use table::{Counters, Model};
pub use time::{BootTime, ClockPair, Ticks, WallTime};
pub use tty::{Device, Stream, StreamKind, Streams, Terminal, TerminalKind};
