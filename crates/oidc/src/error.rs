//! What goes wrong between this machine and a provider.

use std::fmt;

/// The most of a provider's own words that an error repeats, in characters.
const WORDS: usize = 200;

/// What was attempted at a provider, where, and why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    attempt: &'static str,
    place: String,
    reason: String,
    is_passing: bool,
}

impl Error {
    pub(crate) fn new(attempt: &'static str, place: &str, reason: impl fmt::Display) -> Self {
        let reason = printable(&reason.to_string());
        Self { attempt, place: printable(place), reason, is_passing: false }
    }

    /// The same, of something that may be over the next time.
    pub(crate) fn passing(self) -> Self {
        Self { is_passing: true, ..self }
    }

    /// Whether it may be over the next time: nobody answered, or the provider was too busy.
    pub(crate) fn is_passing(&self) -> bool {
        self.is_passing
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} at {}: {}", self.attempt, self.place, self.reason)
    }
}

impl std::error::Error for Error {}

/// Why nobody has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The person declined, or the provider did in their place.
    #[error("the sign-in was declined at the provider")]
    Declined,
    /// Nobody signed in in time.
    #[error("nobody signed in before the code expired")]
    Expired,
    /// The provider does not do its part, or what it says cannot be relied on.
    #[error("{0}")]
    Unusable(#[from] Error),
}

/// So much of a text, and nothing in it that moves a terminal's cursor.
pub(crate) fn printable(text: &str) -> String {
    let shown = text.chars().take(WORDS);
    shown.map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_why_in_printable_words() {
        let error = Error::new("get the keys", "https://a.b", "it said \u{1b}[2J\u{202e}");
        assert_eq!(error.to_string(), "cannot get the keys at https://a.b: it said ?[2J?");
        let long = Error::new("x", "y", "z".repeat(9999)).to_string();
        assert!(long.len() < 250, "{long}");
    }
}
