//! The program under test, started with an environment of its own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the program said, and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `forebear` with these arguments and variables and no others.
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
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
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

    /// It ended so, printed nothing and said all of this.
    #[track_caller]
    pub(crate) fn refused(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "it said\n{}", self.err);
        for part in parts {
            assert!(self.err.contains(part), "{part:?} is not in\n{}", self.err);
        }
    }
}

/// The samples of the format, one a line, in the order in which they happened.
pub(crate) fn samples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/samples");
    let mut lines: Vec<(u64, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            (value["seq"].as_u64().unwrap(), value.to_string())
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}
