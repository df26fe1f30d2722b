//! The person at the controlling terminal.
//!
//! Invariants:
//! - The terminal is as it was when this has returned, also where a signal has ended the waiting.
//! - It is never waited for longer than was said.

use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use forebear_door::Terminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use zeroize::Zeroizing;

/// The longest line that is read, in bytes; more are passed over.
const LONGEST: usize = forebear_door::MAX_FROM_LOGIN;

/// The controlling terminal, if there is one.
#[derive(Debug)]
pub(crate) struct Tty {
    file: Option<std::fs::File>,
    /// Readable once a signal has come that ends the asking.
    signals: UnixStream,
    patience: Duration,
}

impl Tty {
    /// The terminal of this session; each question waits so long at most.
    pub(crate) fn open(patience: Duration) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
        // Not standard input: what is piped in is somebody's data and no person's answer.
        let file = match rustix::fs::open("/dev/tty", flags, Mode::empty()) {
            Ok(file) => Some(file.into()),
            // There is none (tty(4)), or it has been hung up.
            Err(Errno::NXIO | Errno::NODEV | Errno::NOENT | Errno::IO) => None,
            Err(errno) => return Err(errno.into()),
        };
        let (signals, by_handler) = UnixStream::pair()?;
        // SIGTSTP too: whoever is asked must not be able to leave the question standing.
        for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP] {
            signal_hook::low_level::pipe::register(signal, by_handler.try_clone()?)?;
        }
        Ok(Self { file, signals, patience })
    }

    /// Reads a line; `None` at the end, after a signal, or when it took too long.
    fn line(&self, file: &std::fs::File) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let deadline = Instant::now() + self.patience;
        let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
        let mut bytes = Zeroizing::new([0; LONGEST]);
        while self.is_readable(file, deadline)? {
            let count = match rustix::io::read(file, &mut bytes[..]) {
                Ok(0) | Err(Errno::IO) => return Ok(None),
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let read = bytes.get(..count).unwrap_or_default();
            let end = read.iter().position(|byte| *byte == b'\n');
            let read = read.get(..end.unwrap_or(count)).unwrap_or_default();
            let room = LONGEST - line.len();
            line.extend_from_slice(read.get(..room).unwrap_or(read));
            if end.is_some() {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Waits for the terminal. `false`: a signal came first, or nothing did.
    fn is_readable(&self, file: &std::fs::File, deadline: Instant) -> io::Result<bool> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut waited =
                [PollFd::new(file, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
            match poll(&mut waited, Some(&left)) {
                Ok(_) => {
                    return Ok(waited[1].revents().is_empty() && !waited[0].revents().is_empty());
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Terminal for Tty {
    type Error = io::Error;
    type Answer = Zeroizing<Vec<u8>>;

    fn ask(&mut self, text: &str, is_echoed: bool) -> io::Result<Option<Self::Answer>> {
        let Some(file) = &self.file else { return Ok(None) };
        let modes = Modes::set(file, is_echoed)?;
        write_all(file, text)?;
        let line = self.line(file);
        drop(modes);
        if !is_echoed || !matches!(line, Ok(Some(_))) {
            // The return key was not echoed.
            write_all(file, "\n")?;
        }
        line
    }

    fn can_ask(&self) -> bool {
        self.file.is_some()
    }

    fn tell(&mut self, text: &str) -> io::Result<()> {
        let told = match &self.file {
            Some(file) => write_all(file, &format!("{text}\n")),
            None => writeln!(io::stderr(), "{text}"),
        };
        match told {
            // Nobody sees it, which changes nothing.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe) => Ok(()),
            told => told,
        }
    }
}

fn write_all(mut file: &std::fs::File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())
}

/// How the terminal is while a question stands; put back when dropped.
struct Modes<'f> {
    file: &'f std::fs::File,
    before: Termios,
}

impl<'f> Modes<'f> {
    /// A line at a time, echoed or not, with keys that send signals. What was typed before the
    /// question is no answer to it.
    fn set(file: &'f std::fs::File, is_echoed: bool) -> io::Result<Self> {
        let before = tcgetattr(file.as_fd())?;
        let mut during = before.clone();
        during.local_modes |= LocalModes::ICANON | LocalModes::ISIG;
        during.local_modes.set(LocalModes::ECHO, is_echoed);
        during.local_modes.remove(LocalModes::ECHONL);
        tcsetattr(file.as_fd(), OptionalActions::Drain, &during)?;
        Ok(Self { file, before })
    }
}

impl Drop for Modes<'_> {
    fn drop(&mut self) {
        // A terminal that has gone needs none.
        _ = tcsetattr(self.file.as_fd(), OptionalActions::Drain, &self.before);
    }
}
