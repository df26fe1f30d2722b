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
    /// What kind of program it is.
    pub(super) kind: Kind,
    pin: OwnedFd,
}

/// Whose word counts for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A program of root's, such as sshd with the PAM module: what it says of a login is believed.
    Root,
    /// The gate, by its group. Somebody has started it who is not root, perhaps by hand, so nothing
    /// that it says is believed.
    Gate {
        /// The Linux user who runs it.
        uid: u32,
    },
}

/// Why somebody is not listened to.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stranger {
    /// Neither root nor the gate.
    #[error(
        "pid {pid} runs as user {uid}, and only root's programs and the gate may ask who somebody is"
    )]
    Nobody {
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
    /// The process that has connected. `gate` is the group of the gate, if there is one.
    pub(super) fn of(stream: &UnixStream, gate: Option<u32>) -> Result<Self, Stranger> {
        let unknown = |errno: rustix::io::Errno| Stranger::Unknown(errno.into());
        let credentials = rustix::net::sockopt::socket_peercred(stream).map_err(unknown)?;
        let pid = credentials.pid.as_raw_nonzero().get().unsigned_abs();
        // Effective ids, as they were when it connected (unix(7)).
        let uid = credentials.uid.as_raw();
        let kind = if gate == Some(credentials.gid.as_raw()) {
            Kind::Gate { uid }
        } else if credentials.uid.is_root() {
            Kind::Root
        } else {
            return Err(Stranger::Nobody { pid, uid });
        };
        let pin = pidfd_open(credentials.pid, PidfdFlags::empty()).map_err(|_| Stranger::Gone)?;
        let stat = fs_err::read(format!("/proc/{pid}/stat")).map_err(|_| Stranger::Gone)?;
        let start = start_of(&stat).ok_or(Stranger::Gone)?;
        let process = ProcessKey { pid: Pid(pid), start: start.start() };
        let peer = Self { process, kind, pin };
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
        let group = rustix::process::getegid().as_raw();
        let uid = rustix::process::geteuid().as_raw();
        let peer = Peer::of(&ours, Some(group)).unwrap();
        assert_eq!(peer.kind, Kind::Gate { uid });
        let peer = Peer::of(&ours, Some(group + 1));
        if uid != 0 {
            assert!(matches!(peer, Err(Stranger::Nobody { .. })), "{peer:?}");
            return;
        }
        let peer = peer.unwrap();
        assert_eq!(peer.kind, Kind::Root);
        assert_eq!(peer.process.pid.0, std::process::id());
        assert!(peer.is_there());
        drop(theirs);
        assert!(matches!(Peer::of(&ours, None), Err(Stranger::Gone)));
    }
}
