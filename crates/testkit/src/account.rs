//! A user of the machine that lives as long as a test.
//!
//! Invariant: the user's name carries the pid of the test that made it, so a later test can tell
//! what a killed one has left behind, and removes it.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::must::Must;
use crate::process;
use crate::scene::readable_folder;
use crate::wait;

/// What every test user's name begins with.
const PREFIX: &str = "forebear-t";

/// The prompt that every shell of a test user shows.
pub const PROMPT: &str = "forebear-ready> ";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A user with a home folder of its own, removed with all its processes when dropped.
#[derive(Debug)]
pub struct Account {
    name: String,
    uid: u32,
    home: PathBuf,
    folder: TempDir,
}

impl Account {
    /// Makes a user with this login shell.
    pub fn new(shell: &Path) -> Self {
        sweep();
        let folder = readable_folder();
        let name =
            format!("{PREFIX}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = folder.path().join("home");
        fs_err::create_dir(&home).must("make the home folder");
        // `*` is a password that nothing matches but, unlike `!`, no locked account: an sshd
        // without PAM lets nobody into a locked one.
        let mut useradd = Command::new("useradd");
        useradd.args(["--no-create-home", "--no-log-init", "--password", "*", "--user-group"]);
        useradd.arg("--home-dir").arg(&home).arg("--shell").arg(shell).arg(&name);
        run(&mut useradd, "make the test user");
        let uid = id(&name, "-u");
        let account = Self { name, uid, home, folder };
        account.write_start_up_files();
        let gid = id(&account.name, "-g");
        for folder in ["", ".config", ".config/fish"] {
            chown(account.home.join(folder), Some(uid), Some(gid))
                .must("hand the home folder over");
        }
        account
    }

    /// The user's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user's id.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The user's home folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A folder for everything else of this test; everybody may read it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The user's processes.
    pub fn pids(&self) -> Vec<u32> {
        let pids = process::all_pids();
        pids.into_iter().filter(|pid| process::uid(*pid) == Some(self.uid)).collect()
    }

    /// Shells that do nothing at their start but set the prompt, and no greeting.
    fn write_start_up_files(&self) {
        let prompt = format!("PS1='{PROMPT}'\n");
        // The control sequences of pasting and of marked line ends would stand between what the
        // tests look for. Without a file of its own zsh greets a user with a questionnaire.
        let zsh = format!("{prompt}unsetopt prompt_sp prompt_cr\nunset zle_bracketed_paste\n");
        let fish = format!(
            "function fish_prompt; echo -n '{PROMPT}'; end\nfunction fish_title; end\n\
             set -g fish_greeting\nset -g fish_autosuggestion_enabled 0\n"
        );
        fs_err::create_dir_all(self.home.join(".config/fish")).must("make fish's folder");
        for (file, text) in [
            (".config/fish/config.fish", fish.as_str()),
            (".bash_profile", &prompt),
            (".bashrc", &prompt),
            (".profile", &prompt),
            (".zshrc", &zsh),
            (".inputrc", "set enable-bracketed-paste off\n"),
            (".hushlogin", ""),
        ] {
            fs_err::write(self.home.join(file), text).must("write a start-up file");
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // Whatever a test left running (a tmux server, a background job) is this user's.
        let _ = wait::for_at_most(wait::SOON, || {
            let pids = self.pids();
            pids.iter().for_each(|pid| process::signal_pid(*pid, Signal::KILL));
            let gone = pids.iter().all(|pid| !process::lives(*pid));
            gone.then_some(())
        });
        remove(&self.name);
    }
}

/// Runs a command that has to succeed.
#[track_caller]
pub fn run(command: &mut Command, what: &str) -> Output {
    let output = command.output().must(format_args!("{what} ({command:?})"));
    assert!(
        output.status.success(),
        "cannot {what}: {command:?} ended with {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn id(name: &str, which: &str) -> u32 {
    let output = run(Command::new("id").args([which, name]), "ask for the test user's id");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().must("read the test user's id")
}

fn remove(name: &str) {
    // With --force also while utmp(5) still lists a login of the user.
    let _ = Command::new("userdel").args(["--force", name]).output();
}

/// Removes the users of tests that have ended without cleaning up.
fn sweep() {
    let users = fs_err::read_to_string("/etc/passwd").must("list the users");
    for user in users.lines().filter_map(|line| line.split(':').next()) {
        if let Some(pid) = maker(user)
            && !process::lives(pid)
        {
            remove(user);
        }
    }
}

/// The pid of the test that made this user or file.
pub(crate) fn maker(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_user_names_its_maker() {
        assert_eq!(maker("forebear-t123-0"), Some(123));
        assert_eq!(maker("forebear"), None);
        assert_eq!(maker("root"), None);
    }
}
