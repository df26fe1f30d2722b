//! Lines and batches as a host would make them.

use forebear_archive::{Compression, Link, Packed, Packer};
use uuid::Uuid;

/// A host's run of the agent, numbering its events.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) id: Uuid,
    pub(crate) run: Uuid,
    boot: Uuid,
    /// Nanoseconds since the epoch of the next event.
    pub(crate) now: i64,
    next: u64,
    pub(crate) link: Option<Link>,
}

/// 2026-11-24T03:00:00Z.
pub(crate) const START: i64 = 1_795_489_200_000_000_000;

pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const HOUR: i64 = 3600 * SECOND;

impl Host {
    pub(crate) fn new(id: u128) -> Self {
        Self {
            id: Uuid::from_u128(id),
            run: Uuid::from_u128(id << 8 | 1),
            boot: Uuid::from_u128(id << 16),
            now: START,
            next: 1,
            link: None,
        }
    }

    /// The agent starts again.
    pub(crate) fn restart(&mut self) {
        self.run = Uuid::from_u128(self.run.as_u128() + 1);
        self.next = 1;
    }

    /// Events that never reach a batch.
    pub(crate) fn drop_events(&mut self, events: u64) {
        self.next += events;
    }

    /// The next lines, one second apart.
    pub(crate) fn lines(&mut self, events: u64) -> Vec<String> {
        (0..events).map(|_| self.line("ls")).collect()
    }

    pub(crate) fn line(&mut self, name: &str) -> String {
        let time = forebear_events::v1::Timestamp(self.now);
        let seq = self.next;
        self.now += SECOND;
        self.next += 1;
        let (id, run, boot) = (self.id, self.run, self.boot);
        format!(
            r#"{{"event_type":"EXEC","schema_version":"1.0","event_time":"{time}","seq":{seq},"agent":{{"run_uuid":"{run}"}},"host":{{"id":"{id}","boot_id":"{boot}"}},"self":{{"name":"{name}"}}}}"#
        )
    }

    /// The next batch, following the last one that was [`Host::confirm`]ed.
    pub(crate) fn batch(&mut self, events: u64) -> Packed {
        let lines = self.lines(events);
        self.pack(&lines, Compression::Zstd)
    }

    pub(crate) fn pack(&self, lines: &[String], compression: Compression) -> Packed {
        let mut packer = Packer::new(compression).unwrap();
        lines.iter().for_each(|line| packer.push(line.as_bytes()).unwrap());
        packer.finish(self.link.as_ref()).unwrap()
    }

    pub(crate) fn confirm(&mut self, packed: &Packed) {
        self.link = Some(packed.link());
    }
}
