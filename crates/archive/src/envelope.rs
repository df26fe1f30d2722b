//! The few fields of a line that name an object: whose, of which run, when, and its number.
//!
//! Read with eyes of its own and not as a typed event, so that a line of an event type or version
//! that this program does not know can still be archived, and because reading back a bucket looks
//! at every line.

use forebear_events::v1::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

/// What an object's name is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Version of the format: major.minor.
    pub schema_version: String,
    /// When it happened, by the wall clock.
    pub event_time: Timestamp,
    /// Number of the event within the run.
    pub seq: u64,
    /// The run of the agent.
    pub run: Uuid,
    /// The host's id.
    pub host: Uuid,
    /// The boot of the host.
    pub boot: Uuid,
}

impl Envelope {
    /// Reads a line, with or without its newline.
    pub fn read(line: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Line {
            schema_version: String,
            event_time: Timestamp,
            seq: u64,
            agent: Agent,
            host: Host,
        }
        #[derive(Deserialize)]
        struct Agent {
            run_uuid: Uuid,
        }
        #[derive(Deserialize)]
        struct Host {
            id: Uuid,
            boot_id: Uuid,
        }
        let line: Line = serde_json::from_slice(line)?;
        Ok(Self {
            schema_version: line.schema_version,
            event_time: line.event_time,
            seq: line.seq,
            run: line.agent.run_uuid,
            host: line.host.id,
            boot: line.host.boot_id,
        })
    }
}

/// The sequence number of a line and the run that it counts in; the part that is read of every
/// line of an object.
pub(crate) fn sequence(line: &[u8]) -> Result<(Uuid, u64), serde_json::Error> {
    #[derive(Deserialize)]
    struct Line {
        seq: u64,
        agent: Agent,
    }
    #[derive(Deserialize)]
    struct Agent {
        run_uuid: Uuid,
    }
    let line: Line = serde_json::from_slice(line)?;
    Ok((line.agent.run_uuid, line.seq))
}
