//! `pam_forebear.so`: a login asks the agent who somebody is, beyond the Linux user.
//!
//! ```text
//! auth required pam_forebear.so [fail=closed|open] [except=USER,...] [socket=PATH] [timeout=SECONDS]
//! ```
//!
//! - It relays: what is asked, and whether an answer is right, is the agent's (`forebear-door`).
//! - It runs inside sshd, login(1), su(1) and sudo(8): it starts no thread, sets no handler, keeps
//!   nothing, writes nothing, and waits no longer than it was told.
//! - Where it cannot be decided who somebody is, because no agent answers or because an option of
//!   this module is wrong, nobody is let in, unless `fail=open` says otherwise or the user is one
//!   of `except`.
//!
//! Deliberately not here: accounts, codes, policy.

mod terminal;

use std::ffi::CStr;

use forebear_door::{Asked, Hello, Options, Unavailable};
use pam::constants::{PamFlag, PamResultCode};
use pam::conv::Conv;
use pam::items::{Item, RHost, Service, Tty};
use pam::module::{PamHandle, PamHooks};

use terminal::Conversation;

/// The module.
struct Forebear;

// The entry points of a PAM module (pam_sm_authenticate(3) and its like) have C names and take raw
// pointers; the macro checks these and hands over safe types.
mod entry {
    #![allow(unsafe_code, unreachable_pub, missing_docs, reason = "made by the macro")]

    use super::Forebear;

    pam::pam_hooks!(Forebear);
}

impl PamHooks for Forebear {
    fn sm_authenticate(pamh: &mut PamHandle, args: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        let user = match pamh.get_user(None) {
            Ok(user) => user,
            Err(code) => return code,
        };
        let conversation = match pamh.get_item::<Conv<'_>>() {
            Ok(Some(conv)) => Conversation(conv),
            Ok(None) => return PamResultCode::PAM_CONV_ERR,
            Err(code) => return code,
        };
        let hello = Context {
            service: text::<Service<'_>>(pamh),
            remote: text::<RHost<'_>>(pamh),
            tty: text::<Tty<'_>>(pamh),
        };
        authenticate(&user, &hello, conversation, &args)
    }

    /// There are no credentials to set; a module that authenticates has to say so.
    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }
}

/// What the login's service says of it.
struct Context {
    service: String,
    remote: String,
    tty: String,
}

fn authenticate(
    user: &str,
    context: &Context,
    mut conversation: Conversation<'_>,
    args: &[&CStr],
) -> PamResultCode {
    let (options, problem) =
        Options::read("pam_forebear.so", args.iter().map(|arg| arg.to_string_lossy()));
    if options.excepts(user) {
        return PamResultCode::PAM_SUCCESS;
    }
    if let Some(problem) = problem {
        return unavailable(&options, &mut conversation, &problem);
    }
    let mut stream = match options.connect() {
        Ok(stream) => stream,
        Err(error) => {
            let problem = format!("no agent answers at {}: {error}", options.socket);
            return unavailable(&options, &mut conversation, &problem);
        }
    };
    let Context { service, remote, tty } = context;
    let hello = Hello { service, user, remote, tty };
    match forebear_door::ask(&mut stream, hello, &mut conversation) {
        Asked::Granted => PamResultCode::PAM_SUCCESS,
        Asked::Denied => PamResultCode::PAM_AUTH_ERR,
        Asked::Terminal(code) => code,
        Asked::Failed(error) => {
            unavailable(&options, &mut conversation, &format!("the agent: {error}"))
        }
    }
}

/// Nobody can decide. The person is told, since they can do nothing about it but tell others.
fn unavailable(
    options: &Options,
    conversation: &mut Conversation<'_>,
    problem: &str,
) -> PamResultCode {
    let (code, what) = match options.unavailable {
        Unavailable::Closed => {
            (PamResultCode::PAM_AUTHINFO_UNAVAIL, "nobody is let in until that is mended")
        }
        Unavailable::Open => (PamResultCode::PAM_SUCCESS, "going on without knowing who you are"),
    };
    // A client that shows nothing is no reason to decide otherwise.
    let _ = conversation.error(&format!("forebear: {problem}; {what}"));
    code
}

/// An item as text; empty if it is not set. Bytes that are not text are replaced.
fn text<'h, T>(pamh: &'h PamHandle) -> String
where
    T: Item<'h> + std::ops::Deref<Target = &'h CStr>,
{
    let item = pamh.get_item::<T>().ok().flatten();
    item.map_or(String::new(), |item| item.to_string_lossy().into_owned())
}
