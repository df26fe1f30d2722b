//! Who somebody is: accounts with their one-time codes, the dialogue that asks for them, and the
//! frames that carry it between a login and the agent.
//!
//! # Conventions
//! - No clock is read and nothing waits: the time comes in as [`UnixSeconds`], and how long to
//!   wait goes out as a [`Duration`](std::time::Duration). No threads are made.
//! - Only [`Store`] touches files, and only [`Enrolment`] and what it is made of ask the system
//!   for randomness.
//! - A secret is overwritten when it is dropped, is compared in constant time, and is in no
//!   `Debug` output and in no error.
//! - What cannot be decided is refused.
//! - The feature `accounts` has all but [`wire`].
//!
//! Deliberately not here: sockets, processes, sessions, policies, and what an event looks like.

#![forbid(unsafe_code)]

#[cfg(feature = "accounts")]
mod account;
#[cfg(feature = "accounts")]
mod backup;
#[cfg(feature = "accounts")]
mod dialogue;
#[cfg(feature = "accounts")]
mod enrol;
#[cfg(feature = "accounts")]
mod file;
#[cfg(feature = "accounts")]
mod name;
#[cfg(feature = "accounts")]
mod secret;
#[cfg(feature = "accounts")]
mod store;
#[cfg(feature = "accounts")]
mod text;
#[cfg(feature = "accounts")]
mod totp;
pub mod wire;

#[cfg(feature = "accounts")]
pub use account::{Account, Accounts, AccountsError, MAX_ACCOUNTS, MAX_ROLES};
#[cfg(feature = "accounts")]
pub use backup::{BackupCodes, CODES, Cost};
#[cfg(feature = "accounts")]
pub use dialogue::{Attempt, Dialogue, Limits, Method, Prompt, Reason, Step, Verified};
#[cfg(feature = "accounts")]
pub use enrol::{Enrolment, NoRandomness, qr};
#[cfg(feature = "accounts")]
pub use name::{Email, NameError, Role};
#[cfg(feature = "accounts")]
pub use secret::Secret;
#[cfg(feature = "accounts")]
pub use store::{Store, StoreError};
#[cfg(feature = "accounts")]
pub use text::{MAX_BYTES, Problem, TextError, VERSION, read, write};
#[cfg(feature = "accounts")]
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
