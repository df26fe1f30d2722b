//! Enrolment: a new authenticator and new backup codes, in forms that people can take along.
//!
//! Invariant: what is shown exists here only, once; the store keeps the secret of the
//! authenticator, because codes are computed from it, and of the backup codes only hashes.

use std::fmt::{self, Write as _};

use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::backup::BackupCodes;
use crate::name::Email;
use crate::secret::Secret;
use crate::totp::{Algorithm, Digits, PERIOD, Totp};

/// Who the authenticator says that the code is for.
const ISSUER: &str = "forebear";

/// Light modules around a QR code: ISO/IEC 18004 wants four.
const QUIET: i32 = 4;

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a new secret: the system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

/// What an account gets, and what the person is shown once.
pub struct Enrolment {
    /// The authenticator, for the store.
    pub totp: Totp,
    /// The hashes of the backup codes, for the store.
    pub backup: BackupCodes,
    /// The backup codes, for the person.
    pub codes: Vec<Zeroizing<String>>,
}

impl Enrolment {
    /// A new one. It takes as long as ten checks of a backup code.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn new(algorithm: Algorithm, digits: Digits) -> Result<Self, NoRandomness> {
        let secret = Secret::random(algorithm.secret_bytes())?;
        let totp = Totp { secret, algorithm, digits, period: PERIOD, last_step: None };
        let (backup, codes) = BackupCodes::generate()?;
        Ok(Self { totp, backup, codes })
    }

    /// The URL that authenticators read.
    pub fn url(&self, email: &Email) -> Zeroizing<String> {
        let Totp { secret, algorithm, digits, period, .. } = &self.totp;
        // More than the longest is, so that no copy is left behind by growing.
        let mut url = Zeroizing::new(String::with_capacity(1200));
        let _ = write!(url, "otpauth://totp/{ISSUER}:");
        for byte in email.as_str().bytes() {
            // What RFC 3986, 2.3, calls unreserved.
            let _ = match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                true => write!(url, "{}", char::from(byte)),
                false => write!(url, "%{byte:02X}"),
            };
        }
        let _ = write!(url, "?secret={}&issuer={ISSUER}", *secret.to_base32());
        let (algorithm, digits) = (algorithm.name(), digits.number());
        let _ = write!(url, "&algorithm={algorithm}&digits={digits}&period={period}");
        url
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment(..)")
    }
}

/// A text as a QR code in lines of half blocks. Light modules are drawn and dark ones left blank,
/// so it is right on a dark terminal; most cameras read the reverse too. `None` if the text is
/// longer than a code can be.
pub fn qr(text: &str) -> Option<Zeroizing<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = i32::try_from(code.width()).ok()?;
    let is_light = |x: i32, y: i32| {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return true };
        x >= code.width() || y >= code.width() || code[(x, y)] == Color::Light
    };
    let size = usize::try_from(width + 2 * QUIET).ok()?;
    let mut lines = Zeroizing::new(String::with_capacity(size * size * 2));
    for y in (-QUIET..width + QUIET).step_by(2) {
        for x in -QUIET..width + QUIET {
            lines.push(match (is_light(x, y), is_light(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        lines.push('\n');
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email() -> Email {
        "ada+x%y@example.com".parse().unwrap()
    }

    #[test]
    fn the_url_is_in_the_form_of_key_uris() {
        let mut enrolment = Enrolment::new(Algorithm::Sha256, Digits::Eight).unwrap();
        enrolment.totp.secret = Secret::new(b"12345678901234567890".to_vec());
        assert_eq!(
            *enrolment.url(&email()),
            "otpauth://totp/forebear:ada%2Bx%25y%40example.com?\
             secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=forebear\
             &algorithm=SHA256&digits=8&period=30"
        );
    }

    #[test]
    fn every_enrolment_is_another_and_as_long_as_its_hash() {
        let one = Enrolment::new(Algorithm::Sha1, Digits::Six).unwrap();
        let two = Enrolment::new(Algorithm::Sha1, Digits::Six).unwrap();
        assert_ne!(one.totp.secret, two.totp.secret);
        assert_ne!(one.codes, two.codes);
        assert_eq!(one.totp.secret.expose().len(), 20);
        let sha256 = Enrolment::new(Algorithm::Sha256, Digits::Six).unwrap();
        assert_eq!(sha256.totp.secret.expose().len(), 32);
    }

    #[test]
    fn a_camera_reads_the_url_from_the_terminal() {
        let url = Enrolment::new(Algorithm::Sha256, Digits::Eight).unwrap().url(&email());
        let drawn = qr(&url).unwrap();
        // What a camera sees of it: each character is a cell of two by four points.
        let cells: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let (width, height) = (cells[0].len() * 4, cells.len() * 8);
        let light = |x: usize, y: usize| {
            let is_upper = y % 8 < 4;
            match cells[y / 8][x / 4] {
                '█' => true,
                '▀' => is_upper,
                '▄' => !is_upper,
                _ => false,
            }
        };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            if light(x, y) { 255 } else { 0 }
        });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        assert_eq!(grids[0].decode().unwrap().1, *url);
        assert!(cells.iter().all(|line| line.len() == cells[0].len()));
    }

    #[test]
    fn what_is_too_long_for_a_code_is_none() {
        assert_eq!(qr(&"x".repeat(5000)), None);
    }

    #[test]
    fn an_enrolment_is_not_in_its_debug_output() {
        let enrolment = Enrolment::new(Algorithm::Sha1, Digits::Six).unwrap();
        assert_eq!(format!("{enrolment:?}"), "Enrolment(..)");
    }
}
