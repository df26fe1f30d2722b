//! The input vocabulary: what a source of observations can say.
//!
//! Three sources speak it: the live eBPF sensor, a snapshot of the running processes (task
//! iterator or `/proc`), and a recorded trace. What the verification of people says comes in
//! between.
//! Observations borrow their bytes from the source, so nothing is copied that is not kept.
//!
//! A source promises the kernel's order: the fork of a process before anything else of it, its
//! exit last, and the observations of one process in the order in which they happened.

use crate::ids::{AuditSession, CgroupId, Credentials, NamespaceId, Pgid, Pid, Sid};
use crate::known::Known;
use crate::time::{BootTime, ClockPair};
use crate::tty::{Device, Streams, Terminal};
use crate::{Gid, Uid};

mod shell;
mod verification;

pub use shell::{Builtin, BuiltinSource, Line, Shell, TypedText};
pub use verification::{Bound, Revoked, Verification, VerificationMethod, VerificationOutcome};

/// One thing that a source has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation<'a> {
    /// Both clocks were read.
    Clock(ClockPair),
    /// A process was created.
    Fork(Fork<'a>),
    /// A process ran a program.
    Exec(Box<Exec<'a>>),
    /// The last thread of a process ended.
    Exit(Exit),
    /// A shell ran a builtin.
    Builtin(Box<Builtin<'a>>),
    /// A shell read a line from its terminal, or has carried the last one out.
    Line(Line<'a>),
    /// A person stands behind a login from now on.
    Bound(Bound<'a>),
    /// A person stands behind nothing any more.
    Revoked(Revoked<'a>),
    /// Somebody was asked who they are.
    Verification(Box<Verification<'a>>),
    /// A snapshot of the running processes begins; from now on exits are remembered, so that an
    /// ended process is not brought back by its older picture.
    SnapshotBegin(BootTime),
    /// One running process of the snapshot, in any order.
    Running(Box<Running<'a>>),
    /// The snapshot is complete.
    SnapshotEnd,
    /// Records were dropped between the kernel and here.
    Lost(Lost),
}

/// A process, told apart from every other of this boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessKey {
    /// Its thread group id.
    pub pid: Pid,
    /// When its first thread started (`start_boottime`).
    pub start: BootTime,
}

/// The facts about a process that change while it runs the same program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Real and effective ids.
    pub credentials: Credentials,
    /// The user who logged in (`/proc/<pid>/loginuid`), where one did.
    pub login_uid: Option<Uid>,
    /// The audit session, where one was opened.
    pub audit_session: Option<AuditSession>,
    /// The session; 0 for processes that never joined one.
    pub sid: Sid,
    /// The process group.
    pub pgid: Pgid,
    /// The controlling terminal.
    pub tty: Option<Terminal>,
    /// The standard streams.
    pub streams: Known<Streams>,
}

/// Where a process stands among namespaces and control groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its pid namespace, if it is not the initial one.
    pub pid_namespace: Option<PidNamespace>,
    /// Its control group.
    pub cgroup: CgroupId,
    /// The control group's path; a source leaves it out when it has told that group's path
    /// before.
    pub cgroup_path: Option<&'a [u8]>,
}

/// A pid namespace that is not the initial one (pid_namespaces(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PidNamespace {
    /// Its inode number.
    pub id: NamespaceId,
    /// How many namespaces above it; at least 1.
    pub level: u32,
    /// The process's own pid in it; 1 for its init.
    pub pid: Pid,
}

/// The identity of a file on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The device that holds it.
    pub device: Device,
    /// Its inode number.
    pub inode: u64,
}

/// An executable file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executable<'a> {
    /// Its path in the process's own root directory; for an anonymous one `memfd:<name>` below
    /// `/`.
    pub path: Known<&'a [u8]>,
    /// Which file it is.
    pub file: FileId,
    /// The file's owner.
    pub owner: Uid,
    /// The file's group.
    pub group: Gid,
    /// The file's type and permission bits (inode(7)).
    pub mode: u32,
    /// It has no name in any directory any more.
    pub deleted: bool,
    /// It was made by memfd_create(2).
    pub memfd: bool,
    /// It lies in the upper, writable layer of an overlay file system: it did not come with the
    /// container's image.
    pub upper_layer: bool,
}

/// `fork`, `vfork` or `clone` without `CLONE_THREAD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork<'a> {
    /// When.
    pub at: BootTime,
    /// The process that called it.
    pub creator: ProcessKey,
    /// The kernel's parent of the child: the creator, or the creator's parent with
    /// `CLONE_PARENT`.
    pub parent: ProcessKey,
    /// The child.
    pub child: ProcessKey,
    /// The creator's facts at that moment, which the child starts out with.
    pub state: State,
    /// The child's place.
    pub place: Place<'a>,
    /// A thread of the kernel, without user-space memory.
    pub kernel_thread: bool,
}

