//! `users list`: a table for people, or JSON. Nothing in it is secret.

use std::fmt::Write as _;

use forebear_identity::{Account, Store};
use serde::Serialize;

use crate::failure::Failure;
use crate::talk::{print, say};

/// An account as JSON.
#[derive(Serialize)]
struct Row<'a> {
    email: &'a str,
    roles: Vec<&'a str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticator: Option<Authenticator>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes_left: Option<usize>,
}

#[derive(Serialize)]
struct Authenticator {
    algorithm: &'static str,
    digits: u8,
}

impl<'a> Row<'a> {
    fn new(account: &'a Account) -> Self {
        let state = match account {
            account if account.is_revoked() => "revoked",
            account if account.is_enrolled() => "enrolled",
            _ => "not enrolled",
        };
        let authenticator = account.totp().map(|totp| Authenticator {
            algorithm: totp.algorithm.name(),
            digits: totp.digits.number(),
        });
        Self {
            email: account.email().as_str(),
            roles: account.roles().map(|role| role.as_str()).collect(),
            state,
            authenticator,
            backup_codes_left: account.backup().map(|codes| codes.left()),
        }
    }
}

/// Prints all accounts.
pub(super) fn run(store: &Store, as_json: bool) -> Result<(), Failure> {
    let accounts = store.read()?;
    let rows: Vec<Row<'_>> = accounts.iter().map(Row::new).collect();
    if rows.is_empty() {
        say(format_args!(
            "no accounts in {}; forebear-agent users add EMAIL makes one",
            store.path().display()
        ));
    } else {
        print(&if as_json { json(&rows) } else { table(&rows) });
    }
    Ok(())
}

fn json(rows: &[Row<'_>]) -> String {
    // What a row holds has no form that JSON lacks.
    let line = |row| serde_json::to_string(row).map(|line| line + "\n").unwrap_or_default();
    rows.iter().map(line).collect()
}

fn table(rows: &[Row<'_>]) -> String {
    let roles: Vec<String> = rows.iter().map(|row| row.roles.join(",")).collect();
    let widest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0).max(6);
    let emails = widest(&mut rows.iter().map(|row| row.email.len()));
    let wide = widest(&mut roles.iter().map(String::len));
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = writeln!(text, "{:emails$}  {:wide$}  {:12}  BACKUP CODES", "E-MAIL", "ROLES", "STATE");
    for (row, roles) in rows.iter().zip(&roles) {
        let roles = if roles.is_empty() { "-" } else { roles };
        let left = row.backup_codes_left.map_or("-".to_owned(), |left| format!("{left} left"));
        let _ = writeln!(text, "{:emails$}  {roles:wide$}  {:12}  {left}", row.email, row.state);
    }
    text
}
