//! From the lines of one batch to one object: name, bytes, digest, manifest.
//!
//! Memory: the compressed bytes, and the last line. The plain bytes go through.
//!
//! Invariant: the same lines, compression and previous link give the same [`Packed`], byte for
//! byte.

use bytes::Bytes;

use crate::compress::{Compression, Encoder};
use crate::digest::Hasher;
use crate::envelope::Envelope;
use crate::error::{Error, Kind, Result};
use crate::layout::{BatchName, Hour, ObjectKey};
use crate::link::Link;
use crate::manifest::{MANIFEST_VERSION, Manifest};

/// The largest object that is made, in bytes as stored; far beyond any batch, and below the limit
/// of every service for one request.
const MAX_STORED: usize = 1 << 30;

const OPERATION: &str = "make an object of the batch";

/// An object in the making.
#[derive(Debug)]
pub struct Packer {
    compression: Compression,
    encoder: Encoder,
    hasher: Hasher,
    first: Option<Envelope>,
    last_line: Vec<u8>,
    events: u64,
    plain_bytes: u64,
}

/// An object ready to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    manifest: Manifest,
    body: Bytes,
}

impl Packer {
    /// Begins an object.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(Self {
            compression,
            encoder: Encoder::new(compression).map_err(failed)?,
            hasher: Hasher::default(),
            first: None,
            last_line: Vec::new(),
            events: 0,
            plain_bytes: 0,
        })
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Adds a line; a missing newline is added. Fails if the first line of the batch is not an
    /// event ([`Kind::Damaged`]; the line is not added), or the object would become too large.
    pub fn push(&mut self, line: &[u8]) -> Result<()> {
        if self.encoder.len() > MAX_STORED {
            let detail = format!("it would be larger than {MAX_STORED} bytes");
            let remedy = "set a smaller max_bytes";
            return Err(
                Error::new(Kind::TooLarge, OPERATION, self.subject(), detail).with_remedy(remedy)
            );
        }
        if self.first.is_none() {
            self.first = Some(Envelope::read(line).map_err(|error| {
                let detail = format!("its first line is not an event: {error}");
                Error::new(Kind::Damaged, OPERATION, self.subject(), detail).with_source(error)
            })?);
        }
        self.add(line)?;
        if !line.ends_with(b"\n") {
            self.add(b"\n")?;
        }
        self.last_line.clear();
        self.last_line.extend_from_slice(line);
        self.events += 1;
        Ok(())
    }

    /// Ends the object. `previous` is what was before it at the same destination.
    ///
    /// Fails with [`Kind::Damaged`] if the batch is empty, its last line is not an event, or its
    /// lines are not of one run in ascending order.
    pub fn finish(self, previous: Option<&Link>) -> Result<Packed> {
        let subject = self.subject();
        let damaged =
            |detail: String| Error::new(Kind::Damaged, OPERATION, subject.clone(), detail);
        let Some(first) = self.first else {
            return Err(damaged("it has no lines".to_owned()));
        };
        let last = Envelope::read(&self.last_line).map_err(|error| {
            damaged(format!("its last line is not an event: {error}")).with_source(error)
        })?;
        if (first.host, first.boot, first.run) != (last.host, last.boot, last.run) {
            return Err(damaged("its first and last line are of different runs".to_owned()));
        }
        let numbers = last.seq.checked_sub(first.seq).map(|span| span.saturating_add(1));
        if first.seq == 0 || numbers.is_none_or(|numbers| self.events > numbers) {
            return Err(damaged(format!(
                "{} lines are numbered from {} to {}",
                self.events, first.seq, last.seq
            )));
        }
        let batch = BatchName {
            hour: Hour::of(first.event_time),
            host: first.host,
            boot: first.boot,
            run: first.run,
            first_seq: first.seq,
            last_seq: last.seq,
        };
        let body = self.encoder.finish().map_err(failed)?;
        let sha256 = self.hasher.finish();
        let link = Link::after(previous, sha256, &batch);
        let key = ObjectKey { batch, compression: self.compression };
        let manifest = Manifest {
            manifest_version: MANIFEST_VERSION.to_owned(),
            object: key.to_string(),
            compression: self.compression,
            stored_bytes: body.len() as u64,
            plain_bytes: self.plain_bytes,
            sha256,
            previous_sha256: previous.map(|link| link.sha256),
            previous_chain_sha256: previous.map(|link| link.chain),
            chain_sha256: link.chain,
            event_count: self.events,
            first_seq: first.seq,
            last_seq: last.seq,
            first_time: first.event_time,
            last_time: last.event_time,
            schema_version: first.schema_version,
            host_id: first.host,
            boot_id: first.boot,
            run_uuid: first.run,
        };
        Ok(Packed { manifest, body: body.into() })
    }

    fn add(&mut self, plain: &[u8]) -> Result<()> {
        self.hasher.update(plain);
        self.plain_bytes += plain.len() as u64;
        self.encoder.write(plain).map_err(failed)
    }

    fn subject(&self) -> String {
        match &self.first {
            Some(first) => format!("run {} from event {}", first.run, first.seq),
            None => "without events".to_owned(),
        }
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::new(Kind::Local, OPERATION, "in memory", format!("the compressor failed: {error}"))
        .with_source(error)
}

