//! The dialogue of a login: e-mail, method, code; again after a mistake, and no more after some.
//!
//! A state machine without time of its own: an answer goes in, what comes next goes out, with how
//! long to wait before it. The caller asks, waits, and bounds how long a person may take; it also
//! sends people to a provider and tells what that came to (`provider.rs`).
//!
//! Invariants:
//! - Somebody who does not know a code cannot tell an account that is enrolled from one that is
//!   not, is revoked or does not exist: the same words, the same lists, the same delays, and the
//!   same work. Where there is no code to check, one of nobody's is checked, and everybody is
//!   offered the provider, if there is one.
//! - It ends: every answer leads on, or is a failed attempt, and those are counted.
//! - What was typed is not kept, but for an e-mail address. It is in no reason and no `Debug`
//!   output, because people type passwords into the wrong line.

use std::fmt;
use std::time::Duration;

use crate::account::{Account, Accounts};
use crate::backup::BackupCodes;
use crate::name::{Email, Role};
use crate::secret::Secret;
use crate::totp::{Algorithm, Digits, PERIOD, Totp};
use crate::{Check, UnixSeconds};

mod provider;

pub use provider::{AtProvider, SignIn};

/// More than any answer that can be right.
const MAX_ANSWER: usize = 320;

/// Said after a failed attempt, whatever is wrong with account, code or person.
const FAILED: &str = "That is not right.";

/// How somebody can prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A code of an authenticator.
    Totp,
    /// A backup code.
    Backup,
    /// A sign-in at a provider, on another device.
    Oidc,
}

impl Method {
    /// As it stands in events and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Backup => "backup",
            Self::Oidc => "oidc",
        }
    }

    /// For the list that a person chooses from.
    fn title(self) -> &'static str {
        match self {
            Self::Totp => "Code from your authenticator app",
            Self::Backup => "Backup code",
            Self::Oidc => "Sign in with your organisation",
        }
    }
}

/// What an account that is not there is asked for: what enrolment gives.
const OF_NOBODY: [Method; 2] = [Method::Totp, Method::Backup];

/// How much a login may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failed attempts after which it is refused; 0 counts as 1.
    pub attempts: u32,
    /// The wait after the first failed attempt; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (first_wait, longest_wait) = (Duration::from_secs(1), Duration::from_secs(8));
        Self { attempts: 3, first_wait, longest_wait }
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Printable text and newlines; it ends where the answer begins.
    pub text: String,
    /// Whether the terminal may show what is typed.
    pub is_echoed: bool,
}

/// Why an attempt failed: for the record, never for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such account.
    UnknownAccount,
    /// The account was ended.
    RevokedAccount,
    /// The account cannot do what was chosen: it is not enrolled.
    NotEnrolled,
    /// Not the code.
    WrongCode,
    /// A code that was used before.
    UsedCode,
    /// Not a number of the list.
    WrongChoice,
    /// Nothing, or more than any answer has.
    NoAnswer,
    /// Whoever signed in at the provider is another person than was named.
    OtherPerson,
    /// The sign-in at the provider was declined.
    Declined,
    /// Nobody signed in at the provider in time.
    Expired,
    /// The provider does not do its part.
    NoProvider,
    /// The dialogue had ended before.
    Over,
}

impl Reason {
    /// What the person is told: the same for everything that only somebody who knows the account
    /// could tell apart.
    fn words(self) -> &'static str {
        match self {
            Self::Declined => "The sign-in was declined.",
            Self::Expired => "Nobody signed in in time.",
            Self::NoProvider => "Your organisation's sign-in does not work now.",
            _ => FAILED,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAccount => "there is no such account",
            Self::RevokedAccount => "the account is revoked",
            Self::NotEnrolled => "the account is not enrolled for this method",
            Self::WrongCode => "the code is wrong",
            Self::UsedCode => "the code was used before",
            Self::WrongChoice => "the choice is not in the list",
            Self::NoAnswer => "the answer is empty or too long",
            Self::OtherPerson => "somebody else signed in at the provider",
            Self::Declined => "the sign-in at the provider was declined",
            Self::Expired => "nobody signed in at the provider in time",
            Self::NoProvider => "the provider cannot be used",
            Self::Over => "the dialogue had ended",
        })
    }
}

