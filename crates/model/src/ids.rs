//! Newtypes for every number the kernel hands out.
//!
//! Invariant: no signature of this crate takes a bare integer where one of these is meant, so a
//! swapped pid and uid does not compile.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A process: the thread group id in the initial pid namespace, never a thread id.
    Pid(u32)
}
id! {
    /// A session id (setsid(2)): the pid of the process that created the session.
    Sid(u32)
}
id! {
    /// A process group id (setpgid(2)).
    Pgid(u32)
}
id! {
    /// A user id in the initial user namespace.
    Uid(u32)
}
id! {
    /// A group id in the initial user namespace.
    Gid(u32)
}
id! {
    /// An audit session id (`/proc/<pid>/sessionid`), set by pam_loginuid(8) at login.
    AuditSession(u32)
}
id! {
    /// The inode number of a namespace (namespaces(7)).
    NamespaceId(u32)
}
id! {
    /// The kernel's 64-bit id of a control group directory.
    CgroupId(u64)
}

impl Pid {
    /// The first user-space process.
    pub const INIT: Self = Self(1);
    /// The parent of all kernel threads, kthreadd.
    pub const KTHREADD: Self = Self(2);

    /// Whether a process with this pid leads the session `sid`.
    pub fn leads(self, sid: Sid) -> bool {
        self.0 == sid.0
    }
}

/// Real and effective ids of a process (credentials(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Real user id.
    pub uid: Uid,
    /// Effective user id.
    pub euid: Uid,
    /// Real group id.
    pub gid: Gid,
    /// Effective group id.
    pub egid: Gid,
}
