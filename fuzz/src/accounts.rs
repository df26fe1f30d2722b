//! The store of accounts, as text.
//!
//! Promises: no text makes the reader panic; every problem is of a line that exists; what is read
//! is written as the same accounts again.

use forebear_identity::{MAX_ACCOUNTS, TextError, read, write};

/// Reads a store.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match read(text) {
        Ok(accounts) => {
            assert!(accounts.len() <= MAX_ACCOUNTS);
            assert_eq!(read(&write(&accounts)), Ok(accounts));
        }
        Err(TextError::Newer(version)) => assert!(version > forebear_identity::VERSION),
        Err(TextError::Problems(problems)) => {
            assert!(!problems.is_empty(), "refused without a reason");
            let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
            for problem in problems {
                assert!((1..=lines).contains(&problem.line), "{problem:?} of {lines} lines");
            }
        }
    }
}
