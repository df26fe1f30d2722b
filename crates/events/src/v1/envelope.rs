//! What every event has, and what every event about a process has.
//!
//! The common fields are put into each event type by macro and not by serde's `flatten`, so that
//! reading stays fast and an error names the line and column of the field.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::inception::InceptionSession;
use super::process::Process;
use super::timestamp::Timestamp;
use super::why::Why;
use crate::vocabulary::vocabulary;

/// Declares an event type: the fields of every event, then its own.
macro_rules! event {
    ($(#[$meta:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(
            Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub struct $name {
            /// Version of this format: major.minor. A minor version adds fields, event types and
            /// words; ignore those that you do not know.
            pub schema_version: String,
            /// Identity of the event, made from the agent's run and `seq`: the same event always
            /// has the same id, so that duplicates can be dropped.
            pub event_uuid: uuid::Uuid,
            /// When it happened, by the wall clock.
            pub event_time: $crate::v1::Timestamp,
            /// When it happened, in nanoseconds since the machine was booted: orders the events of
            /// one boot whatever the wall clock does.
            pub boot_ns: u64,
            /// Counts up by one for each event of one run of the agent, from 1: a gap is a loss.
            pub seq: u64,
            /// The run of the agent that recorded the event.
            pub agent: $crate::v1::Agent,
            /// The machine on which it happened.
            pub host: $crate::v1::Host,
            $($own)*
        }
    };
}

/// Declares an event type about a process: the fields of every event, the five processes, then
/// its own. With `#[asked]` the process may have ended before its event was made.
macro_rules! process_event {
    ($(#[doc = $doc:literal])* pub struct $name:ident { $($own:tt)* }) => {
        $crate::v1::envelope::process_event! {
            [$(#[doc = $doc])*] $name {
                /// The process in which the event occurred.
                #[serde(rename = "self")]
                pub this: $crate::v1::Process,
            } { $($own)* }
        }
    };
    ($(#[doc = $doc:literal])* #[asked] pub struct $name:ident { $($own:tt)* }) => {
        $crate::v1::envelope::process_event! {
            [$(#[doc = $doc])*] $name {
                /// The process in which the event occurred; absent if it had ended before.
                #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
                pub this: Option<$crate::v1::Process>,
            } { $($own)* }
        }
    };
    ([$(#[$meta:meta])*] $name:ident { $($this:tt)* } { $($own:tt)* }) => {
        $crate::v1::envelope::event! {
            $(#[$meta])*
            pub struct $name {
                /// The verified person behind the inception session; absent before a verification.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub cmd_user: Option<String>,
                /// The roles of that person; absent before a verification.
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                pub cmd_roles: Vec<String>,
                $($this)*
                /// The parent process, with its own facts at that moment.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub parent: Option<$crate::v1::Process>,
                /// The leader of the session that encloses the process: for a process that itself
                /// leads a session, the leader of the session that it came from.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub session_leader: Option<$crate::v1::Process>,
                /// The process through which the person or the service first came onto the
                /// machine, whatever sudo, su or a terminal multiplexer did since.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub inception_session: Option<$crate::v1::InceptionSession>,
                /// The nearest ancestor by creation that a person typed, never the process itself;
                /// absent if there is none.
                #[serde(skip_serializing_if = "Option::is_none")]
                pub last_user_entered: Option<$crate::v1::Process>,
                /// Which of these processes could not be captured, each with the reason; absent if
                /// all could.
                #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
                pub missing: std::collections::BTreeMap<String, $crate::v1::Why>,
                $($own)*
            }
        }
    };
}

pub(crate) use {event, process_event};

/// One run of the recording agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Version of the agent.
    pub version: String,
    /// What the agent was set up to do.
    pub mode: Mode,
    /// Where its observations come from.
    pub sensor: SensorKind,
    /// Identity of this run of the agent; `seq` counts within it.
    pub run_uuid: Uuid,
}

vocabulary! {
    /// What the agent was set up to do.
    pub enum Mode {
        /// Record programs that are run.
        Audit = "audit",
        /// Record shell builtins too, and verify people.
        Control = "control",
    }
}

vocabulary! {
    /// Where observations come from.
    pub enum SensorKind {
        /// Programs inside the kernel (eBPF).
        Ebpf = "ebpf",
        /// The kernel's audit subsystem.
        Audit = "audit",
        /// The process file system only: a picture of what runs, nothing live.
        Proc = "proc",
    }
}

/// The machine on which an event happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Identity of the machine, the same from boot to boot: a hash of its machine id.
    pub id: Uuid,
    /// Its host name.
    pub name: String,
    /// The kernel's id of this boot.
    pub boot_id: Uuid,
    /// Version of the kernel.
    pub kernel: String,
    /// Architecture of the kernel, as `uname -m` shows it.
    pub arch: String,
    /// What the operator calls it: labels of their own, such as a project or a group of servers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The fields that every event has.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'e> {
    /// Version of the format.
    pub schema_version: &'e str,
    /// Identity of the event.
    pub event_uuid: Uuid,
    /// When it happened, by the wall clock.
    pub event_time: Timestamp,
    /// When it happened, in nanoseconds since boot.
    pub boot_ns: u64,
    /// The event's number within the run.
    pub seq: u64,
    /// The run.
    pub agent: &'e Agent,
    /// The machine.
    pub host: &'e Host,
}

/// The fields that every event about a process has.
#[derive(Clone, Copy, Debug)]
pub struct Processes<'e> {
    /// The process in which the event occurred.
    pub this: &'e Process,
    /// The kernel's parent.
    pub parent: Option<&'e Process>,
    /// The leader of the enclosing session.
    pub session_leader: Option<&'e Process>,
    /// Where the person or service came in.
    pub inception_session: Option<&'e InceptionSession>,
    /// The nearest ancestor that a person typed.
    pub last_user_entered: Option<&'e Process>,
    /// What could not be captured, and why.
    pub missing: &'e BTreeMap<String, Why>,
}
