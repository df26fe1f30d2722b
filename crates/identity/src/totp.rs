//! Codes of an authenticator: RFC 6238.
//!
//! Invariants:
//! - A code works once: no step at or before the last used one is accepted.
//! - A check costs the same whatever is typed: all three codes are computed, and compared in
//!   constant time.

use hmac::{Hmac, KeyInit as _};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize as _, Zeroizing};

use crate::secret::Secret;
use crate::{Check, UnixSeconds};

/// Steps before and after the present one that are accepted too: clocks differ, and people take
/// a while to type (RFC 6238, 5.2).
const SKEW: u64 = 1;

/// The period that every authenticator knows, in seconds.
pub(crate) const PERIOD: u32 = 30;

/// The hash that codes are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// What every authenticator can do.
    Sha1,
    /// What some can do.
    Sha256,
}

impl Algorithm {
    /// As it stands in URLs and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The length of a new secret in bytes: that of the hash (RFC 4226, 4, R6).
    pub(crate) fn secret_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// How long a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// Six digits.
    Six,
    /// Eight digits.
    Eight,
}

impl Digits {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Eight => 8,
        }
    }
}

/// One authenticator of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// What both sides know.
    pub secret: Secret,
    /// The hash.
    pub algorithm: Algorithm,
    /// The length of a code.
    pub digits: Digits,
    /// How long a code is valid, in seconds; not 0.
    pub period: u32,
    /// The step of the code that was used last.
    pub last_step: Option<u64>,
}

/// A code in ASCII digits, at the front of eight bytes.
type Code = Zeroizing<[u8; 8]>;

impl Totp {
    /// Checks what was typed, and if it is right marks it used. Blanks between digits are fine.
    pub fn check(&mut self, typed: &[u8], now: UnixSeconds) -> Check {
        let length = usize::from(self.digits.number());
        let mut given: Code = Zeroizing::new([0; 8]);
        let mut count = 0;
        for byte in typed.iter().filter(|byte| !byte.is_ascii_whitespace()) {
            if let Some(place) = given.get_mut(count) {
                *place = *byte;
            }
            count += 1;
        }
        let step = now / u64::from(self.period.max(1));
        let mut accepted = None;
        let mut is_used = false;
        for candidate in step.saturating_sub(SKEW)..=step.saturating_add(SKEW) {
            let is_equal: Choice = self.code(candidate).ct_eq(&*given);
            if bool::from(is_equal) && count == length {
                match self.last_step {
                    Some(last) if candidate <= last => is_used = true,
                    _ => accepted = Some(candidate),
                }
            }
        }
        match accepted {
            Some(step) => {
                self.last_step = Some(step);
                Check::Accepted
            }
            None if is_used => Check::Used,
            None => Check::Wrong,
        }
    }

    /// The code of a step.
    fn code(&self, step: u64) -> Code {
        let key = self.secret.expose();
        let message = step.to_be_bytes();
        match self.algorithm {
            Algorithm::Sha1 => {
                truncate(hash(Hmac::<Sha1>::new_from_slice(key), &message), self.digits)
            }
            Algorithm::Sha256 => {
                truncate(hash(Hmac::<Sha256>::new_from_slice(key), &message), self.digits)
            }
        }
    }

    /// The code at a time, as the person's authenticator shows it.
    pub fn code_at(&self, now: UnixSeconds) -> Zeroizing<String> {
        let code = self.code(now / u64::from(self.period.max(1)));
        let digits = code.iter().take(usize::from(self.digits.number()));
        Zeroizing::new(digits.map(|digit| char::from(*digit)).collect())
    }
}

/// The first bytes of a MAC, as many as the longest has.
type Hash = Zeroizing<[u8; 32]>;

/// The MAC of a message, and how many bytes it has.
fn hash<M: hmac::Mac, E>(mac: Result<M, E>, message: &[u8]) -> (Hash, usize) {
    let mut hash: Hash = Zeroizing::new([0; 32]);
    // A key of HMAC may have any length, so there always is one.
    let Ok(mut mac) = mac else { return (hash, 0) };
    mac.update(message);
    let mut bytes = mac.finalize().into_bytes();
    let length = bytes.len();
    for (to, from) in hash.iter_mut().zip(bytes.iter()) {
        *to = *from;
    }
    bytes.as_mut_slice().zeroize();
    (hash, length)
}

