//! The descriptor that is written to, and how it is kept from blocking.
//!
//! | what | how |
//! | --- | --- |
//! | regular file, block device, other character device | plain write(2): it waits for no reader |
//! | pipe, FIFO, terminal | opened anew through `/proc/self/fd` with `O_NONBLOCK` |
//! | the same where that is refused | poll(2), then no more than surely fits |
//! | socket | send(2) with `MSG_DONTWAIT` |
//!
//! `O_NONBLOCK` is never set on a descriptor that was inherited: it belongs to the open file,
//! which the shell and other programs share.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{Errno, write};
use rustix::net::{SendFlags, send};

/// Contents are sensitive: command lines of everybody.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A terminal that polls writable takes at least this without blocking: its driver reports room
/// only while fewer than 256 bytes wait (`WAKEUP_CHARS` in `drivers/tty/n_tty.c`).
const SURE_OF_TERMINAL: usize = 128;

/// Something to write to.
#[derive(Debug)]
pub(super) enum Sink {
    /// Writing waits for no reader.
    Plain(OwnedFd),
    /// Opened by us without blocking.
    NonBlocking(OwnedFd),
    /// Somebody else's open file: polled first, then at most so many bytes.
    Polled(OwnedFd, usize),
    /// A socket.
    Socket(OwnedFd),
}

impl Sink {
    /// Standard output.
    pub(super) fn stdout() -> Result<Self, Errno> {
        Self::from_inherited(std::io::stdout().as_fd())
    }

    /// A descriptor that others may share.
    pub(super) fn from_inherited(fd: BorrowedFd<'_>) -> Result<Self, Errno> {
        let own = rustix::io::fcntl_dupfd_cloexec(fd, 3)?;
        let sure = match FileType::from_raw_mode(fstat(fd)?.st_mode) {
            FileType::Socket => return Ok(Self::Socket(own)),
            FileType::Fifo => rustix::pipe::PIPE_BUF,
            FileType::CharacterDevice if rustix::termios::isatty(fd) => SURE_OF_TERMINAL,
            _ => return Ok(Self::Plain(own)),
        };
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let number = std::os::fd::AsRawFd::as_raw_fd(&own);
        match open(format!("/proc/self/fd/{number}"), flags, Mode::empty()) {
            Ok(anew) => Ok(Self::NonBlocking(anew)),
            // Another user's terminal, no /proc, ...
            Err(_) => Ok(Self::Polled(own, sure)),
        }
    }

    /// Opens a file for appending, creating it for its owner only. Also tells whether it ends in
    /// the middle of a line.
    pub(super) fn append_to(path: &Path) -> Result<(Self, bool), Errno> {
        let flags = OFlags::APPEND
            | OFlags::CREATE
            | OFlags::NOCTTY
            | OFlags::CLOEXEC
            // A FIFO without a reader is refused instead of waited for.
            | OFlags::NONBLOCK;
        // Reading is for the look at its last byte; a file that may only be written is fine too.
        let fd = match open(path, flags | OFlags::RDWR, PRIVATE) {
            Err(Errno::ACCESS) => open(path, flags | OFlags::WRONLY, PRIVATE)?,
            other => other?,
        };
        let stat = fstat(&fd)?;
        match FileType::from_raw_mode(stat.st_mode) {
            // Opened for reading as well, a FIFO would keep its own reader alive.
            FileType::Fifo => {
                drop(fd);
                Ok((Self::NonBlocking(open(path, flags | OFlags::WRONLY, PRIVATE)?), false))
            }
            FileType::CharacterDevice if rustix::termios::isatty(&fd) => {
                Ok((Self::NonBlocking(fd), false))
            }
            _ => {
                let mut last = [0; 1];
                let end = u64::try_from(stat.st_size).unwrap_or(0);
                let is_torn = end > 0
                    && rustix::io::pread(&fd, &mut last, end - 1) == Ok(1)
                    && last != *b"\n";
                Ok((Self::Plain(fd), is_torn))
            }
        }
    }

    /// Writes some of these bytes. `EAGAIN` says that none fit now.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        match self {
            Self::Plain(fd) | Self::NonBlocking(fd) => write(fd, bytes),
            Self::Socket(fd) => send(fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Self::Polled(fd, sure) => {
                if !poll_for(fd, Duration::ZERO).contains(PollFlags::OUT) {
                    return Err(Errno::AGAIN);
                }
                write(fd, bytes.get(..*sure).unwrap_or(bytes))
            }
        }
    }

    /// Waits until something can be written, but not longer than `timeout`.
    pub(super) fn wait(&self, timeout: Duration) {
        match self {
            Self::Plain(_) => {}
            Self::NonBlocking(fd) | Self::Polled(fd, _) | Self::Socket(fd) => {
                // A pipe without a reader polls as an error at once; the next write tells.
                poll_for(fd, timeout);
            }
        }
    }

    /// Whether the other end is known to have gone.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::NonBlocking(fd) | Self::Polled(fd, _) | Self::Socket(fd) => {
                poll_for(fd, Duration::ZERO).intersects(PollFlags::ERR | PollFlags::HUP)
            }
        }
    }

    /// Whether somebody reads the other end.
    pub(super) fn is_stream(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }
}

/// What the descriptor is ready for; nothing if the time is over or a signal came.
fn poll_for(fd: &OwnedFd, timeout: Duration) -> PollFlags {
    let mut fds = [PollFd::new(fd, PollFlags::OUT)];
    match poll(&mut fds, Some(&timespec(timeout))) {
        Ok(_) => fds[0].revents(),
        Err(_) => PollFlags::empty(),
    }
}

/// Lets time pass until `timeout` or a signal.
pub(super) fn pause(timeout: Duration) {
    let _ = poll(&mut [], Some(&timespec(timeout)));
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
