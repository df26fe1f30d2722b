//! Where events are written: one file, pipe, socket or terminal.
//!
//! Invariants:
//! - Bytes are written in order, each once; a line is never torn by anything but the end of the
//!   program.
//! - [`Output::write`] never waits for a reader. While a reader is stuck or a disk is full the
//!   rest is held here, the caller stops consuming, and the kernel's buffer does the waiting.
//! - Nothing is ever truncated.
//!
//! Deliberately not here: what an event is. A line is some bytes that end in a newline.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::io::Errno;

use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::options::Target;
use crate::pipeline::Lines;
use crate::recording::Stream;
use crate::talk::say;

use self::sink::Sink;

mod sink;

/// How often a full file system is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How long a stuck reader is waited for before patience is asked for again.
const LOOK: Duration = Duration::from_millis(50);

/// A buffer this large is worth its write; and what a buffer may keep of its size afterwards.
const WORTHWHILE: usize = 256 << 10;

/// The writer.
#[derive(Debug)]
pub struct Output {
    sink: Sink,
    /// What it is called in messages.
    name: String,
    /// Whole lines.
    pending: Vec<u8>,
    /// How much of `pending` has been written.
    written: usize,
    /// When to try again, while there is no space.
    full: Option<Instant>,
    /// Why nothing more can be written, once that is so.
    ended: Option<Ended>,
}

/// Why nothing more can be written, ever.
#[derive(Debug)]
pub enum Ended {
    /// The reader has gone away.
    ReaderGone,
    /// Another error.
    Failed(Errno),
}

/// What was left when the program had to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritten {
    /// Bytes.
    pub bytes: usize,
    /// Events, one that was written in part included.
    pub events: usize,
}

impl Output {
    /// Opens the target.
    ///
    /// # Errors
    /// A usage [`Failure`] that names the path and the reason.
    pub fn open(target: &Target) -> Result<Self> {
        let (sink, pending) = match target {
            Target::Stdout => {
                (Sink::stdout().map_err(|errno| refused("standard output", errno))?, vec![])
            }
            Target::File(path) => open_file(path)?,
        };
        let name = match target {
            Target::Stdout => "standard output".to_owned(),
            Target::File(path) => path.display().to_string(),
        };
        Ok(Self { sink, name, pending, written: 0, full: None, ended: None })
    }

    /// Writes what can be written now; the rest stays.
    ///
    /// # Errors
    /// [`Ended`] if nothing more can ever be written.
    fn write(&mut self) -> Result<(), Ended> {
        if self.full.is_some_and(|retry| Instant::now() < retry) {
            return Ok(());
        }
        while let Some(rest) = self.pending.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.sink.write(rest) {
                // A file system that takes nothing without an error has no space either.
                Ok(0) => return self.hold(Errno::NOSPC),
                Ok(count) => {
                    self.written += count;
                    self.resume();
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => {
                    return self.hold(errno);
                }
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(Ended::ReaderGone),
                // A terminal that has been hung up.
                Err(Errno::IO) if self.sink.is_stream() => return Err(Ended::ReaderGone),
                Err(errno) => return Err(Ended::Failed(errno)),
            }
        }
        self.pending.clear();
        self.pending.shrink_to(2 * WORTHWHILE);
        self.written = 0;
        Ok(())
    }

    /// No space: says so once, and tries again later.
    fn hold(&mut self, errno: Errno) -> Result<(), Ended> {
        if self.full.is_none() {
            let reason = failure::reason(&errno.into());
            let Unwritten { events, .. } = self.unwritten();
            say(format_args!(
                "{}: {reason}: holding {events} events; recording goes on when there is space",
                self.name
            ));
        }
        self.full = Some(Instant::now() + RETRY);
        Ok(())
    }

    fn resume(&mut self) {
        if self.full.take().is_some() {
            say(format_args!("{}: there is space again", self.name));
        }
    }

    /// Writes the rest, waiting for a stuck reader while there is patience, for space not at all.
    ///
    /// # Errors
    /// [`Ended`] if nothing more can ever be written. `Ok` with what was left otherwise.
    fn finish(
        &mut self,
        has_patience: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Unwritten>, Ended> {
        // Space that has just been made is noticed even if the next try was not due.
        self.full = self.full.map(|_| Instant::now());
        loop {
            self.write()?;
            if self.is_settled() {
                return Ok(None);
            }
            if self.full.is_some() || !has_patience() {
                return Ok(Some(self.unwritten()));
            }
            self.wait(LOOK);
        }
    }

    fn unwritten(&self) -> Unwritten {
        let rest = self.pending.get(self.written..).unwrap_or_default();
        let events = rest.iter().filter(|byte| **byte == b'\n').count();
        Unwritten { bytes: rest.len(), events }
    }
}

impl Lines for Output {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    fn line_is_complete(&mut self) {
        if self.pending.len() - self.written >= WORTHWHILE {
            Stream::push(self);
        }
    }
}

impl Stream for Output {
    fn is_settled(&self) -> bool {
        self.written == self.pending.len()
    }

    fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// An end is remembered for [`Stream::conclude`].
    fn push(&mut self) {
        if self.ended.is_none() {
            self.ended = self.write().err();
        }
    }

    /// Notices a reader that has gone although nothing was to be written.
    fn attend(&mut self) {
        if self.ended.is_none() && self.sink.is_abandoned() {
            self.ended = Some(Ended::ReaderGone);
        }
    }

    /// A signal ends it early.
    fn wait(&self, timeout: Duration) {
        match self.full {
            Some(retry) => {
                let until = retry.saturating_duration_since(Instant::now());
                sink::pause(timeout.min(until));
            }
            None => self.sink.wait(timeout),
        }
    }

    /// A reader that has gone away is a good end.
    fn conclude(mut self, has_patience: &mut dyn FnMut() -> bool) -> Result<Exit> {
        let finished = match self.ended.take() {
            None => self.finish(has_patience),
            Some(ended) => Err(ended),
        };
        let (left, reason) = match finished {
            Ok(None) | Err(Ended::ReaderGone) => return Ok(Exit::Done),
            Ok(Some(left)) if self.full.is_some() => (left, "there is no space".to_owned()),
            Ok(Some(left)) => (left, "its reader does not read".to_owned()),
            Err(Ended::Failed(errno)) => (self.unwritten(), failure::reason(&errno.into())),
        };
        let (name, Unwritten { bytes, events }) = (&self.name, left);
        let what = format!("{name}: {events} events ({bytes} bytes) not written: {reason}");
        Err(Failure::unfinished(what).into())
    }
}

/// Opens a file for appending. If its last line was torn by a kill, the first thing to write is
/// the end of that line, so that it spoils no other.
fn open_file(path: &Path) -> Result<(Sink, Vec<u8>)> {
    let (sink, is_torn) = Sink::append_to(path).map_err(|errno| {
        let failure = refused(&path.display().to_string(), errno);
        match errno {
            Errno::ISDIR => failure.remedy("name a file in it instead"),
            Errno::NOENT => failure.remedy("create the directory first"),
            Errno::ACCESS | Errno::PERM | Errno::ROFS => failure.remedy("name another place"),
            // open(2): a FIFO, opened for writing without waiting, that nobody reads.
            Errno::NXIO => failure.remedy("it is a FIFO without a reader: start the reader first"),
            _ => failure,
        }
    })?;
    Ok((sink, if is_torn { vec![b'\n'] } else { vec![] }))
}

fn refused(name: &str, errno: Errno) -> Failure {
    Failure::usage(format!("cannot write to {name}: {}", failure::reason(&errno.into())))
}

#[cfg(test)]
mod tests;
