//! An error on its way to the person, and the exit code that it ends the program with.
//!
//! Inside, errors travel as [`anyhow::Error`]; one that is not a [`Failure`] is an internal one.

use std::fmt;

use crate::exit::Exit;

/// An error whose exit code is known: what was attempted, on what, why it failed, what to do.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: String,
}

impl Failure {
    /// An error of the person's making or finding: exit 2.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into() }
    }

    /// The environment does not allow it: exit 3.
    pub fn environment(what: impl Into<String>) -> Self {
        Self { exit: Exit::Environment, what: what.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// The exit code of any error.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    error.downcast_ref::<Failure>().map_or(Exit::Internal, |failure| failure.exit)
}

/// The error as it is shown: the chain of causes on one line, after `error:`.
pub fn render(error: &anyhow::Error) -> String {
    let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
    format!("error: {}", causes.join(": "))
}

/// The plain words for an I/O error, without Rust's `(os error 28)`.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = words.chars();
    match chars.next() {
        // "No such file" reads badly in the middle of a sentence.
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => text,
    }
}
