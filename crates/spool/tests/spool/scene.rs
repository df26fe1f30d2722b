//! A spool on a faulty disk, and what tests do with it over and over.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use forebear_spool::fs::Faulty;
use forebear_spool::{Damage, Item, Options, Recovery, SegmentId, Spool, Writer};

/// The folder of every spool in memory.
pub(crate) const DIR: &str = "/spool";

/// No limit on the disk's use, and one segment at a time.
pub(crate) const UNLIMITED: Options = Options { max_bytes: u64::MAX, ahead: 1 };

/// An open spool on a disk in memory.
pub(crate) struct Scene {
    pub(crate) disk: Faulty,
    pub(crate) writer: Writer,
    pub(crate) spool: Spool,
    pub(crate) recovery: Recovery,
}

impl Scene {
    /// A new spool without limits.
    pub(crate) fn new(consumers: &[&str]) -> Scene {
        Scene::on(Faulty::new(), consumers)
    }

    /// The spool on this disk, without limits.
    pub(crate) fn on(disk: Faulty, consumers: &[&str]) -> Scene {
        Scene::with(disk, &UNLIMITED, consumers)
    }

    /// The spool on this disk, with a limit.
    pub(crate) fn limited(disk: Faulty, max_bytes: u64, consumers: &[&str]) -> Scene {
        Scene::with(disk, &Options { max_bytes, ..UNLIMITED }, consumers)
    }

    /// The spool on this disk, opened in this way.
    pub(crate) fn with(disk: Faulty, options: &Options, consumers: &[&str]) -> Scene {
        let (writer, spool, recovery) = open(&disk, options, consumers).expect("the spool opens");
        Scene { disk, writer, spool, recovery }
    }

    /// A sealed segment of these records.
    pub(crate) fn sealed(&mut self, records: &[&str]) -> SegmentId {
        for record in records {
            self.writer.append(record.as_bytes());
        }
        self.writer.seal().expect("it holds records")
    }

    /// What a consumer gets, all of it, confirmed.
    pub(crate) fn drain(&self, consumer: &str) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(id) = self.spool.next_for(consumer) {
            all.extend(records(&self.spool, id));
            self.spool.confirm(consumer, id, b"").expect("it is the next one");
        }
        all
    }
}

/// Opens the spool on this disk.
pub(crate) fn open(
    disk: &Faulty,
    options: &Options,
    consumers: &[&str],
) -> Result<(Writer, Spool, Recovery), forebear_spool::Error> {
    let fs = Arc::new(disk.clone());
    Spool::open_on(fs, Path::new(DIR), options, consumers)
}

/// The path of a file in the spool.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(DIR).join(name)
}

/// The path of a segment.
pub(crate) fn segment(id: SegmentId) -> PathBuf {
    path(&id.file_name())
}

/// The records of a segment as text.
pub(crate) fn records(spool: &Spool, id: SegmentId) -> Vec<String> {
    read(spool, id).0
}

/// The records of a segment as text, and its damaged places.
pub(crate) fn read(spool: &Spool, id: SegmentId) -> (Vec<String>, Vec<Damage>) {
    let mut reader = spool.read(id).expect("the segment is there");
    let (mut records, mut damages) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next() {
        match item {
            Item::Record(record) => records.push(String::from_utf8_lossy(record).into_owned()),
            Item::Damage(damage) => damages.push(damage),
        }
    }
    (records, damages)
}
