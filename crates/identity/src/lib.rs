//! Who somebody is: accounts with their one-time codes, and the dialogue that asks for them.
//!
//! # Conventions
//! - No clock is read and nothing waits: the time comes in as [`UnixSeconds`], and how long to
//!   wait goes out as a [`Duration`](std::time::Duration). No threads are made.
//! - Only [`Store`] and [`Private`] touch files, and only [`Enrolment`] and what it is made of ask the system
//!   for randomness.
//! - A secret is overwritten when it is dropped, is compared in constant time, and is in no
//!   `Debug` output and in no error.
//! - What cannot be decided is refused.
//!
//! Deliberately not here: sockets, processes, sessions, policies, and what an event looks like.

#![forbid(unsafe_code)]

mod account;
mod backup;
mod dialogue;
mod enrol;
mod file;
mod name;
mod private;
mod secret;
mod store;
mod text;
mod totp;

pub use account::{Account, Accounts, AccountsError, MAX_ACCOUNTS, MAX_ROLES};
pub use backup::{BackupCodes, CODES, Cost};
pub use dialogue::{
    AtProvider, Attempt, Dialogue, Limits, Method, Prompt, Reason, SignIn, Step, Verified,
};
pub use enrol::{Enrolment, NoRandomness, qr};
pub use name::{Email, NameError, Role};
pub use private::{Private, PrivateError};
pub use secret::Secret;
pub use store::{Store, StoreError};
pub use text::{MAX_BYTES, Problem, TextError, VERSION, read, write};
pub use totp::{Algorithm, Digits, Totp};

/// Seconds since 1970, by the wall clock that the person's telephone has too.
pub type UnixSeconds = u64;

/// What checking a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is right, and is now used.
    Accepted,
    /// It would have been right once, and has been used, or is older than one that was.
    Used,
    /// It is not right.
    Wrong,
}
