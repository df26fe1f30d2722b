//! The program under test, started with an environment of its own.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What the program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `forebear verify` with these arguments. It sees these variables and no others, so that no
/// credentials of the machine are found.
pub(crate) fn verify(arguments: &[&str], variables: BTreeMap<String, String>) -> Said {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_forebear"))
        .arg("verify")
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .envs(variables)
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Said {
    /// It ended so and said all of this on standard output, and nothing on standard error.
    #[track_caller]
    pub(crate) fn found(&self, code: i32, parts: &[&str]) {
        self.ended(code);
        assert_eq!(self.err, "", "it printed\n{}", self.out);
        for part in parts {
            assert!(self.out.contains(part), "{part:?} is not in\n{}", self.out);
        }
    }

    /// It could not look, ended so, and said all of this on standard error, on one line.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        self.ended(code);
        assert_eq!(self.out, "", "it said\n{}", self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
        assert_eq!(self.err.lines().count(), 1, "{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in\n{}", self.err);
        }
    }

    /// The report of `--json`.
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
