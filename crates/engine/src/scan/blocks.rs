//! The bytes of an object, or of a piece of a file, as blocks of whole lines.
//!
//! Invariants: a block holds whole lines, but the last one of a stream, which may lack its end; the
//! buffer holds one block, or one line if that is longer, up to [`MAX_LINE`]. A line belongs to the
//! piece that it begins in.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::{Buf, Bytes};
use forebear_archive::compress::Decoder;
use forebear_archive::object_store::{self, GetOptions, GetResultPayload};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::report::{Damage, Tally};
use crate::source::{Body, Object};

/// The longest line that is read, in bytes. An argument list of 2 MiB, each byte escaped, and its
/// copy in base 64 fit in.
pub const MAX_LINE: usize = 32 << 20;

/// The room for plain bytes.
const BLOCK: usize = 1 << 20;

/// A part of the work: an object, or a range of a file that is not compressed.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub object: Arc<Object>,
    pub range: Option<Range<u64>>,
}

/// Blocks of whole lines.
pub(super) struct Blocks {
    name: String,
    input: Input,
    /// Compressed bytes that are not decoded yet.
    compressed: Bytes,
    decoder: Option<Decoder>,
    plain: Vec<u8>,
    /// Where the unread part of `plain` begins.
    start: usize,
    /// The place of the beginning of `plain` among all plain bytes.
    offset: u64,
    /// Lines that begin from here on are of another piece.
    end: Option<u64>,
    /// Within a line that is too long, or that began in the piece before.
    skipping: bool,
    is_over: bool,
    tally: Arc<Tally>,
}

enum Input {
    File(File),
    Stdin,
    Bytes(Option<Bytes>),
    Stream(BoxStream<'static, object_store::Result<Bytes>>),
}

/// A block, and the place of its first byte among the plain bytes of the object.
pub(super) struct Block<'b> {
    pub bytes: &'b [u8],
    pub offset: u64,
}

/// The beginnings of compressed streams: RFC 8878 and RFC 1952.
const MAGIC: [&[u8]; 2] = [&[0x28, 0xb5, 0x2f, 0xfd], &[0x1f, 0x8b]];

/// Whether bytes begin a compressed stream.
pub(super) fn is_compressed(head: &[u8]) -> bool {
    MAGIC.iter().any(|magic| head.starts_with(magic))
}

impl Blocks {
    /// Opens a piece; `None` if it cannot be read, which is counted.
    pub(super) async fn open(piece: &Piece, tally: Arc<Tally>) -> Option<Self> {
        tally
            .opened
            .fetch_add(u64::from(piece.range.as_ref().is_none_or(|it| it.start == 0)), Relaxed);
        let (object, range) = (&piece.object, piece.range.clone());
        match Self::input(object, range.as_ref()).await {
            Ok((input, head)) => {
                tally.stored_bytes.fetch_add(head.len() as u64, Relaxed);
                let decoder = is_compressed(&head).then(Decoder::new);
                let (compressed, plain) = match decoder {
                    Some(_) => (head, Vec::with_capacity(BLOCK)),
                    None => {
                        let mut plain = Vec::with_capacity(BLOCK.max(head.len()));
                        plain.extend_from_slice(&head);
                        (Bytes::new(), plain)
                    }
                };
                let start = range.as_ref().map_or(0, |range| range.start);
                let mut blocks = Self {
                    name: object.name.clone(),
                    input,
                    compressed,
                    decoder,
                    plain,
                    start: 0,
                    offset: start,
                    end: range.map(|range| range.end),
                    skipping: false,
                    is_over: false,
                    tally,
                };
                if start > 0 {
                    // The byte before tells whether a line begins here.
                    blocks.offset = start - 1;
                    blocks.skipping = true;
                }
                Some(blocks)
            }
            Err(error) => {
                tally.damage(Damage::Unreadable, || format!("{} ({error})", object.name));
                None
            }
        }
    }

