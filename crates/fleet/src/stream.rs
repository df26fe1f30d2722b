//! The lines of one host into objects, as the service makes them: batches, names, compression,
//! manifests and the chain from one object to the next.
//!
//! Deliberately not here: [`Archive::put_batch`](forebear_archive::Archive), which waits for the
//! disk twice an object. What is written is the same.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use forebear_archive::{BatchLimits, Compression, Link, OpenBatch, Packer};
use forebear_events::v1::Timestamp;
use fs_err as fs;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Events.
    pub events: u64,
    /// Objects, their manifests not counted.
    pub objects: u64,
    /// Bytes of lines.
    pub plain_bytes: u64,
    /// Bytes of objects, as stored.
    pub stored_bytes: u64,
}

impl Written {
    /// Adds what another host wrote.
    pub(crate) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.objects += other.objects;
        self.plain_bytes += other.plain_bytes;
        self.stored_bytes += other.stored_bytes;
    }
}

/// One host's way into the folder.
#[derive(Debug)]
pub(crate) struct Stream {
    root: PathBuf,
    compression: Compression,
    open: OpenBatch,
    packer: Option<Packer>,
    previous: Option<Link>,
    written: Written,
}

impl Stream {
    pub(crate) fn new(root: &Path, compression: Compression, max_age: Duration) -> Self {
        Self {
            root: root.to_owned(),
            compression,
            open: OpenBatch::new(BatchLimits { max_age, ..BatchLimits::default() }),
            packer: None,
            previous: None,
            written: Written::default(),
        }
    }

    /// Adds a line with its newline, of an event of that time; `now` is the boot clock.
    pub(crate) fn add(&mut self, line: &[u8], time: Timestamp, now: Duration) -> Result<()> {
        if self.open.due(now).is_some() || self.open.closes_before(time, line.len()).is_some() {
            self.close()?;
        }
        let mut packer = match self.packer.take() {
            Some(packer) => packer,
            None => Packer::new(self.compression)?,
        };
        packer.push(line)?;
        self.packer = Some(packer);
        self.open.add(time, line.len(), now);
        Ok(())
    }

    /// Closes the batch that is open. A run's last batch is closed before the next run begins.
    pub(crate) fn close(&mut self) -> Result<()> {
        self.open.clear();
        let Some(packer) = self.packer.take() else { return Ok(()) };
        let packed = packer.finish(self.previous.as_ref())?;
        let manifest = packed.manifest();
        self.write(&packed.key().to_string(), packed.body())?;
        self.write(&manifest.batch().manifest_path(), manifest.line().as_bytes())?;
        self.written.add(Written {
            events: manifest.event_count,
            objects: 1,
            plain_bytes: manifest.plain_bytes,
            stored_bytes: manifest.stored_bytes,
        });
        self.previous = Some(packed.link());
        Ok(())
    }

    /// What was written so far; the open batch is not.
    pub(crate) fn written(&self) -> Written {
        self.written
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(path);
        let folder = path.parent().context("an object has a folder")?;
        fs::create_dir_all(folder)?;
        Ok(fs::write(&path, bytes)?)
    }
}
