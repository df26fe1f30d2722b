//! The protocol of the identity socket, both sides: a login asks the agent who somebody is, and
//! shows them what the agent asks.
//!
//! The agent decides everything; a login only relays. So what runs inside sshd and login(1) is
//! small, holds no secret but the answer of the moment, and need not be replaced when a method is
//! added.
//!
//! ```text
//! login -> agent   Hello   who the login is for, for the record only
//! agent -> login   Ask     show this, and read an answer, echoed or not
//! login -> agent   Answer | Mute   what was typed, or that there is nobody to ask
//! agent -> login   Tell    show this
//! agent -> login   Granted | Denied   the end
//! ```
//!
//! A frame is a version (1 byte), a kind (1 byte), a length (2 bytes, big-endian) and so many bytes,
//! at most [`MAX_PAYLOAD`] of the agent and [`MAX_FROM_LOGIN`] of a login. Whatever one side sends
//! and the other would refuse is another version. Text is UTF-8 without control characters but line feeds.
//!
//! Invariants: no byte from the other side makes this allocate, panic or wait without bound (the
//! stream's own timeouts count), and an answer is overwritten when it is done with.

#![forbid(unsafe_code)]

mod ask;
mod frame;
mod message;
mod options;

pub use ask::{Asked, Terminal, ask};
pub use frame::{Error, Frame, MAX_FROM_LOGIN, MAX_PAYLOAD, VERSION};
pub use message::{FromAgent, Hello, ToAgent};
pub use options::{DESCRIBED, Described, Options, Unavailable};

/// Where the agent listens unless it is told otherwise.
pub const SOCKET: &str = "/run/forebear/identity.sock";
