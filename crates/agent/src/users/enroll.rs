//! `users enroll`: new secrets, kept in the store and then shown once.
//!
//! Invariant: nothing is changed before it is clear that somebody will see what is shown.

use std::io::{self, IsTerminal, Write};

use forebear_identity::{AccountsError, Algorithm, Digits, Email, Enrolment, Store, qr};

use super::explain;
use crate::failure::{self, Failure};
use crate::talk::say;

/// Backup codes on one line of the sheet.
const ON_A_LINE: usize = 5;
/// The secret is shown in groups of so many characters.
const GROUP: usize = 4;

/// What kind of codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    algorithm: Algorithm,
    digits: Digits,
}

impl Form {
    pub(super) fn new(is_sha256: bool, digits: u8) -> Result<Self, Failure> {
        let algorithm = if is_sha256 { Algorithm::Sha256 } else { Algorithm::Sha1 };
        let digits = match digits {
            6 => Digits::Six,
            8 => Digits::Eight,
            _ => return Err(Failure::usage("--digits: codes have 6 or 8 digits")),
        };
        Ok(Self { algorithm, digits })
    }
}

/// Enrols an account.
pub(super) fn run(
    store: &Store,
    email: &Email,
    form: Form,
    replaces: bool,
    to_any_stdout: bool,
) -> Result<(), Failure> {
    let stdout = io::stdout();
    if !stdout.is_terminal() && !to_any_stdout {
        let what = "not enrolled: standard output is no terminal, and what is shown are secrets";
        return Err(Failure::usage(what).remedy("run it on a terminal, or give --stdout"));
    }
    let enrolment = Enrolment::new(form.algorithm, form.digits)
        .map_err(|error| Failure::environment(error.to_string()))?;
    let was_enrolled = store.update(|accounts| {
        let was_enrolled = accounts.get(email).is_some_and(|account| account.is_enrolled());
        if was_enrolled && !replaces {
            let what = format!("{email} is enrolled already");
            let remedy = "if the telephone is lost: --replace; what it had then ends";
            return Err(Failure::usage(what).remedy(remedy));
        }
        let enrolled = accounts.enrol(email, enrolment.totp.clone(), enrolment.backup.clone());
        enrolled.map_err(|error: AccountsError| explain(&error, accounts))?;
        Ok(was_enrolled)
    })?;
    if was_enrolled {
        say(format_args!("the earlier secret and backup codes of {email} have ended"));
    }
    let columns = rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col));
    show(&mut stdout.lock(), email, &enrolment, columns).map_err(|error| {
        let what = format!("{email} is enrolled, but it could not be shown");
        Failure::unfinished(format!("{what}: {}", failure::reason(&error)))
            .remedy("nobody has it: enrol again with --replace")
    })
}

/// Shows everything, for a terminal of so many columns if it is one.
fn show(
    to: &mut impl Write,
    email: &Email,
    enrolment: &Enrolment,
    columns: Option<usize>,
) -> io::Result<()> {
    let url = enrolment.url(email);
    let code = qr(&url);
    let width =
        code.as_deref().and_then(|code| code.lines().next()).map_or(0, |line| line.chars().count());
    match code {
        // A line that is broken by the terminal makes the code unreadable.
        Some(code) if columns.is_none_or(|columns| columns == 0 || columns >= width) => {
            writeln!(to, "Scan this with the authenticator app of {email}:\n\n{}", *code)?;
        }
        _ => {
            writeln!(to, "A QR code needs {width} columns, and the terminal has fewer.\n")?;
        }
    }
    writeln!(to, "Or open this on the telephone:\n\n  {}\n", *url)?;
    let totp = &enrolment.totp;
    let (algorithm, digits) = (totp.algorithm.name(), totp.digits.number());
    writeln!(to, "Or type the secret: {algorithm}, {digits} digits, every {} s\n", totp.period)?;
    let secret = totp.secret.to_base32();
    write!(to, " ")?;
    for group in secret.as_bytes().chunks(GROUP) {
        to.write_all(b" ")?;
        to.write_all(group)?;
    }
    writeln!(to, "\n\nBackup codes, each for one login without the telephone:\n")?;
    for line in enrolment.codes.chunks(ON_A_LINE) {
        for code in line {
            write!(to, "  {}", **code)?;
        }
        writeln!(to)?;
    }
    writeln!(to, "\nThis is shown once. Clear the screen when the person has it.")?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sheet on a terminal of so many columns, and what it is of.
    fn sheet(columns: Option<usize>) -> (String, Enrolment) {
        let enrolment = Enrolment::new(Algorithm::Sha256, Digits::Eight).unwrap();
        let mut bytes = Vec::new();
        show(&mut bytes, &"ada@example.com".parse().unwrap(), &enrolment, columns).unwrap();
        (String::from_utf8(bytes).unwrap(), enrolment)
    }

    #[test]
    fn the_sheet_has_everything_that_a_person_needs() {
        for columns in [None, Some(0), Some(80)] {
            let (sheet, enrolment) = sheet(columns);
            let email = "ada@example.com".parse().unwrap();
            for part in [enrolment.url(&email), qr(&enrolment.url(&email)).unwrap()] {
                assert!(sheet.contains(&*part), "{sheet}");
            }
            let plain = sheet.replace(' ', "");
            assert!(plain.contains(&*enrolment.totp.secret.to_base32()), "{sheet}");
            assert!(enrolment.codes.iter().all(|code| sheet.contains(&**code)), "{sheet}");
            assert!(sheet.contains("SHA256, 8 digits, every 30 s"), "{sheet}");
        }
    }

    #[test]
    fn a_terminal_that_would_break_the_code_does_not_get_it() {
        let (sheet, _) = sheet(Some(40));
        assert!(!sheet.contains('█'), "{sheet}");
        assert!(sheet.contains("and the terminal has fewer"), "{sheet}");
    }

    #[test]
    fn seven_digits_are_refused() {
        assert!(Form::new(false, 7).is_err());
    }
}
