//! An error on its way to the person: what was attempted, on what, why it failed, what to do;
//! and the exit code that it ends the program with.
//!
//! Inside, errors travel as [`anyhow::Error`]; one that is not a [`Failure`] is an internal one.

use std::fmt;

use crate::exit::Exit;

/// An error whose exit code is known.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    /// What was attempted, on what, and why it failed.
    what: String,
    /// What to do about it.
    remedy: Option<String>,
}

impl Failure {
    /// Wrong usage: exit 2.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into(), remedy: None }
    }

    /// The machine does not allow it: exit 3.
    pub fn environment(what: impl Into<String>) -> Self {
        Self { exit: Exit::Environment, what: what.into(), remedy: None }
    }

    /// It could not be finished: exit 4.
    pub fn unfinished(what: impl Into<String>) -> Self {
        Self { exit: Exit::Internal, what: what.into(), remedy: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The exit code of any error.
    pub fn exit_of(error: &anyhow::Error) -> Exit {
        error.downcast_ref::<Self>().map_or(Exit::Internal, |failure| failure.exit)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  {remedy}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// The error as it is shown, after `error:`.
pub fn render(error: &anyhow::Error) -> String {
    format!("error: {}", chain(error.as_ref()))
}

/// An error and its causes on one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
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

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_failure_keeps_its_exit_code_through_contexts() {
        let error = anyhow::Error::new(Failure::environment("no BTF").remedy("use a newer kernel"))
            .context("cannot record");
        assert_eq!(Failure::exit_of(&error), Exit::Environment);
        assert_eq!(render(&error), "error: cannot record: no BTF\n  use a newer kernel");
    }

    #[test]
    fn an_error_that_nobody_classified_is_internal() {
        let error =
            Err::<(), _>(std::io::Error::from_raw_os_error(5)).context("reading").unwrap_err();
        assert_eq!(Failure::exit_of(&error), Exit::Internal);
    }

    #[test]
    fn reasons_are_plain_words() {
        let reason = reason(&std::io::Error::from_raw_os_error(28));
        assert_eq!(reason, "no space left on device");
    }
}
