//! The five processes around one event, each known or missing with a reason.

use crate::known::Known;
use crate::process::Process;

/// The processes that explain an event.
///
/// Several of them may be one and the same process.
#[derive(Clone, Copy, Debug)]
pub struct Context<'m> {
    /// The process in which the event occurred.
    pub this: &'m Process,
    /// The kernel's parent at that moment.
    pub parent: Known<&'m Process>,
    /// The leader of the session that encloses it.
    pub session_leader: Known<&'m Process>,
    /// Where the person or service came onto the machine; its
    /// [`inception`](Process::inception) is always present.
    pub inception: Known<&'m Process>,
    /// The inception was not inherited by creation: ancestry was lost before the agent started,
    /// and audit session and login uid led back to it. An event then lists
    /// [`Evidence::Inferred`](crate::Evidence::Inferred) besides the inception's own evidence.
    pub inception_inferred: bool,
    /// The nearest ancestor by creation that a person typed; `None` when there is none.
    pub last_user_entered: Option<Known<&'m Process>>,
}
