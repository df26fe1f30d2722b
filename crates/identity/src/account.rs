//! Accounts: who may prove what.
//!
//! Invariants:
//! - An account that is revoked has no methods left, so nothing of it can be stolen or used.
//! - There are at most [`MAX_ACCOUNTS`], each with at most [`MAX_ROLES`].

use std::collections::{BTreeMap, BTreeSet};

use crate::backup::BackupCodes;
use crate::name::{Email, Role};
use crate::totp::Totp;

/// The most accounts in a store.
pub const MAX_ACCOUNTS: usize = 10_000;
/// The most roles of an account.
pub const MAX_ROLES: usize = 32;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub(crate) email: Email,
    pub(crate) roles: BTreeSet<Role>,
    pub(crate) is_revoked: bool,
    pub(crate) totp: Option<Totp>,
    pub(crate) backup: Option<BackupCodes>,
}

/// Why accounts cannot be changed like that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// There is no such account.
    #[error("there is no account {0}")]
    Unknown(Email),
    /// There is one already.
    #[error("there is an account {0} already")]
    Exists(Email),
    /// It was revoked.
    #[error("the account {0} is revoked")]
    Revoked(Email),
    /// The store is full.
    #[error("there are {MAX_ACCOUNTS} accounts already, and no more are kept")]
    TooMany,
    /// Too many roles.
    #[error("the account {0} would have more than {MAX_ROLES} roles")]
    TooManyRoles(Email),
}

impl Account {
    pub(crate) fn new(email: Email, roles: BTreeSet<Role>) -> Self {
        Self { email, roles, is_revoked: false, totp: None, backup: None }
    }

    /// Its name.
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// Its roles, in order.
    pub fn roles(&self) -> impl ExactSizeIterator<Item = &Role> {
        self.roles.iter()
    }

    /// Whether it was ended.
    pub fn is_revoked(&self) -> bool {
        self.is_revoked
    }

    /// Its authenticator.
    pub fn totp(&self) -> Option<&Totp> {
        self.totp.as_ref()
    }

    /// Its backup codes.
    pub fn backup(&self) -> Option<&BackupCodes> {
        self.backup.as_ref()
    }

    /// Whether there is anything to prove it with.
    pub fn is_enrolled(&self) -> bool {
        self.totp.is_some() || self.backup.is_some()
    }
}

/// All accounts, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    by_email: BTreeMap<Email, Account>,
}

