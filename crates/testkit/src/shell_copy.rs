//! A private copy of a shell: the only kind that a test lets the agent attach to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::account::run;
use crate::agent::Agent;
use crate::must::Must;
use crate::scene::{readable_folder, shell_path};

/// A copy in a folder of its own, which everybody may read.
#[derive(Debug)]
pub struct ShellCopy {
    path: PathBuf,
    folder: TempDir,
}

impl ShellCopy {
    /// A copy of this shell under its own name.
    #[track_caller]
    pub fn new(shell: &str) -> Self {
        Self::named(shell, shell)
    }

    /// A copy of this shell under another name.
    #[track_caller]
    pub fn named(shell: &str, name: &str) -> Self {
        let folder = readable_folder();
        let path = folder.path().join(name);
        fs_err::copy(shell_path(shell), &path).must("copy the shell");
        Self { path, folder }
    }

    /// The copy.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The arguments of an agent that records the builtins of this copy and of no other shell.
    #[track_caller]
    pub fn control(&self) -> [&str; 6] {
        let folder = self.folder().to_str().must("have a folder whose name is text");
        ["--mode", "control", "--shells", folder, "--status-interval", "1s"]
    }

    /// A command that runs the copy, with nothing on its streams.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Lets the agent see the copy run once, and waits until it is attached or watched.
    #[track_caller]
    pub fn meet(&self, agent: &mut Agent) {
        run(self.command().args(["-c", "exit"]), "run the private shell");
        agent.wait_for("the shell", |event| {
            let count = |counter| event.number(counter).unwrap_or(0);
            count("counters.shells_attached") + count("counters.shells_watched") > 0
        });
    }
}
