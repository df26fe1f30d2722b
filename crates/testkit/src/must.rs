//! Failing a test with a text that says what was attempted.

use std::fmt::{Debug, Display};

/// Takes the value of a step that has to succeed.
pub trait Must<T> {
    /// The value; panics with "cannot `what`" and the reason.
    fn must(self, what: impl Display) -> T;
}

impl<T, E: Debug + Display> Must<T> for Result<T, E> {
    #[track_caller]
    fn must(self, what: impl Display) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("cannot {what}: {error}"),
        }
    }
}

impl<T> Must<T> for Option<T> {
    #[track_caller]
    fn must(self, what: impl Display) -> T {
        match self {
            Some(value) => value,
            None => panic!("cannot {what}: there is none"),
        }
    }
}