impl Accounts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_email.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_email.is_empty()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_email.values()
    }

    /// One of them.
    pub fn get(&self, email: &Email) -> Option<&Account> {
        self.by_email.get(email)
    }

    pub(crate) fn get_mut(&mut self, email: &Email) -> Option<&mut Account> {
        self.by_email.get_mut(email)
    }

    /// Adds an account; one that was revoked comes back with these roles and has to enrol anew.
    ///
    /// # Errors
    /// There is one already, there are too many, or it has too many roles.
    pub fn add(&mut self, email: Email, roles: BTreeSet<Role>) -> Result<(), AccountsError> {
        match self.by_email.get(&email) {
            Some(account) if !account.is_revoked => return Err(AccountsError::Exists(email)),
            None if self.len() >= MAX_ACCOUNTS => return Err(AccountsError::TooMany),
            _ => {}
        }
        if roles.len() > MAX_ROLES {
            return Err(AccountsError::TooManyRoles(email));
        }
        self.by_email.insert(email.clone(), Account::new(email, roles));
        Ok(())
    }

    /// Gives an account these roles instead of those that it has.
    ///
    /// # Errors
    /// There is no such account, it is revoked, or it would have too many roles.
    pub fn set_roles(&mut self, email: &Email, roles: BTreeSet<Role>) -> Result<(), AccountsError> {
        let account = self.usable(email)?;
        if roles.len() > MAX_ROLES {
            return Err(AccountsError::TooManyRoles(email.clone()));
        }
        account.roles = roles;
        Ok(())
    }

    /// Gives an account this authenticator and these backup codes instead of those that it has.
    ///
    /// # Errors
    /// There is no such account, or it is revoked.
    pub fn enrol(
        &mut self,
        email: &Email,
        totp: Totp,
        backup: BackupCodes,
    ) -> Result<(), AccountsError> {
        let account = self.usable(email)?;
        account.totp = Some(totp);
        account.backup = Some(backup);
        Ok(())
    }

    /// Ends an account and forgets its methods.
    ///
    /// # Errors
    /// There is no such account, or it is revoked already.
    pub fn revoke(&mut self, email: &Email) -> Result<(), AccountsError> {
        let account = self.usable(email)?;
        account.is_revoked = true;
        account.totp = None;
        account.backup = None;
        Ok(())
    }

    /// Puts an account in as it is.
    pub(crate) fn insert(&mut self, account: Account) {
        self.by_email.insert(account.email.clone(), account);
    }

    fn usable(&mut self, email: &Email) -> Result<&mut Account, AccountsError> {
        match self.by_email.get_mut(email) {
            None => Err(AccountsError::Unknown(email.clone())),
            Some(account) if account.is_revoked => Err(AccountsError::Revoked(email.clone())),
            Some(account) => Ok(account),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Email {
        text.parse().unwrap()
    }

    fn roles(count: usize) -> BTreeSet<Role> {
        (0..count).map(|number| format!("r{number}").parse().unwrap()).collect()
    }

    #[test]
    fn an_account_is_added_once_and_comes_back_after_it_was_revoked() {
        let mut accounts = Accounts::default();
        let ada = email("ada@example.com");
        accounts.add(ada.clone(), roles(2)).unwrap();
        assert_eq!(accounts.add(ada.clone(), roles(0)), Err(AccountsError::Exists(ada.clone())));
        accounts.revoke(&ada).unwrap();
        let refused = Err(AccountsError::Revoked(ada.clone()));
        assert_eq!(accounts.revoke(&ada), refused);
        assert_eq!(accounts.set_roles(&ada, roles(1)), refused);
        accounts.add(ada.clone(), roles(1)).unwrap();
        assert!(!accounts.get(&ada).unwrap().is_revoked());
        assert_eq!(accounts.get(&ada).unwrap().roles().len(), 1);
    }

    #[test]
    fn a_revoked_account_has_no_methods() {
        let mut accounts = Accounts::default();
        let ada = email("ada@example.com");
        accounts.add(ada.clone(), roles(0)).unwrap();
        let totp = crate::dialogue::totp_of_nobody();
        accounts.enrol(&ada, totp, BackupCodes::of_nobody()).unwrap();
        assert!(accounts.get(&ada).unwrap().is_enrolled());
        accounts.revoke(&ada).unwrap();
        assert!(!accounts.get(&ada).unwrap().is_enrolled());
    }

    #[test]
    fn what_is_unknown_or_too_much_is_refused() {
        let mut accounts = Accounts::default();
        let bob = email("bob@example.com");
        let unknown = Err(AccountsError::Unknown(bob.clone()));
        assert_eq!(accounts.revoke(&bob), unknown);
        assert_eq!(accounts.set_roles(&bob, roles(1)), unknown);
        let too_many = Err(AccountsError::TooManyRoles(bob.clone()));
        assert_eq!(accounts.add(bob.clone(), roles(MAX_ROLES + 1)), too_many);
        accounts.add(bob.clone(), roles(MAX_ROLES)).unwrap();
        assert_eq!(accounts.set_roles(&bob, roles(MAX_ROLES + 1)), too_many);
        for number in 1..MAX_ACCOUNTS {
            accounts.add(email(&format!("a{number}@b")), roles(0)).unwrap();
        }
        assert_eq!(accounts.add(email("one@more"), roles(0)), Err(AccountsError::TooMany));
    }
}
