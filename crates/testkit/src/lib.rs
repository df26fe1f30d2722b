//! A private machine to log in to, the agent under test, and expectations of its events.
//!
//! Conventions:
//! - Everything started here is stopped when its owner is dropped, also by a failing test.
//! - Whatever goes wrong in here is a failed test, so functions panic with a text that says what
//!   was attempted, and return no errors.
//! - Nothing waits for a fixed time: [`wait`] polls a condition with a deadline, and is the only
//!   place that pauses.
//! - The system keeps its configuration, except for a test user and, where a test wants sudo, one
//!   file in `/etc/sudoers.d`; both are removed again, and by the next test if this one was
//!   killed.
//!
//! Invariant: no code of the product is used here. The agent is a program that is run and whose
//! output is read with this crate's own strict eyes.

pub mod account;
pub mod agent;
pub mod authority;
#[cfg(feature = "bucket")]
pub mod bucket;
pub mod deed;
pub mod event;
pub mod expect;
pub mod means;
pub mod must;
pub mod pam;
pub mod process;
pub mod provider;
pub mod recording;
pub mod scene;
pub mod shell_copy;
#[cfg(feature = "mount")]
pub mod silent_mount;
pub mod ssh;
pub mod sshd;
pub mod stream;
pub mod sudo;
pub mod terminal;
pub mod wait;

pub use event::Event;
pub use expect::Expect;
pub use must::Must;
