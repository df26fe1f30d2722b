//! Where a person or a service came onto the machine: internal or external, and by which door.

use crate::observation::TcpPeer;

/// How an inception process came onto the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inception {
    /// From inside or from outside.
    pub kind: InceptionKind,
    /// The door.
    pub entry: Entry,
    /// What the decision rests on, best first.
    pub evidence: Vec<Evidence>,
    /// The far end of the connection, where the broker holds one.
    pub source: Option<TcpPeer>,
}

/// Whether somebody came in, or the machine started it by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InceptionKind {
    /// A service, a container's init, PID 1 itself or a thread of the kernel.
    Internal,
    /// A login, or whatever opened a terminal like one.
    External,
}

/// The door through which an inception session came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// OpenSSH or dropbear.
    Ssh,
    /// The AWS Systems Manager session worker.
    Ssm,
    /// login(1) on a virtual console.
    Login,
    /// A login on a serial line.
    Serial,
    /// A terminal in a running container, opened through its runtime.
    ContainerExec,
    /// A program that is not known as a door opened a terminal.
    Pty,
    /// PID 1 created it.
    Service,
    /// The init of a container.
    Container,
    /// The kernel created it.
    Kernel,
    /// None of the above can be shown.
    Unknown,
}

/// One thing that an inception's door was decided from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The creator runs a known session broker: its path, owned by root and writable by nobody
    /// else.
    BrokerExecutable,
    /// It has a login uid that its creator's inception has not.
    LoginUidSet,
    /// It has an audit session that its creator's inception has not.
    AuditSessionSet,
    /// The creator holds an accepted TCP connection.
    TcpPeer,
    /// It has a controlling terminal that its creator has not.
    ControllingTerminal,
    /// PID 1 created it.
    CreatedByInit,
    /// It is the first process of its pid namespace.
    PidNamespaceInit,
    /// kthreadd created it, or it is a thread of the kernel.
    KernelThread,
    /// Ancestry was lost before the agent started; audit session and login uid lead back here.
    Inferred,
}

impl InceptionKind {
    /// The kind's name in the exported format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
        }
    }
}

impl Entry {
    /// The door's name in the exported format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Ssm => "ssm",
            Self::Login => "login",
            Self::Serial => "serial",
            Self::ContainerExec => "container-exec",
            Self::Pty => "pty",
            Self::Service => "service",
            Self::Container => "container",
            Self::Kernel => "kernel",
            Self::Unknown => "unknown",
        }
    }
}

impl Evidence {
    /// The evidence's name in the exported format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BrokerExecutable => "broker_executable",
            Self::LoginUidSet => "login_uid_set",
            Self::AuditSessionSet => "audit_session_set",
            Self::TcpPeer => "tcp_peer",
            Self::ControllingTerminal => "controlling_terminal",
            Self::CreatedByInit => "created_by_init",
            Self::PidNamespaceInit => "pid_namespace_init",
            Self::KernelThread => "kernel_thread",
            Self::Inferred => "inferred",
        }
    }
}
