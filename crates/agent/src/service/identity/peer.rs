//! Who is at the other end of a connection: what the kernel says, never what they say.
//!
//! A pid alone could be another process's by the time that it is looked at. So the process is pinned
//! by a descriptor (pidfd_open(2)), its start time is read, and only if the connection is still open
//! after that was it the one that connected: the end that it holds is closed when it ends.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use forebear_model::{Pid, ProcessKey, Ticks};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{PidfdFlags, pidfd_open};

/// The field of the start time in `/proc/<pid>/stat` (proc_pid_stat(5)), counted from the one
/// behind the name.
const START_AFTER_NAME: usize = 19;

/// The process at the other end.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its pid and start time.
    pub(super) process: ProcessKey,
    pin: OwnedFd,
}

/// Why somebody is not listened to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stranger {
    /// Not root.
    #[error("pid {pid} runs as user {uid}, and only root's programs may ask who somebody is")]
    NotRoot {
        /// Its pid.
        pid: u32,
        /// Its user.
        uid: u32,
    },
    /// It went away, or is not what it was.
    #[error("whoever connected went away")]
    Gone,
    /// The kernel does not say.
    #[error("the kernel does not say who connected: {0}")]
    Unknown(#[source] io::Error),
}

impl Peer {
    /// The process that has connected.
    pub(super) fn of(stream: &UnixStream) -> Result<Self, Stranger> {
        let unknown = |errno: rustix::io::Errno| Stranger::Unknown(errno.into());
        let credentials = rustix::net::sockopt::socket_peercred(stream).map_err(unknown)?;
        let pid = credentials.pid.as_raw_nonzero().get().unsigned_abs();
        if !credentials.uid.is_root() {
            return Err(Stranger::NotRoot { pid, uid: credentials.uid.as_raw() });
        }
        let pin = pidfd_open(credentials.pid, PidfdFlags::empty()).map_err(|_| Stranger::Gone)?;
        let stat = fs_err::read(format!("/proc/{pid}/stat")).map_err(|_| Stranger::Gone)?;
        let start = start_of(&stat).ok_or(Stranger::Gone)?;
        let peer = Self { process: ProcessKey { pid: Pid(pid), start: start.start() }, pin };
        match !has_ended(stream, PollFlags::HUP) && peer.is_there() {
            true => Ok(peer),
            false => Err(Stranger::Gone),
        }
    }

    /// Whether it still runs.
    pub(super) fn is_there(&self) -> bool {
        !has_ended(&self.pin, PollFlags::IN)
    }
}

/// Whether polling a descriptor shows one of these (or an error) at once.
fn has_ended(descriptor: &impl AsFd, sign: PollFlags) -> bool {
    let mut polled = [PollFd::new(descriptor, sign)];
    match poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
        Ok(0) => false,
        Ok(_) => polled[0].revents().intersects(sign | PollFlags::ERR | PollFlags::NVAL),
        Err(_) => true,
    }
}

/// The start time in a process's status line. The name may hold blanks and brackets, so it ends at
/// the last bracket.
fn start_of(stat: &[u8]) -> Option<Ticks> {
    let after = stat.iter().rposition(|byte| *byte == b')')?;
    let fields = std::str::from_utf8(stat.get(after + 1..)?).ok()?;
    fields.split_ascii_whitespace().nth(START_AFTER_NAME)?.parse().ok().map(Ticks)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_name_of_brackets_does_not_hide_the_start() {
        let stat = b"17 (a) R) b) S 1 17 17 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 10\n";
        assert_eq!(start_of(stat), Some(Ticks(4711)));
        assert_eq!(start_of(b"17 (a) S 1 17"), None);
        assert_eq!(start_of(b""), None);
    }

    #[test]
    fn whoever_connected_is_known_by_pid_and_start() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let peer = Peer::of(&ours);
        if !rustix::process::geteuid().is_root() {
            assert!(matches!(peer, Err(Stranger::NotRoot { .. })), "{peer:?}");
            return;
        }
        let peer = peer.unwrap();
        assert_eq!(peer.process.pid.0, std::process::id());
        assert!(peer.is_there());
        drop(theirs);
        assert!(matches!(Peer::of(&ours), Err(Stranger::Gone)));
    }
}
