//! The live sensor on the running kernel, against real processes.
//!
//! Needs root. Each test attaches its own programs and watches its own children; whatever else
//! the machine does meanwhile is ignored. The children's deeds are in this same binary (see
//! [`deeds`]), so they are always as new as the tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test ends where it fails, and says why it was not run"
)]

mod argv;
mod deeds;
mod files;
mod loss;
mod peer;
mod processes;
mod shells;
mod snapshot;
mod streams;
mod watch;
