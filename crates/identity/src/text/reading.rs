//! From a text to accounts, or to everything that is wrong with it.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use data_encoding::BASE32_NOPAD;
use toml::de::DeTable;

use super::table::{Problems, Table};
use super::{TextError, VERSION};
use crate::account::{Account, Accounts, MAX_ACCOUNTS, MAX_ROLES};
use crate::backup::{BackupCodes, CODES, Cost};
use crate::name::{Email, Role};
use crate::secret::Secret;
use crate::totp::{Algorithm, Digits, Totp};

/// Bytes of a secret: RFC 4226 wants 16 at least, and more than a block of the hash is of no use.
const SECRET_BYTES: RangeInclusive<usize> = 16..=64;
/// Seconds that a code may be valid.
const PERIOD: RangeInclusive<u64> = 15..=120;
/// Steps that a time can have; more would not be an integer of TOML.
const STEPS: RangeInclusive<u64> = 0..=i64::MAX.unsigned_abs();

/// Reads a store.
///
/// # Errors
/// A later version, or all problems with their lines. Neither says anything secret.
pub fn read(text: &str) -> Result<Accounts, TextError> {
    let (parsed, errors) = DeTable::parse_recoverable(text);
    let top = parsed.get_ref();
    if let Some(version) = version(top).filter(|version| *version > VERSION) {
        return Err(TextError::Newer(version));
    }
    let mut problems = Problems::new(text);
    for error in &errors {
        let place = error.span().map_or(0, |span| span.start);
        problems.at(place, format!("this is not TOML: {}", error.message()));
    }
    // What was made out of a broken text means little, so only that is told.
    if errors.is_empty() {
        let accounts = accounts(top, &mut problems);
        let list = problems.into_list();
        return if list.is_empty() { Ok(accounts) } else { Err(TextError::Problems(list)) };
    }
    Err(TextError::Problems(problems.into_list()))
}

fn version(top: &DeTable<'_>) -> Option<u64> {
    let integer = top.get("version")?.get_ref().as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn accounts<'t>(top: &DeTable<'t>, problems: &mut Problems<'t>) -> Accounts {
    let mut table = Table::new("the store", &["version", "account"], top, 0, problems);
    table.number("version", 1..=VERSION);
    let entries = table.several("account");
    if entries.len() > MAX_ACCOUNTS {
        table.wrong("account", &format!("there are more than {MAX_ACCOUNTS}"));
        return Accounts::default();
    }
    let mut accounts = Accounts::default();
    for (entries, place) in entries {
        let Some(account) = account(entries, place, problems) else { continue };
        if accounts.get(&account.email).is_some() {
            problems.at(place, format!("[[account]] {} is there twice", account.email));
        }
        accounts.insert(account);
    }
    accounts
}

fn account<'t>(
    entries: &DeTable<'t>,
    place: usize,
    problems: &mut Problems<'t>,
) -> Option<Account> {
    let keys = ["email", "roles", "revoked", "totp", "backup"];
    let mut table = Table::new("[[account]]", &keys, entries, place, problems);
    // An address in capitals would be another key than the one that is looked up.
    let email = table.parsed("email", "an e-mail address in lower case", |text| {
        text.parse::<Email>().ok().filter(|email| email.as_str() == text)
    });
    let roles =
        table.list("roles", MAX_ROLES, "a role, such as dba", |text| text.parse::<Role>().ok());
    let count = roles.len();
    let roles: BTreeSet<Role> = roles.into_iter().collect();
    if roles.len() < count {
        table.wrong("roles", "one of them is there twice");
    }
    let is_revoked = table.flag("revoked");
    let (totp_at, backup_at) = (table.inner("totp"), table.inner("backup"));
    if is_revoked && (totp_at.is_some() || backup_at.is_some()) {
        table.wrong("revoked", "a revoked account has no totp and no backup");
    }
    let totp = totp_at.and_then(|(entries, place)| totp(entries, place, problems));
    let backup = backup_at.and_then(|(entries, place)| backup(entries, place, problems));
    Some(Account { email: email?, roles, is_revoked, totp, backup })
}

fn totp<'t>(entries: &DeTable<'t>, place: usize, problems: &mut Problems<'t>) -> Option<Totp> {
    let keys = ["secret", "algorithm", "digits", "period", "last_step"];
    let mut table = Table::new("[account.totp]", &keys, entries, place, problems);
    let secret = table.parsed("secret", "16 to 64 bytes in base32 without padding", |text| {
        Secret::from_base32(text).filter(|secret| SECRET_BYTES.contains(&secret.expose().len()))
    });
    let algorithm = table.parsed("algorithm", "\"SHA1\" or \"SHA256\"", |text| {
        [Algorithm::Sha1, Algorithm::Sha256].into_iter().find(|known| known.name() == text)
    });
    let digits = match table.number("digits", 6..=8) {
        Some(6) => Some(Digits::Six),
        Some(8) => Some(Digits::Eight),
        Some(_) => {
            table.wrong("digits", "write 6 or 8");
            None
        }
        None => None,
    };
    let period = table.number("period", PERIOD).and_then(|period| u32::try_from(period).ok());
    let last_step = table.optional_number("last_step", STEPS);
    Some(Totp {
        secret: secret?,
        algorithm: algorithm?,
        digits: digits?,
        period: period?,
        last_step,
    })
}

fn backup<'t>(
    entries: &DeTable<'t>,
    place: usize,
    problems: &mut Problems<'t>,
) -> Option<BackupCodes> {
    let keys = ["salt", "memory_kib", "passes", "unused", "used"];
    let mut table = Table::new("[account.backup]", &keys, entries, place, problems);
    let salt = table.parsed("salt", "16 bytes in base32 without padding", bytes::<16>);
    let memory_kib = table.number("memory_kib", Cost::MEMORY_KIB);
    let passes = table.number("passes", Cost::PASSES);
    let wanted = "32 bytes in base32 without padding";
    let unused = table.list("unused", CODES, wanted, bytes::<32>);
    let used = table.list("used", CODES, wanted, bytes::<32>);
    let cost =
        Cost { memory_kib: u32::try_from(memory_kib?).ok()?, passes: u32::try_from(passes?).ok()? };
    Some(BackupCodes { salt: salt?, cost, unused, used })
}

/// So many bytes in base32.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE32_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()
}
