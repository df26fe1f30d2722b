//! A second implementation of the spool that is deliberately dumb: lists in memory, everything
//! counted anew each time, no files. It says what the real one has to say.

use std::collections::BTreeMap;

use forebear_spool::Options;

/// A record.
pub(crate) type Record = Vec<u8>;

/// One consumer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consumer {
    pub(crate) is_active: bool,
    pub(crate) position: u64,
    pub(crate) note: Vec<u8>,
    /// Records dropped or missing before it had them.
    pub(crate) lost: u64,
}

/// The dumb spool.
#[derive(Debug, Default)]
pub(crate) struct Twin {
    pub(crate) options: Options,
    pub(crate) next: u64,
    pub(crate) sealed: BTreeMap<u64, Vec<Record>>,
    /// Every segment that ever was, since a power cut may bring back what was dropped.
    pub(crate) ever: BTreeMap<u64, Vec<Record>>,
    /// Lengths of files, and numbers of records when they were sealed, that are not as the
    /// records which are left say.
    pub(crate) damaged: BTreeMap<u64, (u64, u64)>,
    /// In the file of the unsealed segment.
    pub(crate) written: Vec<Record>,
    /// In memory.
    pub(crate) buffered: Vec<Record>,
    pub(crate) rejected: u64,
    pub(crate) consumers: BTreeMap<&'static str, Consumer>,
}

impl Twin {
    pub(crate) fn new(options: Options, consumers: &[&'static str]) -> Twin {
        let mut twin = Twin { options, next: 1, ..Twin::default() };
        twin.set_consumers(consumers);
        twin
    }

    pub(crate) fn flush(&mut self) {
        if self.buffered.is_empty() {
            return;
        }
        let together: Vec<Record> = self.written.iter().chain(&self.buffered).cloned().collect();
        let growth = on_disk(file_len(&together)) - on_disk(self.written_len());
        while self.bytes() + growth > self.options.max_bytes {
            if !self.drop_oldest() {
                self.rejected += self.buffered.len() as u64;
                self.buffered.clear();
                return;
            }
        }
        self.written = together;
        self.buffered.clear();
    }

    pub(crate) fn seal(&mut self) -> Option<u64> {
        self.flush();
        if self.written.is_empty() {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.damaged.remove(&id);
        self.ever.insert(id, self.written.clone());
        self.sealed.insert(id, std::mem::take(&mut self.written));
        self.release();
        Some(id)
    }

    /// The process is killed, and another one opens the spool.
    pub(crate) fn kill(&mut self) {
        self.buffered.clear();
        self.seal();
    }

    pub(crate) fn next_for(&self, name: &str) -> Option<u64> {
        let consumer = self.consumers.get(name).filter(|consumer| consumer.is_active)?;
        self.sealed.keys().copied().find(|id| *id > consumer.position)
    }

    pub(crate) fn confirm(&mut self, name: &str, id: u64, note: &[u8]) {
        let consumer = self.consumers.get_mut(name).expect("it exists");
        consumer.position = id;
        consumer.note = note.to_vec();
        self.release();
    }

    pub(crate) fn set_consumers(&mut self, names: &[&'static str]) {
        for (name, consumer) in &mut self.consumers {
            consumer.is_active = names.contains(name);
        }
        for name in names {
            self.consumers.entry(name).or_default().is_active = true;
        }
        self.release();
    }

    /// What everything takes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        let sealed = self.sealed.iter().map(|(id, records)| {
            on_disk(self.damaged.get(id).map_or_else(|| file_len(records), |(len, _)| *len))
        });
        sealed.sum::<u64>() + on_disk(self.written_len())
    }

    fn written_len(&self) -> u64 {
        if self.written.is_empty() { 0 } else { file_len(&self.written) - 36 }
    }

    fn release(&mut self) {
        let active = self.consumers.values().filter(|consumer| consumer.is_active);
        let confirmed = active.map(|consumer| consumer.position).min().unwrap_or(u64::MAX);
        self.sealed.retain(|id, _| *id > confirmed);
    }

    fn drop_oldest(&mut self) -> bool {
        let active = || self.consumers.values().filter(|consumer| consumer.is_active);
        let ahead = self.options.ahead;
        let is_kept = |id: u64| {
            active().any(|consumer| {
                let left = self.sealed.keys().filter(|other| **other > consumer.position);
                left.take(ahead).any(|other| *other == id)
            })
        };
        let Some(id) = self.sealed.keys().copied().find(|id| !is_kept(*id)) else {
            return false;
        };
        let left = self.sealed.remove(&id).expect("it was just found").len() as u64;
        let records = self.damaged.get(&id).map_or(left, |(_, sealed)| *sealed);
        for consumer in self.consumers.values_mut() {
            if consumer.is_active && consumer.position < id {
                consumer.lost += records;
            }
        }
        true
    }
}

/// Header, a head for each record, footer.
fn file_len(records: &[Record]) -> u64 {
    40 + records.iter().map(|record| 12 + record.len() as u64).sum::<u64>() + 36
}

fn on_disk(len: u64) -> u64 {
    len.div_ceil(4096) * 4096
}
