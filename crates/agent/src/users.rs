//! `users`: the accounts that people prove at login.
//!
//! Invariants:
//! - A secret is shown by `enroll`, once, and by nothing else.
//! - Every change is one change of the store, made under its lock.
//!
//! Deliberately not here: whether somebody may change accounts. The file says that: it is for its
//! owner alone.

use std::collections::BTreeSet;

use anyhow::Result;
use forebear_identity::{Accounts, AccountsError, Email, Role, Store, StoreError};

use crate::args::users::{UsersArgs, UsersCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk::say;

mod enroll;
mod import;
mod list;

/// Does one of the subcommands.
///
/// # Errors
/// A usage [`Failure`] for an account that cannot be used so, an environment [`Failure`] for a
/// store that cannot.
pub fn run(args: UsersArgs) -> Result<Exit> {
    let store = Store::at(args.store);
    match args.command {
        UsersCommand::Add { email, roles } => add(&store, email, roles)?,
        UsersCommand::List { json } => list::run(&store, json)?,
        UsersCommand::Revoke { email, unknown } => revoke(&store, &email, unknown)?,
        UsersCommand::Enroll { email, sha256, digits, replace, stdout } => {
            enroll::run(&store, &email, enroll::Form::new(sha256, digits)?, replace, stdout)?;
        }
        UsersCommand::Import { file } => import::run(&store, &file)?,
    }
    Ok(Exit::Done)
}

fn add(store: &Store, email: Email, roles: Vec<Role>) -> Result<(), Failure> {
    let roles: BTreeSet<Role> = roles.into_iter().collect();
    store.create_folder()?;
    store.update(|accounts| {
        accounts.add(email.clone(), roles).map_err(|error| explain(&error, accounts))
    })?;
    say(format_args!("added {email}; next: forebear-agent users enroll {email}"));
    Ok(())
}

fn revoke(store: &Store, email: &Email, unknown: bool) -> Result<(), Failure> {
    if unknown {
        store.create_folder()?;
    }
    store.update(|accounts| {
        let is_new = unknown && accounts.get(email).is_none();
        let added = if is_new { accounts.add(email.clone(), BTreeSet::new()) } else { Ok(()) };
        let revoked = added.and_then(|()| accounts.revoke(email));
        revoked.map_err(|error| explain(&error, accounts))
    })?;
    say(format_args!("revoked {email}"));
    Ok(())
}

/// An error about accounts, with what to do.
fn explain(error: &AccountsError, accounts: &Accounts) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        AccountsError::Unknown(email) => failure.remedy(match nearest(email, accounts) {
            Some(near) => format!("the nearest is {near}; `forebear-agent users list` has all"),
            None => format!("there are none yet; forebear-agent users add {email}"),
        }),
        AccountsError::Exists(email) => failure.remedy(format!(
            "forebear-agent users enroll {email}; other roles are given by `users import`"
        )),
        AccountsError::Revoked(email) => {
            failure.remedy(format!("to bring it back: forebear-agent users add {email}"))
        }
        _ => failure,
    }
}

fn nearest<'a>(email: &Email, accounts: &'a Accounts) -> Option<&'a Email> {
    let nearness =
        |other: &&Email| (strsim::jaro_winkler(other.as_str(), email.as_str()) * 1e6) as u64;
    accounts.iter().map(|account| account.email()).max_by_key(nearness)
}

impl From<StoreError> for Failure {
    /// The error says what to do by itself.
    fn from(error: StoreError) -> Self {
        Self::environment(error.to_string())
    }
}
