//! The store as text: one TOML file with a version.
//!
//! ```toml
//! version = 1
//!
//! [[account]]
//! email = "ada@example.com"
//! roles = ["dba", "ops"]          # left out if there are none
//! revoked = true                  # left out if it is not; then nothing of what follows is there
//! [account.totp]
//! secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32 without padding
//! algorithm = "SHA1"              # or "SHA256"
//! digits = 6                      # or 8
//! period = 30                     # seconds
//! last_step = 41152263            # of the code that was used last; left out if none was
//! [account.backup]
//! salt = "..."                    # base32 of 16 bytes
//! memory_kib = 19456              # of argon2id, one lane
//! passes = 2
//! unused = ["..."]                # base32 of 32 bytes each
//! used = ["..."]
//! ```
//!
//! Constraints: every key is known, and none is there twice; names are those of [`Email`] and
//! [`Role`]; at most [`MAX_BYTES`] and [`MAX_ACCOUNTS`](crate::MAX_ACCOUNTS).
//! A later version is refused, whatever else it says.
//!
//! Invariants:
//! - What is written is read as the same accounts.
//! - A problem names its line, and never a secret.

use std::fmt::Write as _;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::account::{Account, Accounts};
#[cfg(doc)]
use crate::name::{Email, Role};

mod reading;
mod table;

pub use reading::read;

/// The format that is written, and the newest that is read.
pub const VERSION: u64 = 1;

/// The largest store that is read: more than the largest that is written.
pub const MAX_BYTES: u64 = 48 << 20;

/// More than any account takes, so that the text never grows by moving.
const ACCOUNT_BYTES: usize = 4 << 10;

/// One thing that is wrong in a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub text: String,
}

/// Why a text is no store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextError {
    /// A later program wrote it in this version.
    Newer(u64),
    /// Everything that is wrong, by line.
    Problems(Vec<Problem>),
}

/// Writes accounts.
pub fn write(accounts: &Accounts) -> Zeroizing<String> {
    let room = (accounts.len() + 1).saturating_mul(ACCOUNT_BYTES);
    let mut text = Zeroizing::new(String::with_capacity(room));
    text.push_str("# Written by forebear-agent users; change it with that.\n");
    // Writing to a string never fails, here and below.
    let _ = writeln!(text, "version = {VERSION}");
    for account in accounts.iter() {
        write_account(account, &mut text);
    }
    text
}

fn write_account(account: &Account, text: &mut String) {
    let _ = writeln!(text, "\n[[account]]\nemail = \"{}\"", account.email);
    if !account.roles.is_empty() {
        list(text, "roles", account.roles.iter());
    }
    if account.is_revoked {
        text.push_str("revoked = true\n");
    }
    if let Some(totp) = &account.totp {
        let _ = writeln!(text, "[account.totp]\nsecret = \"{}\"", *totp.secret.to_base32());
        let _ = writeln!(text, "algorithm = \"{}\"", totp.algorithm.name());
        let _ = writeln!(text, "digits = {}\nperiod = {}", totp.digits.number(), totp.period);
        if let Some(step) = totp.last_step {
            let _ = writeln!(text, "last_step = {step}");
        }
    }
    if let Some(backup) = &account.backup {
        let salt = BASE32_NOPAD.encode(&backup.salt);
        let _ = writeln!(text, "[account.backup]\nsalt = \"{salt}\"");
        let _ = writeln!(text, "memory_kib = {}", backup.cost.memory_kib);
        let _ = writeln!(text, "passes = {}", backup.cost.passes);
        list(text, "unused", backup.unused.iter().map(|hash| BASE32_NOPAD.encode(hash)));
        list(text, "used", backup.used.iter().map(|hash| BASE32_NOPAD.encode(hash)));
    }
}

/// A list of texts that need no escaping.
fn list<T: std::fmt::Display>(text: &mut String, key: &str, items: impl Iterator<Item = T>) {
    let _ = write!(text, "{key} = [");
    for (place, item) in items.enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}\"{item}\"");
    }
    text.push_str("]\n");
}

#[cfg(test)]
mod tests;
