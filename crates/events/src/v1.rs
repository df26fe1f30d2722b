//! Version 1 of the format, as types.
//!
//! These types are the law: the schema, the reference and the field catalogue come from them, and
//! a line is right if and only if it is what `serde_json` makes of the typed event.
//! Their doc comments are written for the reader of the data.
//!
//! Deliberately not here: the way from the process model to an event. The
//! [`Recorder`](crate::Recorder) writes lines without building these types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod backfill;
mod builtin;
mod envelope;
mod exec;
mod inception;
mod process;
mod report;
mod timestamp;
mod tty;
mod verify;
mod why;

pub use backfill::Backfill;
pub use builtin::{Builtin, BuiltinCall, BuiltinSource, Shell};
pub use envelope::{Agent, Envelope, Host, Mode, Processes, SensorKind};
pub use exec::{Exec, Execution};
pub use inception::{Entry, Evidence, InceptionKind, InceptionSession, Source};
pub use process::{Container, ExeFlag, Process};
pub use report::{Reason, Report, SensorDetails};
pub use timestamp::Timestamp;
pub use tty::{Stream, StreamKind, Terminal, TerminalKind};
pub use verify::{Verification, VerificationMethod, VerificationOutcome, Verify};
pub use why::Why;

/// The version that this build writes: major.minor.
pub const SCHEMA_VERSION: &str = "1.0";

/// One event: one line of the exported stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event_type")]
pub enum Event {
    /// A process ran a program.
    #[serde(rename = "EXEC")]
    Exec(Box<Exec>),
    /// A shell ran a builtin.
    #[serde(rename = "BUILTIN")]
    Builtin(Box<Builtin>),
    /// A process was already running.
    #[serde(rename = "BACKFILL")]
    Backfill(Box<Backfill>),
    /// Somebody was asked who they are.
    #[serde(rename = "VERIFY")]
    Verify(Box<Verify>),
    /// The stream tells about itself.
    #[serde(rename = "AGENT")]
    Agent(Box<Report>),
}

macro_rules! envelope {
    ($event:expr) => {
        Envelope {
            schema_version: &$event.schema_version,
            event_uuid: $event.event_uuid,
            event_time: $event.event_time,
            boot_ns: $event.boot_ns,
            seq: $event.seq,
            agent: &$event.agent,
            host: &$event.host,
        }
    };
}

macro_rules! processes {
    ($event:expr) => {
        processes!($event, &$event.this)
    };
    ($event:expr, $this:expr) => {
        Processes {
            this: $this,
            parent: $event.parent.as_ref(),
            session_leader: $event.session_leader.as_ref(),
            inception_session: $event.inception_session.as_ref(),
            last_user_entered: $event.last_user_entered.as_ref(),
            missing: &$event.missing,
        }
    };
}

impl Event {
    /// Its `event_type`.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Exec(_) => "EXEC",
            Self::Builtin(_) => "BUILTIN",
            Self::Backfill(_) => "BACKFILL",
            Self::Verify(_) => "VERIFY",
            Self::Agent(_) => "AGENT",
        }
    }

    /// The fields that every event has.
    pub fn envelope(&self) -> Envelope<'_> {
        match self {
            Self::Exec(event) => envelope!(event),
            Self::Builtin(event) => envelope!(event),
            Self::Backfill(event) => envelope!(event),
            Self::Verify(event) => envelope!(event),
            Self::Agent(event) => envelope!(event),
        }
    }

    /// The five processes; `None` for an event that is not about a process, or whose process had
    /// ended before.
    pub fn processes(&self) -> Option<Processes<'_>> {
        match self {
            Self::Exec(event) => Some(processes!(event)),
            Self::Builtin(event) => Some(processes!(event)),
            Self::Backfill(event) => Some(processes!(event)),
            Self::Verify(event) => event.this.as_ref().map(|this| processes!(event, this)),
            Self::Agent(_) => None,
        }
    }
}