/// `execve` or `execveat` that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec<'a> {
    /// When.
    pub at: BootTime,
    /// The process.
    pub process: ProcessKey,
    /// Its facts just after the exec.
    pub state: State,
    /// Its place.
    pub place: Place<'a>,
    /// The program that now runs.
    pub executable: Executable<'a>,
    /// The path as it was passed to execve(2).
    pub filename: Known<&'a [u8]>,
    /// The interpreter of a script or of a binfmt_misc(5) format.
    pub interpreter: Option<&'a [u8]>,
    /// The arguments.
    pub argv: Argv<'a>,
    /// The working directory.
    pub cwd: Known<&'a [u8]>,
    /// The effective user changed because of the file's set-user-ID bit.
    pub setuid: bool,
    /// The effective group changed because of the file's set-group-ID bit.
    pub setgid: bool,
    /// The kernel's parent (`real_parent`), at that moment.
    pub parent: ProcessKey,
    /// The parent's own facts at that moment; `None` for pid 0.
    pub parent_facts: Option<ParentFacts<'a>>,
    /// The peer of a TCP connection that the parent has accepted, looked for when `process`
    /// leads a session.
    pub tcp_peer: Option<TcpPeer>,
}

/// The parent's facts at its child's exec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentFacts<'a> {
    /// What changes while it runs.
    pub state: State,
    /// Its place.
    pub place: Place<'a>,
    /// Its working directory.
    pub cwd: Known<&'a [u8]>,
    /// The file it runs; `None` for threads of the kernel.
    pub file: Option<FileId>,
    /// Its command name, at most 15 bytes.
    pub comm: &'a [u8],
    /// The kernel's parent of the parent.
    pub parent: ProcessKey,
}

/// The end of a process: its last thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// When.
    pub at: BootTime,
    /// The process.
    pub process: ProcessKey,
    /// The wait status as wait(2) would return it.
    pub status: u32,
}

/// A process found running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running<'a> {
    /// The process.
    pub process: ProcessKey,
    /// The kernel's parent.
    pub parent: ProcessKey,
    /// Its facts now.
    pub state: State,
    /// Its place.
    pub place: Place<'a>,
    /// What it runs; `None` for threads of the kernel.
    pub executable: Option<Executable<'a>>,
    /// Its command name, at most 15 bytes.
    pub comm: &'a [u8],
    /// The arguments, as its memory shows them now.
    pub argv: Known<Argv<'a>>,
    /// The working directory.
    pub cwd: Known<&'a [u8]>,
    /// The peer of a TCP connection that its parent has accepted, looked for when it leads a
    /// session.
    pub tcp_peer: Option<TcpPeer>,
}

/// An argument list as the kernel lays it out: each argument followed by a NUL byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argv<'a> {
    /// The bytes, from the first argument on.
    pub bytes: &'a [u8],
    /// How many bytes there were; more than `bytes` holds if it was cut.
    pub total: u64,
}

impl<'a> Argv<'a> {
    /// The complete list in `bytes`.
    pub fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, total: bytes.len() as u64 }
    }

    /// Whether bytes are missing at the end.
    pub fn is_cut(&self) -> bool {
        self.total > self.bytes.len() as u64
    }

    /// The arguments, empty ones included; nothing for an empty list.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes.strip_suffix(b"\0").unwrap_or(self.bytes);
        // An empty list has no bytes at all; a list of one empty argument has a single NUL.
        let mut parts = (!self.bytes.is_empty()).then(|| bytes.split(|byte| *byte == 0));
        std::iter::from_fn(move || parts.as_mut()?.next())
    }
}

/// The far end of an accepted TCP connection, read from the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpPeer {
    /// The remote address; IPv4-mapped addresses are unmapped.
    pub ip: std::net::IpAddr,
    /// The remote port.
    pub port: u16,
}

/// Records that did not arrive, by kind, since the previous such observation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// When it was noticed.
    pub at: BootTime,
    /// Process creations.
    pub forks: u64,
    /// Program runs.
    pub execs: u64,
    /// Process ends.
    pub exits: u64,
}
