//! The accounts, as logins need them.

use std::time::SystemTime;

use anyhow::Result;
use forebear_identity::{Dialogue, SignIn, Step, Store, StoreError, UnixSeconds};

use crate::config::IdentityConfig;
use crate::failure::Failure;

/// The file of the accounts in the folder of the configuration.
const FILE: &str = "accounts.toml";

/// The accounts.
#[derive(Debug)]
pub(super) struct Accounts(Store);

impl Accounts {
    /// The accounts of this configuration; the folder is made.
    ///
    /// # Errors
    /// If they cannot be used: nobody could be let in.
    pub(super) fn open(config: &IdentityConfig) -> Result<Self> {
        let store = Store::at(config.dir.join(FILE));
        let usable = store.create_folder().and_then(|()| store.read());
        usable.map_err(|error| Failure::environment(error.to_string()))?;
        Ok(Self(store))
    }

    /// What comes after an answer. A code that is right is used up, durably, before this returns.
    pub(super) fn answer(
        &self,
        dialogue: &mut Dialogue,
        answer: &[u8],
    ) -> Result<Step, StoreError> {
        self.0.update(|accounts| Ok(dialogue.answer(answer, accounts, now())))
    }

    /// What comes after a sign-in at the provider.
    pub(super) fn told(&self, dialogue: &mut Dialogue, told: SignIn) -> Result<Step, StoreError> {
        Ok(dialogue.told(told, &self.0.read()?))
    }

    /// Which of these stand for nobody any more: revoked, or not there although they have to be.
    pub(super) fn revoked_of(&self, bound: &[(String, bool)]) -> Result<Vec<String>, StoreError> {
        let accounts = self.0.read()?;
        let is_good = |email: &str, has_account: bool| {
            let account = email.parse().ok().and_then(|email| accounts.get(&email));
            account.map_or(!has_account, |account| !account.is_revoked())
        };
        let revoked = bound.iter().filter(|(email, has_account)| !is_good(email, *has_account));
        Ok(revoked.map(|(email, _)| email.clone()).collect())
    }
}

/// By the wall clock, which the person's telephone has too (RFC 6238).
fn now() -> UnixSeconds {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