    /// The input, and its first bytes.
    async fn input(object: &Object, range: Option<&Range<u64>>) -> Result<(Input, Bytes), String> {
        match &object.place {
            Body::Stdin => {
                let head = head(&mut std::io::stdin().lock()).map_err(|error| error.to_string())?;
                Ok((Input::Stdin, head))
            }
            Body::File(path) => {
                let opened = File::open(path).and_then(|mut file| {
                    let start = range.map_or(0, |range| range.start);
                    if start > 0 {
                        file.seek(SeekFrom::Start(start - 1))?;
                        return Ok((file, Bytes::new()));
                    }
                    let head = head(&mut file)?;
                    Ok((file, head))
                });
                let (file, head) = opened.map_err(|error| error.kind().to_string())?;
                Ok((Input::File(file), head))
            }
            Body::Stored { store, path } => {
                let got = store.get_opts(path, GetOptions::default()).await;
                let got = got.map_err(|error| error.to_string())?;
                match got.payload {
                    GetResultPayload::File(mut file, _) => {
                        let head = head(&mut file).map_err(|error| error.kind().to_string())?;
                        Ok((Input::File(file), head))
                    }
                    // What is small comes at once, so that several objects can be on their way.
                    GetResultPayload::Stream(mut stream) if object.size <= AT_ONCE => {
                        let mut whole =
                            Vec::with_capacity(usize::try_from(object.size).unwrap_or(0));
                        while let Some(bytes) = stream.next().await {
                            whole.extend_from_slice(&bytes.map_err(|error| error.to_string())?);
                        }
                        let mut whole = Bytes::from(whole);
                        let head = whole.split_to(whole.len().min(MAGIC[0].len()));
                        Ok((Input::Bytes(Some(whole)), head))
                    }
                    GetResultPayload::Stream(mut stream) => {
                        let first = stream.next().await.transpose();
                        let first = first.map_err(|error| error.to_string())?;
                        Ok((Input::Stream(stream), first.unwrap_or_default()))
                    }
                }
            }
        }
    }