impl Packed {
    /// What is known about the object.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its name.
    pub fn key(&self) -> ObjectKey {
        self.manifest.key()
    }

    /// Its bytes as stored.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// What the next object of this host and destination refers to, once this one is there.
    pub fn link(&self) -> Link {
        self.manifest.link()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(run: u128, seq: u64, ns: u32) -> String {
        let run = uuid::Uuid::from_u128(run);
        format!(
            r#"{{"event_type":"NEW","schema_version":"1.0","event_time":"2026-11-24T03:00:00.{ns:09}Z","seq":{seq},"agent":{{"run_uuid":"{run}"}},"host":{{"id":"{}","boot_id":"{}"}}}}"#,
            uuid::Uuid::from_u128(7),
            uuid::Uuid::from_u128(8)
        )
    }

    fn pack(lines: &[String], previous: Option<&Link>) -> Result<Packed> {
        let mut packer = Packer::new(Compression::Zstd)?;
        lines.iter().try_for_each(|line| packer.push(line.as_bytes()))?;
        packer.finish(previous)
    }

    #[test]
    fn a_batch_is_named_by_its_first_and_last_line() {
        let packed = pack(&[line(1, 5, 0), line(1, 6, 1), line(1, 9, 2)], None).unwrap();
        let manifest = packed.manifest();
        assert_eq!((manifest.first_seq, manifest.last_seq, manifest.event_count), (5, 9, 3));
        assert!(manifest.object.contains("date=2026-11-24/hour=03/"), "{}", manifest.object);
        assert_eq!(manifest.object, packed.key().to_string());
        assert!(manifest.has_right_chain());
        assert_eq!(Manifest::read(manifest.line().as_bytes()).unwrap(), *manifest);
    }

    #[test]
    fn the_same_batch_has_the_same_bytes_and_a_newline_makes_no_difference() {
        let previous = pack(&[line(1, 1, 0)], None).unwrap().link();
        let bare = [line(1, 5, 0), line(1, 6, 1)];
        let ended = bare.clone().map(|line| line + "\n");
        assert_eq!(pack(&bare, Some(&previous)).unwrap(), pack(&ended, Some(&previous)).unwrap());
    }

    #[test]
    fn what_came_before_is_in_the_chain_but_not_in_the_digest() {
        let lines = [line(1, 5, 0)];
        let first = pack(&lines, None).unwrap().link();
        let later = pack(&lines, Some(&first)).unwrap().link();
        assert_eq!(first.sha256, later.sha256);
        assert_ne!(first.chain, later.chain);
    }

    #[track_caller]
    fn damaged(lines: &[String], part: &str) {
        let error = pack(lines, None).unwrap_err();
        assert_eq!(error.kind(), Kind::Damaged);
        assert!(error.to_string().contains(part), "{error}");
    }

    #[test]
    fn lines_that_are_no_batch_are_refused() {
        damaged(&[], "no lines");
        damaged(&["{}".to_owned()], "first line");
        damaged(&[line(1, 5, 0), "{".to_owned()], "last line");
        damaged(&[line(1, 5, 0), line(2, 6, 0)], "different runs");
        damaged(&[line(1, 5, 0), line(1, 4, 0)], "numbered from 5 to 4");
        damaged(&[line(1, 5, 0), line(1, 5, 0)], "2 lines");
    }
}
