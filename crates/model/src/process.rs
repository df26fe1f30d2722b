//! One process: what is known about it, and for what is not, why.

use std::sync::Arc;

use crate::identity::ProcessUuid;
use crate::ids::{CgroupId, Pid, Uid};
use crate::inception::Inception;
use crate::known::Known;
use crate::observation::{Argv, FileId, PidNamespace, ProcessKey, State};
use crate::person::Person;
use crate::time::WallTime;

/// How much of an argument list is kept for a process's later appearances as somebody's context.
pub const KEPT_ARGV_BYTES: usize = 4096;

/// One process of the table, living or retained because a living one names it.
///
/// Read-only from outside: only [`Model::apply`](crate::Model::apply) changes it.
#[derive(Clone, Debug)]
pub struct Process {
    pub(crate) slot: u32,
    pub(crate) revision: u64,
    pub(crate) key: ProcessKey,
    pub(crate) uuid: ProcessUuid,
    pub(crate) started: WallTime,
    pub(crate) state: State,
    pub(crate) pid_namespace: Option<PidNamespace>,
    pub(crate) cgroup: CgroupId,
    pub(crate) container: Option<Arc<Container>>,
    pub(crate) image: Known<Arc<Image>>,
    pub(crate) cwd: Known<Arc<[u8]>>,
    pub(crate) exec_count: u32,
    pub(crate) user_entered: bool,
    pub(crate) parent: ProcessKey,
    pub(crate) parent_uuid: Known<ProcessUuid>,
    pub(crate) creator_uuid: Known<ProcessUuid>,
    pub(crate) session_leader_uuid: Known<ProcessUuid>,
    pub(crate) inception: Option<Inception>,
    /// Of an inception, the person behind it; of a process that makes logins, the person of those
    /// that it is about to make.
    pub(crate) person: Option<Arc<Person>>,
}

/// The program that a process runs, shared with the children that it forks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The executable's path in the process's root directory.
    pub exe: Known<Box<[u8]>>,
    /// Which file it is; `None` for threads of the kernel.
    pub file: Option<FileId>,
    /// The file's owner.
    pub owner: Uid,
    /// The file's type and permission bits.
    pub mode: u32,
    /// The file has no name in any directory any more.
    pub deleted: bool,
    /// The file was made by memfd_create(2).
    pub memfd: bool,
    /// The file lies in the upper layer of an overlay file system.
    pub upper_layer: bool,
    /// What the program is called: the last component of the path given to execve.
    pub name: Box<[u8]>,
    /// The arguments, up to [`KEPT_ARGV_BYTES`].
    pub argv: Known<KeptArgv>,
}

/// The kept beginning of an argument list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptArgv {
    pub(crate) bytes: Box<[u8]>,
    pub(crate) total: u64,
}

impl KeptArgv {
    /// Keeps the first [`KEPT_ARGV_BYTES`] of a list.
    pub(crate) fn keep(argv: Argv<'_>) -> Self {
        let kept = argv.bytes.len().min(KEPT_ARGV_BYTES);
        Self { bytes: argv.bytes[..kept].into(), total: argv.total }
    }

    /// The list as it is kept.
    pub fn as_argv(&self) -> Argv<'_> {
        Argv { bytes: &self.bytes, total: self.total }
    }
}

/// The line that a person typed at a shell; the lines of a command that has several are joined by
/// line feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    pub(crate) bytes: Vec<u8>,
    pub(crate) total: u64,
}

impl KeptLine {
    /// The bytes, from the beginning on.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes were typed, where not all are kept.
    pub fn truncated(&self) -> Option<u64> {
        (self.total > self.bytes.len() as u64).then_some(self.total)
    }
}

/// The container that a process runs in, as its control group tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The runtime's id of the container.
    pub id: Box<str>,
    /// The runtime, where the control group's name tells: `docker`, `containerd`, `crio`,
    /// `podman`, `lxc`, `nspawn`.
    pub runtime: Option<&'static str>,
}

impl Process {
    /// The index of its place in the table, below [`Model::slots`](crate::Model::slots).
    /// A place is used again after the process is gone; the revision then differs.
    pub fn slot(&self) -> usize {
        self.slot as usize
    }

    /// A number that no other state of any process of this model has: what was derived from a
    /// process may be used again while its revision is the same.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Pid and start time.
    pub fn key(&self) -> ProcessKey {
        self.key
    }

    /// The pid.
    pub fn pid(&self) -> Pid {
        self.key.pid
    }

    /// The identity that never repeats.
    pub fn uuid(&self) -> ProcessUuid {
        self.uuid
    }

    /// When it started, by the wall clock as it was when the process was first seen.
    pub fn started(&self) -> WallTime {
        self.started
    }

    /// Ids, terminal and streams as last seen.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Its pid namespace, if it is not the initial one.
    pub fn pid_namespace(&self) -> Option<PidNamespace> {
        self.pid_namespace
    }

    /// Its container, if it runs in one.
    pub fn container(&self) -> Option<&Container> {
        self.container.as_deref()
    }

    /// What it runs.
    pub fn image(&self) -> Known<&Image> {
        self.image.as_deref().map_err(|why| *why)
    }

    /// The working directory as last seen.
    pub fn cwd(&self) -> Known<&[u8]> {
        self.cwd.as_deref().map_err(|why| *why)
    }

    /// How many programs it has run, the present one included, as far as was seen; 0 before its
    /// first exec.
    pub fn exec_count(&self) -> u32 {
        self.exec_count
    }

    /// Whether a person typed it (the three criteria of [`crate::entered`]).
    pub fn user_entered(&self) -> bool {
        self.user_entered
    }

    /// The kernel's parent as last seen; pid 0 for the first processes.
    pub fn parent(&self) -> ProcessKey {
        self.parent
    }

    /// The parent's identity.
    pub fn parent_uuid(&self) -> Known<ProcessUuid> {
        self.parent_uuid
    }

    /// The identity of the process that created it.
    pub fn creator_uuid(&self) -> Known<ProcessUuid> {
        self.creator_uuid
    }

    /// The identity of the leader of the session that encloses it.
    pub fn session_leader_uuid(&self) -> Known<ProcessUuid> {
        self.session_leader_uuid
    }

    /// How a person or service came onto the machine through this process, if this is how.
    pub fn inception(&self) -> Option<&Inception> {
        self.inception.as_ref()
    }

    /// Whether it leads its session.
    pub fn is_session_leader(&self) -> bool {
        self.key.pid.leads(self.state.sid)
    }

    /// Whether it has a controlling terminal.
    pub fn is_interactive(&self) -> bool {
        self.state.tty.is_some()
    }
}