    /// Whether the bytes may come slowly, from somebody at work.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.input, Input::Stdin)
    }

    /// The next block; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Block<'_>> {
        loop {
            if self.skipping {
                self.skip();
            }
            if self.end.is_some_and(|end| self.offset + self.start as u64 >= end) {
                return None;
            }
            if self.skipping {
                if self.is_over {
                    return None;
                }
                self.fill().await;
                continue;
            }
            let unread = self.plain.get(self.start..).unwrap_or_default();
            // Of a piece of a file, no line that begins behind its end.
            let until = self.end.map_or(unread.len(), |end| {
                let left = end - (self.offset + self.start as u64);
                usize::try_from(left).unwrap_or(usize::MAX).min(unread.len())
            });
            let found = match memchr::memrchr(b'\n', unread.get(..until).unwrap_or_default()) {
                // The last line that begins before the end may go on behind it.
                Some(at) if until == unread.len() || at + 1 == until => Some(at),
                Some(_) | None if until < unread.len() => {
                    let rest = unread.get(until..).unwrap_or_default();
                    memchr::memchr(b'\n', rest).map(|at| until + at)
                }
                found => found,
            };
            if let Some(at) = found {
                let range = self.start..self.start + at + 1;
                self.start = range.end;
                return Some(self.block(range));
            }
            if self.is_over {
                // The last line lacks its end.
                let range = self.start..self.plain.len();
                self.start = range.end;
                return (!range.is_empty()).then(|| self.block(range));
            }
            self.fill().await;
        }
    }

    fn block(&self, range: Range<usize>) -> Block<'_> {
        let offset = self.offset + range.start as u64;
        let bytes = self.plain.get(range).unwrap_or_default();
        self.tally.plain_bytes.fetch_add(bytes.len() as u64, Relaxed);
        Block { bytes, offset }
    }

    /// Drops what is left of a line that is not read.
    fn skip(&mut self) {
        let unread = self.plain.get(self.start..).unwrap_or_default();
        match memchr::memchr(b'\n', unread) {
            Some(at) => {
                self.start += at + 1;
                self.skipping = false;
            }
            None => self.start = self.plain.len(),
        }
    }

    /// Gets more plain bytes, or finds that there are none.
    async fn fill(&mut self) {
        if self.start > 0 {
            self.plain.drain(..self.start);
            self.offset += self.start as u64;
            self.start = 0;
        }
        if self.plain.len() >= MAX_LINE {
            let (name, offset) = (&self.name, self.offset);
            self.tally.damage(Damage::TooLong, || format!("{name} at byte {offset}"));
            self.offset += self.plain.len() as u64;
            self.plain.clear();
            self.skipping = true;
        }
        if self.plain.len() == self.plain.capacity() {
            self.plain.reserve(self.plain.len().max(BLOCK));
        }
        let filled = match self.decoder.take() {
            None => self.fill_plain().await,
            Some(mut decoder) => {
                let filled = self.decode(&mut decoder).await;
                self.decoder = Some(decoder);
                filled
            }
        };
        if let Err(what) = filled {
            let name = &self.name;
            self.tally.damage(Damage::BrokenObject, || format!("{name} ({what})"));
            // What has no end is no line.
            self.skipping = true;
            self.is_over = true;
        }
    }

    async fn fill_plain(&mut self) -> Result<(), String> {
        let room = (self.plain.capacity() - self.plain.len()) as u64;
        let read = match &mut self.input {
            Input::File(file) => file.take(room).read_to_end(&mut self.plain),
            // Not more than there is: whoever writes may be waiting for an answer.
            Input::Stdin => some(&mut std::io::stdin().lock(), room, &mut self.plain),
            Input::Bytes(_) | Input::Stream(_) => {
                let bytes = self.pull().await?;
                self.is_over = bytes.is_none();
                self.plain.extend_from_slice(&bytes.unwrap_or_default());
                return Ok(());
            }
        };
        let read = read.map_err(|error| error.to_string())?;
        self.tally.stored_bytes.fetch_add(read as u64, Relaxed);
        self.is_over = read == 0;
        Ok(())
    }

    async fn decode(&mut self, decoder: &mut Decoder) -> Result<(), String> {
        let before = self.plain.len();
        while self.plain.len() == before {
            let mut rest: &[u8] = &self.compressed;
            let decoded = decoder.decode(&mut rest, &mut self.plain);
            let used = self.compressed.len() - rest.len();
            self.compressed.advance(used);
            decoded.map_err(|error| error.0)?;
            if self.plain.len() > before {
                break;
            }
            if used == 0 && !self.compressed.is_empty() {
                return Err("the stream makes no progress".to_owned());
            }
            if self.compressed.is_empty() {
                match self.pull().await? {
                    Some(bytes) => self.compressed = bytes,
                    None if decoder.is_complete() => {
                        self.is_over = true;
                        break;
                    }
                    None => return Err("it ends too early".to_owned()),
                }
            }
        }
        Ok(())
    }

    /// The next bytes as they are stored; `None` at the end.
    async fn pull(&mut self) -> Result<Option<Bytes>, String> {
        let pulled = match &mut self.input {
            Input::Bytes(bytes) => bytes.take().filter(|bytes| !bytes.is_empty()),
            Input::Stream(stream) => {
                stream.next().await.transpose().map_err(|error| error.to_string())?
            }
            Input::File(file) => {
                let mut block = Vec::with_capacity(BLOCK);
                file.take(BLOCK as u64)
                    .read_to_end(&mut block)
                    .map_err(|error| error.to_string())?;
                Some(Bytes::from(block)).filter(|bytes| !bytes.is_empty())
            }
            Input::Stdin => {
                let mut block = Vec::new();
                some(&mut std::io::stdin().lock(), BLOCK as u64, &mut block)
                    .map_err(|error| error.to_string())?;
                Some(Bytes::from(block)).filter(|bytes| !bytes.is_empty())
            }
        };
        let length = pulled.as_ref().map_or(0, Bytes::len);
        self.tally.stored_bytes.fetch_add(length as u64, Relaxed);
        Ok(pulled)
    }
}

/// An object up to this size is fetched whole.
const AT_ONCE: u64 = 16 << 20;

/// The first bytes, as many as tell whether a stream is compressed.
fn head(from: &mut impl Read) -> std::io::Result<Bytes> {
    let mut head = Vec::with_capacity(MAGIC[0].len());
    from.take(MAGIC[0].len() as u64).read_to_end(&mut head)?;
    Ok(Bytes::from(head))
}

/// What one read gives, at most `most` bytes.
fn some(from: &mut impl Read, most: u64, to: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut block = vec![0; usize::try_from(most).unwrap_or(BLOCK).min(BLOCK)];
    loop {
        match from.read(&mut block) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(read) => {
                to.extend_from_slice(block.get(..read).unwrap_or_default());
                return Ok(read);
            }
            Err(error) => return Err(error),
        }
    }
}
