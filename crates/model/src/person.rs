//! The verified person behind an inception session.

use crate::time::BootTime;

/// A person who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account, as the operator names it: an e-mail address.
    pub account: Box<str>,
    /// The person's roles.
    pub roles: Box<[Box<str>]>,
    /// From when on the proof holds no longer; `None` where it holds as long as the session.
    pub until: Option<BootTime>,
}

impl Person {
    /// Whether the proof holds at a moment.
    pub fn holds_at(&self, at: BootTime) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}
