//! The program under test, started with an environment of its own, and what it said.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test has its part; a helper of a test fails as the test does"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What the program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `forebear` with these arguments. It sees these variables and no others, so that no
/// credentials of the machine are found.
pub(crate) fn forebear(arguments: &[&str], variables: BTreeMap<String, String>) -> Said {
    told(arguments, variables, "")
}

/// As [`forebear`], with this on standard input.
pub(crate) fn told(arguments: &[&str], variables: BTreeMap<String, String>, input: &str) -> Said {
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_forebear"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .envs(variables)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that ends without reading its input is no failure of the test.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// It ended so and printed exactly this, and said nothing.
    #[track_caller]
    pub(crate) fn printed(&self, code: i32, out: &str) {
        assert_eq!((self.code, self.err.as_str()), (Some(code), ""), "it printed\n{}", self.out);
        assert_eq!(self.out, out);
    }

    /// It ended so and printed all of this, and said nothing.
    #[track_caller]
    pub(crate) fn found(&self, code: i32, parts: &[&str]) {
        self.ended(code);
        assert_eq!(self.err, "", "it printed\n{}", self.out);
        for part in parts {
            assert!(self.out.contains(part), "{part:?} is not in\n{}", self.out);
        }
    }

    /// It ended so, printed nothing and said all of this.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        self.ended(code);
        assert_eq!(self.out, "", "it said\n{}", self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in\n{}", self.err);
        }
    }

    /// As [`Said::refused`], on one line.
    #[track_caller]
    pub(crate) fn refused_in_a_line(&self, code: i32, parts: &[&str]) {
        self.refused(code, parts);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
    }

    /// The one JSON object that it printed.
    #[track_caller]
    pub(crate) fn report(&self, code: i32) -> Value {
        self.ended(code);
        assert_eq!(self.out.lines().count(), 1, "{}", self.out);
        serde_json::from_str(&self.out).unwrap()
    }

    #[track_caller]
    fn ended(&self, code: i32) {
        assert_eq!(self.code, Some(code), "it printed\n{}\nand said\n{}", self.out, self.err);
    }
}
