//! The process block, shared by the five roles.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::timestamp::Timestamp;
use super::tty::{Stream, Terminal};
use super::why::Why;
use crate::bytes::{self, Base64};
use crate::vocabulary::vocabulary;

/// A process, as it was at the moment of the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Process {
    /// Identity of the process: the same in every event of every run of the agent, and never used
    /// again for another process. Use it, not the pid, to correlate events.
    pub uuid: Uuid,
    /// Process id. The kernel uses it again later for other processes.
    pub pid: u32,
    /// Process id of the parent; 0 for the first processes of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ppid: Option<u32>,
    /// Session id: the pid of the process that created the session; 0 outside any session.
    pub sid: u32,
    /// Process group id.
    pub pgid: u32,
    /// When the process started.
    pub start_time: Timestamp,
    /// Identity of the parent: the process that the kernel names as parent at that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_uuid: Option<Uuid>,
    /// Identity of the process that created this one, if that is not the parent: the creator of
    /// an orphan, which another process has adopted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator_uuid: Option<Uuid>,
    /// Identity of the leader of the session that encloses this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_leader_uuid: Option<Uuid>,
    /// How many programs the process has run, the present one included, as far as was seen; 0
    /// before its first.
    pub exec_count: u32,
    /// Path of the executable file, in the process's own root directory. Absent for threads of
    /// the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exe: Option<String>,
    /// Exact bytes of `exe`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exe_b64: Option<Base64>,
    /// What is unusual about the executable file; absent if nothing is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exe_flags: Vec<ExeFlag>,
    /// What the program is called: the last part of the path that was given to execve, so a
    /// script has its own name and not its interpreter's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Exact bytes of `name`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_b64: Option<Base64>,
    /// The arguments, the first being the name that the program was given for itself. Complete in
    /// `self` of an EXEC, otherwise cut at 4 KiB. Absent for threads of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv: Option<Vec<String>>,
    /// Exact bytes of every argument, if any of them is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv_b64: Option<Vec<Base64>>,
    /// How many bytes the arguments had, each with its terminating NUL; present only if `argv` was
    /// cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argv_truncated: Option<u64>,
    /// Working directory, in the process's own root directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Exact bytes of `cwd`, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd_b64: Option<Base64>,
    /// Real user id.
    pub uid: u32,
    /// Effective user id.
    pub euid: u32,
    /// Real group id.
    pub gid: u32,
    /// Effective group id.
    pub egid: u32,
    /// Name of the real user; absent if the machine knows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Name of the effective user; absent if the machine knows none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_user: Option<String>,
    /// Id of the user who logged in, whatever sudo or su did since; absent outside logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// Name of the user who logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_user: Option<String>,
    /// The kernel's number of the login; absent outside logins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_session: Option<u32>,
    /// The controlling terminal; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tty: Option<Terminal>,
    /// Standard input; absent if it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Stream>,
    /// Standard output; absent if it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Stream>,
    /// Standard error; absent if it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Stream>,
    /// Whether the process has a controlling terminal.
    pub interactive: bool,
    /// Whether the process leads its session: its pid equals its session id.
    pub is_session_leader: bool,
    /// Whether a person typed it: when it began, the parent's standard input and standard error
    /// were the parent's controlling terminal, and it had a process group of its own.
    pub user_entered: bool,
    /// The container that it runs in; absent outside containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Inode number of its pid namespace; absent in the host's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid_namespace: Option<u32>,
    /// Which fields of this block are absent because their value is not known, each with the
    /// reason; absent if everything is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, Why>,
}

/// The container that a process runs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Container {
    /// The runtime's id of the container.
    pub id: String,
    /// The runtime, where the control group's name tells: `docker`, `containerd`, `crio`,
    /// `podman`, `lxc`, `nspawn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
}

vocabulary! {
    /// Something unusual about an executable file.
    pub enum ExeFlag {
        /// It has no name in any directory any more.
        Deleted = "deleted",
        /// It was only ever in memory (memfd_create).
        Memfd = "memfd",
        /// It lies in the writable layer of an overlay file system: it did not come with the
        /// container's image.
        UpperLayer = "upper_layer",
    }
}

impl Process {
    /// The exact bytes of `exe`.
    pub fn exe_bytes(&self) -> Option<&[u8]> {
        self.exe.as_deref().map(|text| bytes::join(text, self.exe_b64.as_ref()))
    }

    /// The exact bytes of `name`.
    pub fn name_bytes(&self) -> Option<&[u8]> {
        self.name.as_deref().map(|text| bytes::join(text, self.name_b64.as_ref()))
    }

    /// The exact bytes of each argument.
    pub fn argv_bytes(&self) -> Option<Vec<&[u8]>> {
        self.argv.as_deref().map(|texts| bytes::join_list(texts, self.argv_b64.as_deref()))
    }

    /// The exact bytes of `cwd`.
    pub fn cwd_bytes(&self) -> Option<&[u8]> {
        self.cwd.as_deref().map(|text| bytes::join(text, self.cwd_b64.as_ref()))
    }
}
