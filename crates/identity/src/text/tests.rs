//! The text of a store: what is written is read again, and every wrong one is told how.

use proptest::prelude::*;

use super::*;
use crate::backup::{BackupCodes, Cost};
use crate::name::{Email, Role};
use crate::secret::Secret;
use crate::totp::{Algorithm, Digits, Totp};

/// A store in which every key occurs.
const FULL: &str = r#"version = 1
[[account]]
email = "ada@example.com"
roles = ["dba", "ops"]
[account.totp]
secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
algorithm = "SHA1"
digits = 6
period = 30
last_step = 41152263
[account.backup]
salt = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
memory_kib = 19456
passes = 2
unused = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
used = []
[[account]]
email = "bob@example.com"
revoked = true
"#;

/// The problems of [`FULL`] with one thing changed.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    assert!(FULL.contains(from), "{from}");
    match read(&FULL.replacen(from, to, 1)) {
        Err(TextError::Problems(problems)) => problems
            .iter()
            .map(|problem| format!("{}: {}", problem.line, problem.text))
            .collect::<Vec<_>>()
            .join("\n"),
        other => panic!("{from} -> {to}: {other:?}"),
    }
}

#[test]
fn a_full_store_is_read() {
    let accounts = read(FULL).unwrap();
    assert_eq!(accounts.len(), 2);
    let ada = accounts.get(&"ada@example.com".parse().unwrap()).unwrap();
    assert_eq!(ada.totp.as_ref().unwrap().last_step, Some(41_152_263));
    assert_eq!(ada.backup.as_ref().unwrap().left(), 1);
    assert_eq!(read(&write(&accounts)), Ok(accounts));
}

#[test]
fn every_problem_is_told_with_its_line() {
    for (from, to, expected) in [
        ("version = 1", "", "1: the store version: write a number from 1 to 1"),
        ("version = 1", "version = 0", "1: the store version: write"),
        ("version = 1", "version = \"1\"", "1: the store version: write"),
        ("version = 1", "version = 1\nvrsion = 2", "2: the store has a key that is not one of"),
        ("ada@example.com", "Ada@example.com", "3: [[account]] email: write an e-mail address in"),
        ("ada@example.com", "ada", "3: [[account]] email: write"),
        ("email = \"ada@example.com\"", "", "2: [[account]] email: write"),
        ("bob@example.com", "ada@example.com", "17: [[account]] ada@example.com is there twice"),
        ("\"dba\", ", "\"d b a\", ", "4: [[account]] roles: each is a role"),
        ("\"dba\", ", "7, ", "4: [[account]] roles: each is a role"),
        ("\"dba\", ", "\"ops\", ", "4: [[account]] roles: one of them is there twice"),
        ("[\"dba\", \"ops\"]", "\"dba\"", "4: [[account]] roles: write a list of"),
        ("revoked = true", "revoked = 1", "19: [[account]] revoked: write true or false"),
        ("roles = [\"dba\", \"ops\"]", "revoked = true", "4: [[account]] revoked: a revoked"),
        ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOJQ", "6: [account.totp] secret: write"),
        ("GEZDGNBVGY3TQOJQ", "gezdgnbvgy3tqojq", "6: [account.totp] secret: write 16 to 64"),
        ("SHA1", "SHA512", "7: [account.totp] algorithm: write \"SHA1\" or \"SHA256\""),
        ("digits = 6", "digits = 7", "8: [account.totp] digits: write 6 or 8"),
        ("digits = 6", "digits = 9", "8: [account.totp] digits: write a number"),
        ("period = 30", "period = 0", "9: [account.totp] period: write a number from 15 to 120"),
        ("last_step = 41152263", "last_step = -1", "10: [account.totp] last_step: write"),
        ("[account.totp]", "[account.totpp]", "5: [[account]] has a key that is not one of"),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAA\"", "AAAA\"", "12: [account.backup] salt: write 16 bytes"),
        ("19456", "1", "13: [account.backup] memory_kib: write a number from 1024"),
        ("passes = 2", "passes = 1000", "14: [account.backup] passes: write"),
        ("unused = [\"AA", "unused = [\"AAAA", "15: [account.backup] unused: each is 32 bytes"),
        ("used = []", "used = [[]]", "16: [account.backup] used: each is 32 bytes"),
        ("[account.backup]", "[account.backup", "11: this is not TOML"),
        ("email = \"bob", "email = \"bob\nx", "18: this is not TOML"),
    ] {
        let problems = changed(from, to);
        assert!(problems.contains(expected), "{from} -> {to}: {expected} is not in\n{problems}");
    }
}

#[test]
fn a_table_in_the_place_of_a_list_is_told() {
    for text in ["version = 1\naccount = 7", "version = 1\n[account]\nemail = \"a@b\""] {
        let Err(TextError::Problems(problems)) = read(text) else { panic!("{text}") };
        assert_eq!(problems[0].text, "the store account: write each as a table with two brackets");
    }
    assert!(changed("[account.totp]", "totp = 7\n[account.totpp]").contains("write it as a table"));
}