/// An attempt that failed, for the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Whose it claimed to be, if that had the form of an address.
    pub email: Option<Email>,
    /// What was chosen, if it came to that.
    pub method: Option<Method>,
    /// Why it failed.
    pub reason: Reason,
    /// Which one it was, from 1.
    pub number: u32,
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The account.
    pub email: Email,
    /// Its roles.
    pub roles: Vec<Role>,
    /// How it was proved.
    pub method: Method,
    /// Which attempt it was, from 1.
    pub attempt: u32,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A question, and the attempt that failed by the last answer.
    Ask {
        /// The question.
        prompt: Prompt,
        /// How long to wait before it is asked.
        wait: Duration,
        /// What to record.
        failed: Option<Attempt>,
    },
    /// The person is to sign in at the provider; [`Dialogue::told`] takes what that came to.
    Provider,
    /// It is known who it is.
    Verified(Verified),
    /// It is not, and no more is asked.
    Refused {
        /// What the person is told.
        text: String,
        /// How long to wait before that.
        wait: Duration,
        /// What to record.
        failed: Attempt,
    },
}

/// What the next answer is to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Email,
    Choice(Vec<Method>),
    Code(Method),
    Provider,
    Over,
}

/// One login.
#[derive(Debug)]
pub struct Dialogue {
    limits: Limits,
    at_provider: AtProvider,
    state: State,
    /// What was given as e-mail, if it is an address; kept for the next attempt.
    email: Option<Email>,
    failed: u32,
    /// What is checked where there is nothing to check.
    nobody: (Totp, BackupCodes),
}

impl Dialogue {
    /// A login that has not been asked anything.
    pub fn new(limits: Limits) -> Self {
        let nobody = (totp_of_nobody(), BackupCodes::of_nobody());
        let at_provider = AtProvider::Nobody;
        Self { limits, at_provider, state: State::Email, email: None, failed: 0, nobody }
    }

    /// The same, where these may sign in at a provider.
    pub fn with_provider(self, at_provider: AtProvider) -> Self {
        Self { at_provider, ..self }
    }

    /// Whose code the next answer is taken for, if it is one and they have a name.
    pub fn code_of(&self) -> Option<&Email> {
        let is_code = matches!(self.state, State::Code(_));
        self.email.as_ref().filter(|_| is_code)
    }

    /// Who was named last, if that is an address.
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    /// The question that is open.
    pub fn prompt(&self) -> Prompt {
        let (text, is_echoed) = match (&self.state, &self.email) {
            (State::Email, Some(email)) => (format!("E-mail [{email}]: "), true),
            (State::Email, None) => ("E-mail: ".to_owned(), true),
            (State::Choice(methods), _) => (choices(methods), true),
            (State::Code(Method::Totp), _) => ("Code: ".to_owned(), false),
            (State::Code(_), _) => ("Backup code: ".to_owned(), false),
            (State::Provider | State::Over, _) => (String::new(), false),
        };
        Prompt { text, is_echoed }
    }

    /// Takes an answer. A code that is right is marked used in `accounts`, so what it returns is
    /// worth nothing before they are kept: see [`Store::update`](crate::Store::update).
    ///
    /// `now` is the wall clock's. A backup code costs a hash of [`Cost::NEW`](crate::Cost::NEW).
    pub fn answer(&mut self, answer: &[u8], accounts: &mut Accounts, now: UnixSeconds) -> Step {
        if answer.len() > MAX_ANSWER {
            return self.fail(None, Reason::NoAnswer);
        }
        match self.state.clone() {
            State::Email => self.take_email(answer, accounts),
            State::Choice(methods) => self.take_choice(answer, &methods),
            State::Code(method) => self.take_code(answer, method, accounts, now),
            // It has to be told first.
            State::Provider => self.fail(Some(Method::Oidc), Reason::NoAnswer),
            State::Over => self.fail(None, Reason::Over),
        }
    }

    fn take_email(&mut self, answer: &[u8], accounts: &Accounts) -> Step {
        match answer.trim_ascii() {
            // Only the return key: the one in brackets.
            [] if self.email.is_some() => {}
            [] => return self.fail(None, Reason::NoAnswer),
            typed => {
                self.email = std::str::from_utf8(typed).ok().and_then(|text| text.parse().ok())
            }
        }
        let account = self.email.as_ref().and_then(|email| accounts.get(email));
        let mut methods = methods(account);
        methods.extend((self.at_provider != AtProvider::Nobody).then_some(Method::Oidc));
        self.state = match methods.as_slice() {
            [only] => State::Code(*only),
            several => State::Choice(several.to_vec()),
        };
        self.ask(Duration::ZERO, None)
    }

