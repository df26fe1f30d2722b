//! People who prove who they are at a provider.
//!
//! Invariants:
//! - A revoked account stays revoked, whatever the provider says.
//! - Whoever signs in there is whom they named here, or it is a failed attempt.

use super::{Dialogue, Method, Reason, State, Step, Verified};
use crate::account::Accounts;
use crate::name::{Email, Role};

/// Who may sign in at a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtProvider {
    /// Nobody: there is none.
    #[default]
    Nobody,
    /// Who has an account here.
    Listed,
    /// Everybody whom the provider knows, but for those whose account is revoked.
    Anybody,
}

/// What a sign-in at a provider came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// Somebody signed in.
    Person {
        /// Who.
        email: Email,
        /// Their roles, if those are the provider's to say.
        roles: Option<Vec<Role>>,
    },
    /// It was declined.
    Declined,
    /// Nobody did in time.
    Expired,
    /// The provider does not do its part.
    Unusable,
}

impl Dialogue {
    /// Takes what a sign-in at the provider came to, after [`Step::Provider`].
    pub fn told(&mut self, sign_in: SignIn, accounts: &Accounts) -> Step {
        let method = Some(Method::Oidc);
        if self.state != State::Provider {
            return self.fail(method, Reason::NoAnswer);
        }
        let (email, roles) = match sign_in {
            SignIn::Person { email, roles } => (email, roles),
            SignIn::Declined => return self.fail(method, Reason::Declined),
            SignIn::Expired => return self.fail(method, Reason::Expired),
            SignIn::Unusable => return self.fail(method, Reason::NoProvider),
        };
        if self.email.as_ref() != Some(&email) {
            return self.fail(method, Reason::OtherPerson);
        }
        let account = accounts.get(&email);
        match account {
            Some(account) if account.is_revoked => {
                return self.fail(method, Reason::RevokedAccount);
            }
            None if self.at_provider != AtProvider::Anybody => {
                return self.fail(method, Reason::UnknownAccount);
            }
            _ => {}
        }
        let own = || account.map(|account| account.roles.iter().cloned().collect());
        let roles = roles.or_else(own).unwrap_or_default();
        self.state = State::Over;
        Step::Verified(Verified { email, roles, method: Method::Oidc, attempt: self.failed + 1 })
    }
}
