//! The lines of one object, as a stream of bounded memory.
//!
//! Invariant: the buffer holds one block, or one line if that is longer, up to
//! [`ReadLimits::max_line`].

use std::io::Read;
use std::ops::Range;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{Attributes, GetOptions, GetResultPayload, ObjectStoreExt};

use crate::compress::Decoder;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Kind, Result};
use crate::read::StoredObject;
use crate::store::Archive;

const READ: &str = "read the object";

/// The room for plain bytes, and the piece in which files are read.
const BLOCK: usize = 256 << 10;

/// How much of an object is read at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// The longest line, in bytes. An argument list of 2 MiB, each byte escaped, and its copy in
    /// base 64 fit in.
    pub max_line: usize,
    /// All lines together, in bytes.
    pub max_plain: u64,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self { max_line: 32 << 20, max_plain: 4 << 30 }
    }
}

/// The lines of one object.
#[derive(Debug)]
pub struct Lines {
    archive: Archive,
    below: String,
    limits: ReadLimits,
    attributes: Attributes,
    source: Source,
    input: Bytes,
    decoder: Decoder,
    plain: Vec<u8>,
    /// Where the unread part of `plain` begins, and how far it was looked through for newlines.
    start: usize,
    seen: usize,
    total: u64,
    lines: u64,
    hasher: Option<Hasher>,
}

enum Source {
    Stream(BoxStream<'static, object_store::Result<Bytes>>),
    File(Option<std::fs::File>),
    End,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stream(_) => "Stream",
            Self::File(_) => "File",
            Self::End => "End",
        })
    }
}

impl Archive {
    /// Opens an object to be read line by line.
    pub async fn lines(&self, object: &StoredObject, limits: &ReadLimits) -> Result<Lines> {
        self.open_lines(&object.key.to_string(), limits, false).await
    }

    /// The SHA-256 of an object's plain bytes, whatever they are.
    pub(crate) async fn digest(&self, below: &str, limits: &ReadLimits) -> Result<Digest> {
        let mut lines = self.open_lines(below, limits, true).await?;
        while lines.fill().await? {
            lines.start = lines.plain.len();
            lines.seen = lines.start;
        }
        Ok(lines.digest().unwrap_or_else(|| Digest::of(b"")))
    }

    pub(crate) async fn open_lines(
        &self,
        below: &str,
        limits: &ReadLimits,
        with_digest: bool,
    ) -> Result<Lines> {
        let path = self.path(below)?;
        let got = self.store().get_opts(&path, GetOptions::default()).await;
        let got = got.map_err(|error| self.error(READ, below, error))?;
        let attributes = got.attributes.clone();
        let source = match got.payload {
            GetResultPayload::File(file, _) => Source::File(Some(file)),
            GetResultPayload::Stream(stream) => Source::Stream(stream),
        };
        Ok(Lines {
            archive: self.clone(),
            below: below.to_owned(),
            limits: *limits,
            attributes,
            source,
            input: Bytes::new(),
            decoder: Decoder::new(),
            plain: Vec::with_capacity(BLOCK),
            start: 0,
            seen: 0,
            total: 0,
            lines: 0,
            hasher: with_digest.then(Hasher::default),
        })
    }

    /// A small object at once; one that is larger than `most` is refused.
    pub(crate) async fn read_small(
        &self,
        path: &Path,
        below: &str,
        operation: &'static str,
        most: u64,
    ) -> Result<Bytes> {
        let got = self.store().get(path).await;
        let got = got.map_err(|error| self.error(operation, below, error))?;
        if got.meta.size > most {
            let detail = format!("it has {} bytes, and {most} are the most", got.meta.size);
            return Err(Error::new(Kind::Damaged, operation, self.subject(below), detail));
        }
        got.bytes().await.map_err(|error| self.error(operation, below, error))
    }
}

impl Lines {
    /// The next line without its newline; `None` at the end.
    ///
    /// Fails with [`Kind::Damaged`] for what is not a whole stream of whole lines: the lines given
    /// before are good as far as they go. With [`Kind::TooLarge`] beyond the limits.
    pub async fn next(&mut self) -> Result<Option<&[u8]>> {
        let found = loop {
            if let Some(at) = memchr::memchr(b'\n', self.plain.get(self.seen..).unwrap_or_default())
            {
                break self.take(self.seen + at);
            }
            self.seen = self.plain.len();
            if !self.fill().await? {
                self.check_end()?;
                return Ok(None);
            }
        };
        self.lines += 1;
        let line = Range { start: found.start, end: found.end - 1 };
        Ok(self.plain.get(line))
    }

