//! `forebear verify` as a program: what was done to a place full of events, and what it says of it.
//!
//! The walk itself is tested where it is (`forebear-archive`); here it is the exit code, the words
//! on standard output and standard error, and that they are what a person can act upon.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "verify/bucket.rs"]
mod bucket;
#[path = "verify/folder.rs"]
mod folder;
#[path = "verify/host.rs"]
mod host;
#[path = "support/program.rs"]
mod program;
#[path = "verify/selection.rs"]
mod selection;

use std::collections::BTreeMap;

use program::{Said, forebear};

/// Runs `forebear verify`.
fn verify(arguments: &[&str], variables: BTreeMap<String, String>) -> Said {
    forebear(&[&["verify"], arguments].concat(), variables)
}
