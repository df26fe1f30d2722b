//! A host whose events are put where a test wants them, as the agent would.

use forebear_archive::{
    Access, Archive, Compression, Destination, Environment, Link, Outcome, Packer,
};
use forebear_events::v1::Timestamp;
use uuid::Uuid;

/// 2026-11-24T03:00:00Z, in nanoseconds since the epoch.
const START: i64 = 1_795_489_200_000_000_000;
const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;

/// The paths of a batch below its place.
pub(crate) struct Put {
    pub(crate) object: String,
    pub(crate) manifest: String,
}

/// A host's run of the agent, numbering its events.
pub(crate) struct Host {
    archive: Archive,
    pub(crate) id: Uuid,
    now: i64,
    next: u64,
    link: Option<Link>,
}

impl Host {
    /// A host that puts what it records at a place.
    pub(crate) fn at(place: &Destination, environment: &Environment, id: u128) -> Self {
        let archive = Archive::open(place, environment, Access::Write).unwrap();
        Self { archive, id: Uuid::from_u128(id), now: START, next: 1, link: None }
    }

    /// The next three events, as one object, in an hour of their own.
    pub(crate) fn put(&mut self, compression: Compression) -> Put {
        let lines: Vec<String> = (0..3).map(|_| self.line()).collect();
        self.now += HOUR - 3 * SECOND;
        let mut packer = Packer::new(compression).unwrap();
        lines.iter().for_each(|line| packer.push(line.as_bytes()).unwrap());
        let packed = packer.finish(self.link.as_ref()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let receipt = runtime.block_on(self.archive.put_batch(&packed)).unwrap();
        assert_eq!(receipt.outcome, Outcome::Written);
        self.link = Some(packed.link());
        Put {
            object: packed.key().to_string(),
            manifest: packed.manifest().batch().manifest_path(),
        }
    }

    /// Events that are lost before they reach an object.
    pub(crate) fn lose(&mut self, events: u64) {
        self.next += events;
    }

    /// What the last object is followed by.
    pub(crate) fn link(&self) -> Option<Link> {
        self.link
    }

    /// Forgets what was put since a link was the last.
    pub(crate) fn set_link(&mut self, link: Option<Link>) {
        self.link = link;
    }

    /// The value that covers all of the chain.
    pub(crate) fn chain(&self) -> String {
        self.link.unwrap().chain.to_string()
    }

    fn line(&mut self) -> String {
        let (time, seq) = (Timestamp(self.now), self.next);
        self.now += SECOND;
        self.next += 1;
        let (id, run, boot) = (self.id, Uuid::from_u128(1), Uuid::from_u128(2));
        format!(
            r#"{{"event_type":"EXEC","schema_version":"1.0","event_time":"{time}","seq":{seq},"agent":{{"run_uuid":"{run}"}},"host":{{"id":"{id}","boot_id":"{boot}"}},"self":{{"name":"ls"}}}}"#
        )
    }
}