    /// As many whole lines as are at hand, newlines included; `None` at the end. Fails like
    /// [`Lines::next`].
    pub async fn next_block(&mut self) -> Result<Option<&[u8]>> {
        let found = loop {
            let unseen = self.plain.get(self.seen..).unwrap_or_default();
            if let Some(at) = memchr::memrchr(b'\n', unseen) {
                break self.take(self.seen + at);
            }
            self.seen = self.plain.len();
            if !self.fill().await? {
                self.check_end()?;
                return Ok(None);
            }
        };
        let block = self.plain.get(found).unwrap_or_default();
        self.lines += memchr::memchr_iter(b'\n', block).count() as u64;
        Ok(Some(block))
    }

    /// Lines given so far.
    pub fn count(&self) -> u64 {
        self.lines
    }

    /// Plain bytes read so far.
    pub fn plain_bytes(&self) -> u64 {
        self.total
    }

    /// What the store keeps beside the bytes under a name of ours.
    pub(crate) fn metadata(&self, name: &'static str) -> Option<&str> {
        let value = self.attributes.get(&object_store::Attribute::Metadata(name.into()))?;
        Some(value.as_ref())
    }

    /// SHA-256 of the plain bytes read so far, if it was asked for.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.hasher.clone().map(Hasher::finish)
    }

    /// Marks everything up to a newline as read.
    fn take(&mut self, newline: usize) -> Range<usize> {
        let found = self.start..newline + 1;
        self.start = newline + 1;
        self.seen = self.start;
        found
    }

    fn check_end(&self) -> Result<()> {
        if self.start < self.plain.len() {
            return Err(self.damaged("its last line has no end"));
        }
        Ok(())
    }

    /// Gets more plain bytes; `false` at the end of a whole stream.
    async fn fill(&mut self) -> Result<bool> {
        self.make_room()?;
        let before = self.plain.len();
        loop {
            let mut rest: &[u8] = &self.input;
            let decoded = self.decoder.decode(&mut rest, &mut self.plain);
            let used = self.input.len() - rest.len();
            self.input.advance(used);
            decoded.map_err(|error| self.damaged(error.0))?;
            if self.plain.len() > before {
                break;
            }
            if used == 0 && !self.input.is_empty() {
                return Err(self.damaged("the stream makes no progress"));
            }
            if self.input.is_empty() {
                match self.pull().await? {
                    Some(bytes) => self.input = bytes,
                    None if self.decoder.is_complete() => return Ok(false),
                    None => return Err(self.damaged("the stream ends too early")),
                }
            }
        }
        let new = self.plain.get(before..).unwrap_or_default();
        if let Some(hasher) = &mut self.hasher {
            hasher.update(new);
        }
        self.total = self.total.saturating_add(new.len() as u64);
        if self.total > self.limits.max_plain {
            let detail = format!("it has more than {} bytes of lines", self.limits.max_plain);
            return Err(self.error(Kind::TooLarge, detail));
        }
        Ok(true)
    }

    /// Moves the unread part to the front, and makes the buffer larger only for a long line.
    fn make_room(&mut self) -> Result<()> {
        if self.start > 0 {
            self.plain.drain(..self.start);
            self.seen -= self.start;
            self.start = 0;
        }
        if self.plain.len() == self.plain.capacity() {
            if self.plain.len() >= self.limits.max_line {
                let detail = format!("a line is longer than {} bytes", self.limits.max_line);
                return Err(self.error(Kind::TooLarge, detail));
            }
            self.plain.reserve_exact(self.plain.len().min(self.limits.max_line));
        }
        Ok(())
    }

    /// The next compressed bytes.
    async fn pull(&mut self) -> Result<Option<Bytes>> {
        loop {
            let pulled = match &mut self.source {
                Source::End => return Ok(None),
                Source::Stream(stream) => stream.next().await.transpose(),
                Source::File(file) => {
                    let Some(mut file) = file.take() else { return Ok(None) };
                    let read = tokio::task::spawn_blocking(move || {
                        let mut block = vec![0; BLOCK];
                        let read = file.read(&mut block);
                        (file, read.map(|length| (block, length)))
                    });
                    match read.await {
                        Ok((file, Ok((mut block, length)))) => {
                            self.source = Source::File(Some(file));
                            block.truncate(length);
                            Ok((length > 0).then(|| Bytes::from(block)))
                        }
                        Ok((_, Err(error))) => return Err(self.failed(error)),
                        Err(error) => return Err(self.failed(std::io::Error::other(error))),
                    }
                }
            };
            match pulled {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Ok(None) => {
                    self.source = Source::End;
                    return Ok(None);
                }
                Err(error) => return Err(self.archive.error(READ, &self.below, error)),
            }
        }
    }

    fn damaged(&self, detail: impl Into<String>) -> Error {
        self.error(Kind::Damaged, detail)
    }

    fn failed(&self, error: std::io::Error) -> Error {
        self.error(Kind::Local, error.to_string()).with_source(error)
    }

    fn error(&self, kind: Kind, detail: impl Into<String>) -> Error {
        Error::new(kind, READ, self.archive.subject(&self.below), detail)
    }
}
