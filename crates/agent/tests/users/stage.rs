//! A folder with a store that does not exist yet, and the program run on it.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder of one test, for its owner alone.
pub(crate) struct Stage {
    folder: TempDir,
}

/// What the program said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        chmod(folder.path(), 0o700);
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The store, which `add` and `import` make with its folder.
    pub(crate) fn store(&self) -> PathBuf {
        self.path("identity/accounts.toml")
    }

    /// The arguments that stand before all others.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.args(["users", "--store"]).arg(self.store());
        command
    }

    /// Runs the program with nothing on standard input.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    /// Runs the program with a text on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program, which must succeed; gives what it printed.
    #[track_caller]
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        said.out
    }

    /// Runs the program, which must end with this code and say all of these parts, and change
    /// nothing.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str], code: i32, parts: &[&str]) {
        let before = fs_err::read(self.store()).ok();
        let said = self.run(arguments);
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        for part in parts {
            assert!(said.err.contains(part), "{arguments:?}: {part} is not in\n{}", said.err);
        }
        assert_eq!(said.out, "", "{arguments:?}");
        assert_eq!(fs_err::read(self.store()).ok(), before, "{arguments:?}");
    }
}

/// The program that cargo has built for this test.
pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_forebear-agent")
}

pub(crate) fn chmod(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
