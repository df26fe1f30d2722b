//! Ten codes on paper, for whoever has lost the telephone. Each works once.
//!
//! The hashes of one account share a salt: what is typed is hashed once, and compared with all of
//! them. A salt for each code would cost ten times as much for every attempt. What a salt is for,
//! that one table does not serve several accounts, it still does.
//!
//! Invariants:
//! - A check costs one hash whatever is typed, and all comparisons are made in constant time.
//! - A used code stays in the store as used, so that people can be told how many are left.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Check;

/// How many codes an account gets.
pub const CODES: usize = 10;

/// Characters of a code that carry it: 50 bits.
const LENGTH: usize = 10;
/// Thirty-two characters that are told apart on paper: no i, l, o, u (Crockford's base32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// More than this of what was typed is not looked at.
const MAX_TYPED: usize = 64;

/// A hash of a code.
pub(crate) type Hash = [u8; 32];

/// What one hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Cost {
    /// What new codes are hashed with: the first of OWASP's recommendations for argon2id.
    pub const NEW: Self = Self { memory_kib: 19 * 1024, passes: 2 };
    /// Memory that a store may ask for.
    pub(crate) const MEMORY_KIB: std::ops::RangeInclusive<u64> = 1024..=256 * 1024;
    /// Passes that a store may ask for.
    pub(crate) const PASSES: std::ops::RangeInclusive<u64> = 1..=16;
}

/// The backup codes of an account, as hashes.
#[derive(Clone, PartialEq, Eq)]
pub struct BackupCodes {
    pub(crate) salt: [u8; 16],
    pub(crate) cost: Cost,
    pub(crate) unused: Vec<Hash>,
    pub(crate) used: Vec<Hash>,
}

impl BackupCodes {
    /// New codes, and their hashes. It takes ten times as long as a check.
    pub(crate) fn generate() -> Result<(Self, Vec<Zeroizing<String>>), getrandom::Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)?;
        let mut codes = Self { salt, cost: Cost::NEW, unused: vec![], used: vec![] };
        let mut texts = Vec::with_capacity(CODES);
        for _ in 0..CODES {
            let mut random = Zeroizing::new([0; LENGTH]);
            getrandom::fill(&mut *random)?;
            let text = spell(&random);
            codes.unused.extend(codes.hash(text.as_bytes()));
            texts.push(text);
        }
        Ok((codes, texts))
    }

    /// Codes of which none is right, so that an account that has none costs as much to ask.
    pub(crate) fn of_nobody() -> Self {
        let unused = vec![[0; 32]; CODES];
        Self { salt: [0; 16], cost: Cost::NEW, unused, used: vec![] }
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.unused.len()
    }

    /// Checks what was typed, and if it is right marks it used. Hyphens, blanks and capitals are
    /// fine, and so are the letters that were left out because they look like digits.
    pub fn check(&mut self, typed: &[u8]) -> Check {
        // Fails for costs that no store may have; then nothing is right.
        let Some(hash) = self.hash(typed) else { return Check::Wrong };
        // All are compared, whichever is equal.
        let place = |hashes: &[Hash]| {
            hashes.iter().enumerate().fold(None, |found, (place, known)| {
                if known.ct_eq(&hash).into() { Some(place) } else { found }
            })
        };
        let (unused, used) = (place(&self.unused), place(&self.used));
        match (unused, used) {
            (Some(place), _) => {
                self.used.push(self.unused.remove(place));
                Check::Accepted
            }
            (None, Some(_)) => Check::Used,
            (None, None) => Check::Wrong,
        }
    }

    fn hash(&self, typed: &[u8]) -> Option<Hash> {
        let Cost { memory_kib, passes } = self.cost;
        let params = Params::new(memory_kib, passes, 1, Some(32)).ok()?;
        let mut hash = [0; 32];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(&normalized(typed), &self.salt, &mut hash).ok()?;
        Some(hash)
    }
}

impl fmt::Debug for BackupCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupCodes")
            .field("unused", &self.unused.len())
            .field("used", &self.used.len())
            .finish_non_exhaustive()
    }
}

/// A code as it is printed: five characters, a hyphen, five characters. Of each byte five bits
/// count, so every character is as likely as any other.
fn spell(random: &[u8; LENGTH]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(LENGTH + 1));
    for (place, byte) in random.iter().enumerate() {
        if place == LENGTH / 2 {
            text.push('-');
        }
        let character = ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or_default();
        text.push(char::from(character));
    }
    text
}

/// What was typed, as it is hashed.
fn normalized(typed: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TYPED));
    let counts = |byte: &&u8| !byte.is_ascii_whitespace() && **byte != b'-';
    for byte in typed.iter().filter(counts).take(MAX_TYPED) {
        bytes.push(match byte.to_ascii_lowercase() {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            other => other,
        });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_code_works_once() {
        let (mut codes, texts) = BackupCodes::generate().unwrap();
        assert_eq!((codes.left(), texts.len()), (CODES, CODES));
        for (round, text) in texts.iter().enumerate() {
            assert_eq!(codes.check(text.as_bytes()), Check::Accepted);
            assert_eq!(codes.check(text.as_bytes()), Check::Used);
            assert_eq!(codes.left(), CODES - round - 1);
        }
    }

    #[test]
    fn a_code_may_be_typed_as_people_type() {
        let (codes, texts) = BackupCodes::generate().unwrap();
        let text = texts[3].as_str();
        let typed = [
            text.to_uppercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('0', "O").replace('1', "l"),
            format!("  {text}\r\n"),
        ];
        for typed in typed {
            assert_eq!(codes.clone().check(typed.as_bytes()), Check::Accepted, "{typed}");
        }
        let longer = format!("{text}0");
        for wrong in ["", "-", &text[1..], &longer] {
            assert_eq!(codes.clone().check(wrong.as_bytes()), Check::Wrong, "{wrong}");
        }
    }

    #[test]
    fn codes_of_nobody_are_never_right() {
        let mut codes = BackupCodes::of_nobody();
        for typed in [&b""[..], b"00000-00000", &[0; 32]] {
            assert_eq!(codes.check(typed), Check::Wrong);
        }
    }

    #[test]
    fn a_cost_that_cannot_be_refuses_everything() {
        let (mut codes, texts) = BackupCodes::generate().unwrap();
        codes.cost = Cost { memory_kib: 0, passes: 0 };
        assert_eq!(codes.check(texts[0].as_bytes()), Check::Wrong);
    }

    #[test]
    fn a_code_and_its_hash_are_not_in_debug_output() {
        let (codes, _) = BackupCodes::generate().unwrap();
        assert_eq!(format!("{codes:?}"), "BackupCodes { unused: 10, used: 0, .. }");
    }

    proptest! {
        #[test]
        fn a_printed_code_is_of_its_alphabet_and_reads_as_itself(random: [u8; LENGTH]) {
            let text = spell(&random);
            prop_assert_eq!(text.len(), LENGTH + 1);
            let plain = text.replace('-', "");
            prop_assert!(plain.bytes().all(|byte| ALPHABET.contains(&byte)));
            prop_assert_eq!(&**normalized(text.as_bytes()), plain.as_bytes());
        }
    }
}
