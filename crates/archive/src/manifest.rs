//! The manifest of an object: one line of JSON beside it, and the same facts as its metadata.
//!
//! Fields may be added; none is removed or changes its meaning. Readers ignore what they do not
//! know, so that old and new programs can look after one bucket.

use forebear_events::v1::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::compress::Compression;
use crate::digest::Digest;
use crate::layout::{BatchName, Hour, ObjectKey};
use crate::link::{Link, chain};

/// The version of this form that this build writes: major.minor.
pub const MANIFEST_VERSION: &str = "1.0";

/// The longest manifest that is read, in bytes.
pub(crate) const MAX_MANIFEST: u64 = 64 << 10;

/// What is known about one data object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub manifest_version: String,
    /// Path of the data object below the prefix.
    pub object: String,
    /// How it is compressed.
    pub compression: Compression,
    /// Its size as stored, in bytes.
    pub stored_bytes: u64,
    /// Its size before compression, in bytes.
    pub plain_bytes: u64,
    /// SHA-256 of its bytes before compression.
    pub sha256: Digest,
    /// `sha256` of the object before it of the same host; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_sha256: Option<Digest>,
    /// Chain value of the object before it; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_chain_sha256: Option<Digest>,
    /// Chain value over this object and all before it (see [`link`](crate::link)).
    pub chain_sha256: Digest,
    /// Number of events. Fewer than the numbers from first to last: the rest was lost on the way.
    pub event_count: u64,
    /// Number of the first event in the run.
    pub first_seq: u64,
    /// Number of the last event in the run.
    pub last_seq: u64,
    /// Time of the first event.
    pub first_time: Timestamp,
    /// Time of the last event.
    pub last_time: Timestamp,
    /// Version of the event format, of the first event.
    pub schema_version: String,
    /// The host's id.
    pub host_id: Uuid,
    /// The boot of the host.
    pub boot_id: Uuid,
    /// The run of the agent.
    pub run_uuid: Uuid,
}

impl Manifest {
    /// Reads a manifest, with or without its newline.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Its line, with its newline.
    pub fn line(&self) -> String {
        // Only maps with keys that are not strings could fail, and there are none.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }

    /// The batch that it tells about.
    pub fn batch(&self) -> BatchName {
        BatchName {
            hour: Hour::of(self.first_time),
            host: self.host_id,
            boot: self.boot_id,
            run: self.run_uuid,
            first_seq: self.first_seq,
            last_seq: self.last_seq,
        }
    }

    /// The name of its object.
    pub fn key(&self) -> ObjectKey {
        ObjectKey { batch: self.batch(), compression: self.compression }
    }

    /// What the next object refers to.
    pub fn link(&self) -> Link {
        Link { sha256: self.sha256, chain: self.chain_sha256 }
    }

    /// Whether its chain value is what its own fields give.
    pub(crate) fn has_right_chain(&self) -> bool {
        chain(self.previous_chain_sha256, self.sha256, &self.batch()) == self.chain_sha256
    }

    /// Whether two manifests tell the same about the same events; how they are compressed aside,
    /// which may differ between versions of a compressor.
    pub(crate) fn is_about_the_same(&self, other: &Self) -> bool {
        self.batch() == other.batch()
            && self.sha256 == other.sha256
            && self.previous_sha256 == other.previous_sha256
            && self.chain_sha256 == other.chain_sha256
            && self.event_count == other.event_count
    }
}
