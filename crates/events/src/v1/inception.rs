//! The inception session: a process block that also tells the door.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::process::Process;
use crate::vocabulary::vocabulary;

/// The process through which a person or a service first came onto the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InceptionSession {
    /// The process.
    #[serde(flatten)]
    pub process: Process,
    /// Whether somebody came in from outside, or the machine started it by itself.
    pub kind: InceptionKind,
    /// The door.
    pub entry: Entry,
    /// What the answer rests on, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The far end of the network connection that it came over, read from the socket; absent
    /// where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The far end of a network connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// IPv4 or IPv6 address.
    #[schemars(with = "String")]
    pub ip: IpAddr,
    /// TCP port.
    pub port: u16,
}

vocabulary! {
    /// Whether somebody came in from outside.
    pub enum InceptionKind {
        /// A service, a container's first process, or the machine itself.
        Internal = "internal",
        /// A login, or whatever opened a terminal like one.
        External = "external",
    }
}

vocabulary! {
    /// The door through which an inception session came.
    pub enum Entry {
        /// An SSH server.
        Ssh = "ssh",
        /// The AWS Systems Manager session worker.
        Ssm = "ssm",
        /// A login on a virtual console.
        Login = "login",
        /// A login on a serial line.
        Serial = "serial",
        /// A terminal in a running container, opened through its runtime.
        ContainerExec = "container-exec",
        /// A program that is not known as a door opened a terminal: this is what a reverse shell
        /// looks like.
        Pty = "pty",
        /// The init process started it.
        Service = "service",
        /// The first process of a container.
        Container = "container",
        /// The kernel started it.
        Kernel = "kernel",
        /// No door can be shown.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// One thing that the door of an inception session was decided from.
    pub enum Evidence {
        /// Its creator runs a known program for logins or remote access, whose file belongs to
        /// root.
        BrokerExecutable = "broker_executable",
        /// A login user was newly set.
        LoginUidSet = "login_uid_set",
        /// An audit session was newly opened.
        AuditSessionSet = "audit_session_set",
        /// Its creator holds an accepted TCP connection.
        TcpPeer = "tcp_peer",
        /// It has a controlling terminal that its creator has not.
        ControllingTerminal = "controlling_terminal",
        /// The init process created it.
        CreatedByInit = "created_by_init",
        /// It is the first process of its pid namespace.
        PidNamespaceInit = "pid_namespace_init",
        /// It is a thread of the kernel, or one created it.
        KernelThread = "kernel_thread",
        /// Its ancestry was lost before the agent started; audit session and login user lead back
        /// to it.
        Inferred = "inferred",
    }
}
