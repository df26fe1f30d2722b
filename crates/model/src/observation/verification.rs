//! What the agent's own verification of people says.
//!
//! These do not come from the kernel, but they come in the same way, so that a trace holds them and
//! a replay gives the same events.

use super::ProcessKey;
use crate::time::BootTime;

/// A person stands behind a login from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound<'a> {
    /// When.
    pub at: BootTime,
    /// The process that asked, or the one that was bound before the agent was started anew.
    pub process: ProcessKey,
    /// The person's account.
    pub account: &'a str,
    /// The person's roles.
    pub roles: Vec<&'a str>,
    /// From when on it holds no longer.
    pub until: Option<BootTime>,
}

/// A person stands behind nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked<'a> {
    /// When.
    pub at: BootTime,
    /// The person's account.
    pub account: &'a str,
}

/// Somebody was asked who they are; told once, at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification<'a> {
    /// When it ended.
    pub at: BootTime,
    /// The process that asked.
    pub process: ProcessKey,
    /// The account that was named last, if one was; nobody has checked that it exists.
    pub account: Option<&'a str>,
    /// The method that was used last, if it came to one.
    pub method: Option<VerificationMethod>,
    /// How it ended.
    pub outcome: VerificationOutcome,
    /// How many answers were tried.
    pub attempts: u32,
    /// The login's service, as PAM names it, such as `sshd`.
    pub service: &'a str,
    /// The Linux user of the login.
    pub user: &'a str,
    /// Where the login came from, as the service says; nobody has checked it.
    pub remote: Option<&'a str>,
}

/// How a person proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerificationMethod {
    /// A code that changes with time (RFC 6238).
    Totp,
    /// A code from a list, each good for once.
    BackupCode,
    /// A login at an OpenID provider on another device (RFC 8628).
    Oidc,
}

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VerificationOutcome {
    /// It is known who it is.
    Verified,
    /// It is not: the answers were wrong.
    Refused,
    /// It is not: whoever was asked went away, or did not answer in time.
    Abandoned,
    /// It is not: the answers were right, and there is no process that they could count for.
    Unbound,
}

impl VerificationMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Totp, Self::BackupCode, Self::Oidc];

    /// Its name in the exported format and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::BackupCode => "backup_code",
            Self::Oidc => "oidc",
        }
    }

    /// Finds a method by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

impl VerificationOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Verified, Self::Refused, Self::Abandoned, Self::Unbound];

    /// Its name in the exported format and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Abandoned => "abandoned",
            Self::Unbound => "unbound",
        }
    }

    /// Finds an outcome by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}