/// RFC 4226, 5.3: 31 bits from where the last byte says, as decimal digits.
fn truncate((hash, length): (Hash, usize), digits: Digits) -> Code {
    let last = length.checked_sub(1).and_then(|last| hash.get(last)).copied().unwrap_or(0);
    let offset = usize::from(last & 0xf);
    let bytes = hash.get(offset..offset + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let mut number = u32::from_be_bytes(bytes.unwrap_or_default()) & 0x7fff_ffff;
    let mut code: Code = Zeroizing::new([0; 8]);
    for place in code.iter_mut().take(usize::from(digits.number())).rev() {
        // A remainder of ten fits.
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn totp(algorithm: Algorithm, digits: Digits) -> Totp {
        let secret: &[u8] = match algorithm {
            Algorithm::Sha1 => b"12345678901234567890",
            Algorithm::Sha256 => b"12345678901234567890123456789012",
        };
        let secret = Secret::new(secret.to_vec());
        Totp { secret, algorithm, digits, period: 30, last_step: None }
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        let vectors = [
            (59, "94287082", "46119246"),
            (1_111_111_109, "07081804", "68084774"),
            (1_111_111_111, "14050471", "67062674"),
            (1_234_567_890, "89005924", "91819424"),
            (2_000_000_000, "69279037", "90698825"),
            (20_000_000_000, "65353130", "77737706"),
        ];
        for (time, sha1, sha256) in vectors {
            for (algorithm, code) in [(Algorithm::Sha1, sha1), (Algorithm::Sha256, sha256)] {
                let mut eight = totp(algorithm, Digits::Eight);
                assert_eq!(*eight.code_at(time), code);
                assert_eq!(eight.check(code.as_bytes(), time), Check::Accepted);
                let mut six = totp(algorithm, Digits::Six);
                assert_eq!(six.check(&code.as_bytes()[2..], time), Check::Accepted);
            }
        }
    }

    #[test]
    fn one_step_of_skew_is_accepted_and_two_are_not() {
        let fresh = totp(Algorithm::Sha1, Digits::Six);
        let now: UnixSeconds = 1_000_000_000 / 30 * 30;
        let at = |seconds: i64| fresh.code_at(now.saturating_add_signed(seconds));
        for (seconds, expected) in [
            (-31, Check::Wrong),
            (-30, Check::Accepted),
            (-1, Check::Accepted),
            (0, Check::Accepted),
            (29, Check::Accepted),
            (59, Check::Accepted),
            (60, Check::Wrong),
        ] {
            assert_eq!(fresh.clone().check(at(seconds).as_bytes(), now), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_works_once_and_so_does_no_older_one() {
        let mut totp = totp(Algorithm::Sha1, Digits::Six);
        let now = 1_000_000_000;
        let (code, older) = (totp.code_at(now), totp.code_at(now - 30));
        assert_eq!(totp.check(code.as_bytes(), now), Check::Accepted);
        assert_eq!(totp.check(code.as_bytes(), now), Check::Used);
        assert_eq!(totp.check(older.as_bytes(), now), Check::Used);
        let next = totp.code_at(now + 30);
        assert_eq!(totp.check(next.as_bytes(), now), Check::Accepted);
        assert_eq!(totp.check(code.as_bytes(), now), Check::Used);
    }

    #[test]
    fn blanks_are_fine_and_everything_else_is_not() {
        let fresh = totp(Algorithm::Sha1, Digits::Eight);
        let check = |typed: &[u8]| fresh.clone().check(typed, 59);
        assert_eq!(check(b" 9428 7082\r\n"), Check::Accepted);
        for wrong in [&b""[..], b"9428708", b"942870822", b"94287082\0", b"9428-7082", b"94287083"]
        {
            assert_eq!(check(wrong), Check::Wrong, "{wrong:?}");
        }
        // The first six of eight are not a code of six.
        assert_eq!(totp(Algorithm::Sha1, Digits::Six).check(b"942870", 59), Check::Wrong);
    }

    proptest! {
        #[test]
        fn no_input_and_no_time_breaks_a_check(
            typed: Vec<u8>, now: u64, period: u32, last_step: Option<u64>,
        ) {
            let mut totp = Totp { period, last_step, ..totp(Algorithm::Sha256, Digits::Six) };
            prop_assume!(totp.check(&typed, now) != Check::Accepted);
            prop_assert_eq!(totp.last_step, last_step);
        }

        #[test]
        fn a_right_code_is_accepted_once_at_any_time(now in 0..u64::MAX - 60) {
            let mut totp = totp(Algorithm::Sha1, Digits::Eight);
            let code = totp.code_at(now);
            prop_assert_eq!(totp.check(code.as_bytes(), now), Check::Accepted);
            prop_assert_eq!(totp.check(code.as_bytes(), now), Check::Used);
        }
    }
}
