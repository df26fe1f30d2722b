//! Where a person or a service came onto the machine: internal or external, and by which door.

use crate::broker::{self, Role};
use crate::observation::{State, TcpPeer};
use crate::process::Image;
use crate::tty::TerminalKind;

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

/// What is known when a process has run a program and may be an external inception.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    /// Whether it leads its session.
    pub(crate) leads: bool,
    /// Its facts.
    pub(crate) state: &'a State,
    /// What it runs.
    pub(crate) image: &'a Image,
    /// Its creator's facts, as last seen.
    pub(crate) creator: &'a State,
    /// What its creator runs; `None` where that is not known.
    pub(crate) creator_image: Option<&'a Image>,
    /// The facts of the inception that it inherited; `None` where that is the creator itself,
    /// whose own login marks say nothing about who was there before.
    pub(crate) inherited: Option<&'a State>,
    /// The far end of the connection that the creator has accepted.
    pub(crate) tcp_peer: Option<TcpPeer>,
}

/// What came of looking at a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It still runs the broker's own program: look again at its next exec.
    Undecided,
    /// It is no inception, for good.
    Inherits,
    /// Somebody came in through it.
    External(Inception),
}

/// Decides whether a process whose creator's inception is internal is an external one.
///
/// It must lead its session, with one exception: the login(1) of the package `login` (shadow)
/// leads the session itself and runs the user's shell in it.
pub(crate) fn decide(candidate: Candidate<'_>) -> Verdict {
    let Candidate { leads, state, image, creator, creator_image, inherited, tcp_peer } = candidate;
    let broker = creator_image.and_then(broker::role);
    if broker.is_some() && broker == broker::role(image) {
        return Verdict::Undecided;
    }
    let newly_set = |set: bool, differs: &dyn Fn(&State) -> bool| {
        set && inherited.map_or(broker.is_some(), differs)
    };
    let login_uid_set =
        newly_set(state.login_uid.is_some(), &|before| before.login_uid != state.login_uid);
    let audit_session_set = newly_set(state.audit_session.is_some(), &|before| {
        before.audit_session != state.audit_session
    });
    let is_login_shell =
        login_uid_set && state.login_uid == Some(state.credentials.uid) && runs_login_shell(image);
    let may_be = leads || (broker == Some(Role::Login) && is_login_shell);
    if !may_be {
        return Verdict::Undecided;
    }
    // A name in the right place is not enough for `ssh`: the broker must also have let somebody
    // in, which shows in a connection that it has accepted or in the audit system.
    let broker = broker.filter(|role| {
        *role != Role::Ssh || tcp_peer.is_some() || login_uid_set || audit_session_set
    });
    let new_terminal = state.tty.filter(|tty| creator.tty.map(|t| t.device) != Some(tty.device));
    let serial =
        |tty: TerminalKind| if tty == TerminalKind::Serial { Entry::Serial } else { Entry::Login };
    let entry = match (broker, new_terminal) {
        (Some(Role::Ssh), _) => Entry::Ssh,
        (Some(Role::Ssm), _) => Entry::Ssm,
        (Some(Role::Login), _) => state.tty.map_or(Entry::Login, |tty| serial(tty.kind)),
        (Some(Role::ContainerRuntime), Some(_)) => Entry::ContainerExec,
        (None, Some(tty)) if tty.kind == TerminalKind::Pseudo => Entry::Pty,
        (None, Some(_)) => Entry::Unknown,
        (Some(Role::ContainerRuntime) | None, None) => return Verdict::Inherits,
    };
    let evidence = [
        (broker.is_some(), Evidence::BrokerExecutable),
        (login_uid_set, Evidence::LoginUidSet),
        (audit_session_set, Evidence::AuditSessionSet),
        (tcp_peer.is_some(), Evidence::TcpPeer),
        (new_terminal.is_some(), Evidence::ControllingTerminal),
    ];
    let evidence = evidence.into_iter().filter_map(|(holds, what)| holds.then_some(what)).collect();
    Verdict::External(Inception {
        kind: InceptionKind::External,
        entry,
        evidence,
        source: tcp_peer,
    })
}

/// Whether a program was run as a login shell: its own name begins with `-` (login(1), bash(1)).
/// What PAM modules run for login(1) besides is not.
fn runs_login_shell(image: &Image) -> bool {
    let first = image.argv.as_ref().ok().and_then(|argv| argv.as_argv().iter().next());
    first.is_some_and(|name| name.starts_with(b"-"))
}

/// Decides whether a process that PID 1 created, and that is therefore a service so far, has
/// become a login: an exec chain from init on a console or serial line that runs something other
/// than the programs that wait for a login.
pub(crate) fn decide_exec_chain(state: &State, image: &Image) -> Option<Inception> {
    let entry = match state.tty?.kind {
        TerminalKind::Console => Entry::Login,
        TerminalKind::Serial => Entry::Serial,
        TerminalKind::Pseudo | TerminalKind::Other => return None,
    };
    if broker::role(image) == Some(Role::Login) {
        return None;
    }
    let evidence = vec![Evidence::CreatedByInit, Evidence::ControllingTerminal];
    Some(Inception { kind: InceptionKind::External, entry, evidence, source: None })
}

impl Inception {
    /// An internal inception through this door.
    pub(crate) fn internal(entry: Entry, evidence: Evidence) -> Self {
        Self { kind: InceptionKind::Internal, entry, evidence: vec![evidence], source: None }
    }
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
