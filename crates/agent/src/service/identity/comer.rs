//! Who logs in, and from where, as far as it can be believed.

use std::sync::mpsc;
use std::time::Duration;

use forebear_door::Hello;

use super::Shared;
use super::peer::{Kind, Peer};
use crate::verdict::{Origin, Verdict};

/// How long the recording may take to say where a process has come from. It does so between two
/// rounds of its loop.
const FOR_ORIGIN: Duration = Duration::from_secs(10);

/// What the gate is called in events, rules' facts and the log.
const GATE: &str = "forebear-gate";

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comer {
    /// The service that asks.
    pub(super) service: String,
    /// The Linux user.
    pub(super) user: String,
    /// Where the login comes from.
    pub(super) remote: Option<String>,
    /// The door, as events call it, where it is known.
    pub(super) entry: Option<&'static str>,
}

impl Comer {
    /// Who logs in. The error says, for the log, why that cannot be believed.
    pub(super) fn of(shared: &Shared, peer: &Peer, hello: Hello<'_>) -> Result<Self, &'static str> {
        let uid = match peer.kind {
            Kind::Root => return Ok(Self::said(hello)),
            Kind::Gate { uid } => uid,
        };
        let (tell, told) = mpsc::sync_channel(1);
        let tell = Box::new(move |origin| _ = tell.try_send(origin));
        shared.send(Verdict::Whence { process: peer.process, tell });
        let origin = told.recv_timeout(FOR_ORIGIN).ok().flatten();
        let origin = origin.ok_or("the gate is run where nobody has logged in")?;
        if !shared.gate.as_ref().is_some_and(|gate| gate.is_what_runs(&origin)) {
            return Err("a program has the gate's group and is not the gate");
        }
        let user = uzers::get_user_by_uid(uid).ok_or("whoever runs the gate has no name")?;
        let name = user.name().to_str().ok_or("the name of whoever runs the gate is not text")?;
        Ok(Self::at_gate(name.to_owned(), &origin))
    }

    /// As a program of root's says.
    pub(super) fn said(hello: Hello<'_>) -> Self {
        let entry = match hello.service {
            "sshd" => Some("ssh"),
            "login" => Some("login"),
            // su and sudo come from within a session.
            _ => None,
        };
        Self {
            service: hello.service.to_owned(),
            user: hello.user.to_owned(),
            remote: (!hello.remote.is_empty()).then(|| hello.remote.to_owned()),
            entry,
        }
    }

    /// As the kernel said of whoever runs the gate: of what they say nothing counts.
    fn at_gate(user: String, origin: &Origin) -> Self {
        Self {
            service: GATE.to_owned(),
            user,
            remote: origin.source.map(|ip| ip.to_canonical().to_string()),
            entry: Some(origin.entry),
        }
    }
}