    fn take_choice(&mut self, answer: &[u8], methods: &[Method]) -> Step {
        let number = std::str::from_utf8(answer.trim_ascii()).ok();
        let number = number.and_then(|text| text.parse::<usize>().ok());
        match number.and_then(|number| methods.get(number.checked_sub(1)?)) {
            Some(Method::Oidc) => {
                self.state = State::Provider;
                Step::Provider
            }
            Some(method) => {
                self.state = State::Code(*method);
                self.ask(Duration::ZERO, None)
            }
            None => self.fail(None, Reason::WrongChoice),
        }
    }

    fn take_code(
        &mut self,
        answer: &[u8],
        method: Method,
        accounts: &mut Accounts,
        now: UnixSeconds,
    ) -> Step {
        let mut account = self.email.as_ref().and_then(|email| accounts.get_mut(email));
        let given = match (method, account.as_deref_mut()) {
            (Method::Totp, Some(Account { totp: Some(totp), .. })) => Some(totp.check(answer, now)),
            (Method::Backup, Some(Account { backup: Some(codes), .. })) => {
                Some(codes.check(answer))
            }
            // The same work, for nothing.
            (Method::Totp, _) => {
                self.nobody.0.check(answer, now);
                None
            }
            _ => {
                self.nobody.1.check(answer);
                None
            }
        };
        let reason = match (account, given) {
            (None, _) => Reason::UnknownAccount,
            (Some(account), _) if account.is_revoked => Reason::RevokedAccount,
            (Some(account), Some(Check::Accepted)) => {
                self.state = State::Over;
                return Step::Verified(Verified {
                    email: account.email.clone(),
                    roles: account.roles.iter().cloned().collect(),
                    method,
                    attempt: self.failed + 1,
                });
            }
            (Some(_), Some(Check::Used)) => Reason::UsedCode,
            (Some(_), Some(Check::Wrong)) => Reason::WrongCode,
            (Some(_), None) => Reason::NotEnrolled,
        };
        self.fail(Some(method), reason)
    }

    /// An attempt has failed: from the beginning, or no more.
    fn fail(&mut self, method: Option<Method>, reason: Reason) -> Step {
        let is_over = self.state == State::Over;
        self.failed = self.failed.saturating_add(u32::from(!is_over));
        let number = self.failed;
        let failed = Attempt { email: self.email.clone(), method, reason, number };
        let doubled = 1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = self.limits.first_wait.saturating_mul(doubled).min(self.limits.longest_wait);
        if is_over || number >= self.limits.attempts {
            self.state = State::Over;
            let text = format!("{} Access is refused.", reason.words());
            return Step::Refused { text, wait, failed };
        }
        self.state = State::Email;
        self.ask(wait, Some(failed))
    }

    fn ask(&self, wait: Duration, failed: Option<Attempt>) -> Step {
        let mut prompt = self.prompt();
        if let Some(failed) = &failed {
            prompt.text.insert_str(0, &format!("{} Try again.\n", failed.reason.words()));
        }
        Step::Ask { prompt, wait, failed }
    }
}

/// What an account can be asked for here; of one that has nothing, the same as of one that has all.
/// Codes that are used up are asked for too, so that the list tells nothing.
fn methods(account: Option<&Account>) -> Vec<Method> {
    let has = |method: &Method| match (method, account) {
        (Method::Totp, Some(account)) => account.totp.is_some(),
        (Method::Backup, Some(account)) => account.backup.is_some(),
        (Method::Oidc, _) | (_, None) => false,
    };
    let methods: Vec<Method> = OF_NOBODY.into_iter().filter(has).collect();
    if methods.is_empty() { OF_NOBODY.to_vec() } else { methods }
}

fn choices(methods: &[Method]) -> String {
    let mut text = "How do you want to show who you are?\n".to_owned();
    for (place, method) in methods.iter().enumerate() {
        text.push_str(&format!("  {}  {}\n", place + 1, method.title()));
    }
    text.push_str("Number: ");
    text
}

/// An authenticator that nobody has.
pub(crate) fn totp_of_nobody() -> Totp {
    let secret = Secret::new(vec![0; Algorithm::Sha1.secret_bytes()]);
    let (algorithm, digits) = (Algorithm::Sha1, Digits::Six);
    Totp { secret, algorithm, digits, period: PERIOD, last_step: None }
}

#[cfg(test)]
mod tests;
