//! VERIFY: somebody was asked who they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::envelope::process_event;
use crate::vocabulary::vocabulary;

process_event! {
    /// Somebody was asked who they are, at a login or in a session: `self` is the process that
    /// asked. From a verification on, `cmd_user` and `cmd_roles` are in the events of the inception
    /// session that it was for.
    #[asked]
    pub struct Verify {
        /// What came of it.
        pub verification: Verification,
    }
}

/// What came of asking somebody who they are. Codes are never in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// The account that was named last; absent if none was. Before `outcome` is `verified` it is
    /// only what somebody typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The method that was used last; absent if it did not come to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<VerificationMethod>,
    /// How it ended.
    pub outcome: VerificationOutcome,
    /// How many answers were tried.
    pub attempts: u32,
    /// The service that asked, as PAM calls it.
    pub service: String,
    /// The Linux user that is logged in to.
    pub user: String,
    /// Where the login came from, as the service says; absent if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
}

vocabulary! {
    /// How a person proves who they are.
    pub enum VerificationMethod {
        /// A code that changes with time (RFC 6238).
        Totp = "totp",
        /// A code from a list, each good for once.
        BackupCode = "backup_code",
        /// A login at an OpenID provider on another device (RFC 8628).
        Oidc = "oidc",
    }
}

vocabulary! {
    /// How a verification ended.
    pub enum VerificationOutcome {
        /// It is known who it is.
        Verified = "verified",
        /// It is not: the answers were wrong.
        Refused = "refused",
        /// It is not: whoever was asked went away, or did not answer in time.
        Abandoned = "abandoned",
        /// It is not: the answers were right, and there was no process that they could count for.
        Unbound = "unbound",
    }
}