#[test]
fn all_problems_are_told_at_once() {
    let text = FULL.replace("digits = 6", "digits = 5").replace("revoked = true", "revoked = 1");
    let Err(TextError::Problems(problems)) = read(&text) else { panic!("it is wrong") };
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [8, 19]);
}

#[test]
fn a_later_version_is_refused_as_such_whatever_else_it_says() {
    let text = "version = 2\n[wonders]\n";
    assert_eq!(read(text), Err(TextError::Newer(2)));
}

#[test]
fn the_largest_account_has_room_so_that_no_secret_is_moved() {
    let long = |length: usize| "x".repeat(length);
    let email = format!("{}@{}", long(64), long(189)).parse().unwrap();
    let roles = (10..42).map(|n| format!("{}{n}", long(62)).parse().unwrap()).collect();
    let mut account = Account::new(email, roles);
    let secret = Secret::new(vec![7; 64]);
    let (algorithm, digits) = (Algorithm::Sha256, Digits::Eight);
    account.totp = Some(Totp { secret, algorithm, digits, period: 30, last_step: Some(1 << 62) });
    let cost = Cost { memory_kib: 1 << 18, passes: 16 };
    let (unused, used) = (vec![[7; 32]; 10], vec![[7; 32]; 10]);
    account.backup = Some(BackupCodes { salt: [7; 16], cost, unused, used });
    let mut accounts = Accounts::default();
    accounts.insert(account);
    let text = write(&accounts);
    assert!(text.len() <= 2 * ACCOUNT_BYTES, "{}", text.len());
    assert_eq!(text.capacity(), 2 * ACCOUNT_BYTES);
    assert_eq!(read(&text), Ok(accounts));
}

#[test]
fn no_problem_repeats_a_secret() {
    let secret = "GEZDGNBVGY3TQOJQ";
    for (from, to) in [
        ("secret = \"", "secret = \"="),
        ("secret = \"", "algorithm = \""),
        ("secret = \"", "secret = GEZDGNBVGY3TQOJQ\""),
        ("secret = \"", "GEZDGNBVGY3TQOJQ = \""),
        ("roles = [\"dba\"", "roles = [\"+GEZDGNBVGY3TQOJQ\""),
    ] {
        let problems = changed(from, to);
        assert!(!problems.contains(secret), "{problems}");
    }
}

fn totps() -> impl Strategy<Value = Totp> {
    let secret = proptest::collection::vec(any::<u8>(), 16..=64).prop_map(Secret::new);
    let algorithm = prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256)];
    let digits = prop_oneof![Just(Digits::Six), Just(Digits::Eight)];
    let step = proptest::option::of(0..=i64::MAX.unsigned_abs());
    (secret, algorithm, digits, 15..=120_u32, step).prop_map(
        |(secret, algorithm, digits, period, last_step)| Totp {
            secret,
            algorithm,
            digits,
            period,
            last_step,
        },
    )
}

fn backups() -> impl Strategy<Value = BackupCodes> {
    let hashes = || proptest::collection::vec(any::<[u8; 32]>(), 0..=10);
    let cost = (1024..=1_u32 << 18, 1..=16_u32)
        .prop_map(|(memory_kib, passes)| Cost { memory_kib, passes });
    (any::<[u8; 16]>(), cost, hashes(), hashes())
        .prop_map(|(salt, cost, unused, used)| BackupCodes { salt, cost, unused, used })
}

fn accounts() -> impl Strategy<Value = Accounts> {
    let email = "[a-z0-9.!#$%&'*+/=?^_{|}~-]{1,20}@[a-z0-9-]{1,9}(\\.[a-z0-9-]{1,9}){0,2}";
    let email = email.prop_map(|text| text.parse::<Email>().unwrap());
    let role = "[a-zA-Z0-9._:/-]{1,12}".prop_map(|text| text.parse::<Role>().unwrap());
    let roles = proptest::collection::btree_set(role, 0..5);
    let methods =
        proptest::option::of((proptest::option::of(totps()), proptest::option::of(backups())));
    let account = (email, roles, methods).prop_map(|(email, roles, methods)| {
        let mut account = Account::new(email, roles);
        account.is_revoked = methods.is_none();
        (account.totp, account.backup) = methods.unwrap_or_default();
        account
    });
    proptest::collection::vec(account, 0..6).prop_map(|list| {
        let mut accounts = Accounts::default();
        list.into_iter().for_each(|account| accounts.insert(account));
        accounts
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(accounts in accounts()) {
        let text = write(&accounts);
        prop_assert_eq!(read(&text), Ok(accounts));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn no_damage_breaks_the_reader(place in 0..FULL.len(), byte in any::<char>()) {
        let mut text: Vec<char> = FULL.chars().collect();
        text[place] = byte;
        let _ = read(&text.into_iter().collect::<String>());
    }
}
