//! The usual scene: a test user, a private sshd, and an agent that records.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::account::Account;
use crate::agent::Agent;
use crate::event::Event;
use crate::means;
use crate::must::Must;
use crate::recording::Recording;
use crate::shell_copy::ShellCopy;
use crate::ssh;
use crate::sshd::{Options, Sshd};
use crate::terminal::Terminal;

/// A user, a server and an agent, started in this order and stopped in the reverse one.
#[derive(Debug)]
pub struct Scene {
    /// The agent, recording since before the first login.
    pub agent: Agent,
    /// The server.
    pub sshd: Sshd,
    /// The user.
    pub account: Account,
    /// The private copy of the shell, if there is one.
    shell: Option<ShellCopy>,
}

impl Scene {
    /// A scene whose user has this login shell (`bash`, `zsh`, `dash`).
    #[track_caller]
    pub fn new(shell: &str) -> Self {
        Self::with(shell, Options::default())
    }

    /// A scene whose server differs from the usual.
    #[track_caller]
    pub fn with(shell: &str, options: Options) -> Self {
        Self::build(shell, options, &[])
    }

    /// A scene with bash whose agent has further arguments.
    #[track_caller]
    pub fn with_agent(arguments: &[&str]) -> Self {
        Self::build("bash", Options::default(), arguments)
    }

    /// A scene whose user has a private copy of this shell, and whose agent records the builtins
    /// of that copy and of no other shell.
    #[track_caller]
    pub fn with_private(shell: &str) -> Self {
        Self::with_private_as(shell, shell)
    }

    /// The same with a copy under another name.
    #[track_caller]
    pub fn with_private_as(shell: &str, name: &str) -> Self {
        let copy = ShellCopy::named(shell, name);
        let account = Account::new(copy.path());
        let sshd = Sshd::start(&account, Options::default());
        let mut agent = Agent::start_with(account.folder(), &copy.control());
        copy.meet(&mut agent);
        Self { agent, sshd, account, shell: Some(copy) }
    }

    /// The private copy of the shell.
    #[track_caller]
    pub fn private_shell(&self) -> &ShellCopy {
        self.shell.as_ref().must("have a private shell")
    }

    #[track_caller]
    fn build(shell: &str, options: Options, arguments: &[&str]) -> Self {
        let account = Account::new(&shell_path(shell));
        let sshd = Sshd::start(&account, options);
        let agent = Agent::start_with(account.folder(), arguments);
        Self { agent, sshd, account, shell: None }
    }

    /// Logs in on a terminal, waits for the shell's prompt and for the shell's EXEC.
    #[track_caller]
    pub fn login(&mut self) -> Login {
        let mut terminal = ssh::login(&self.sshd, &self.account);
        let pts = pts_number(&mut terminal);
        let is_fish = self.shell.as_ref().is_some_and(|shell| shell.path().ends_with("fish"));
        let pid = if is_fish { "$fish_pid" } else { "$$" };
        let shown = terminal.run(&format!("echo pid={pid}="));
        let pid = shown.split('=').rev().nth(1).must("find the shell's pid in what it shows");
        let pid = pid.parse().must("read the shell's pid");
        let uid = u64::from(self.account.uid());
        let shell = self.agent.wait_for(&format!("the login shell's EXEC (pid {pid})"), |event| {
            event.is_exec()
                && event.number("self.pid") == Some(pid)
                && event.number("self.uid") == Some(uid)
        });
        Login { terminal, pts, shell }
    }

    /// Stops the agent and gives its checked recording; the server and the user go away too.
    #[track_caller]
    pub fn finish(self) -> Recording {
        self.agent.stop()
    }

    /// A text that no other test and no other run uses.
    pub fn marker(&self, label: &str) -> String {
        format!("{label}-{}", self.account.name())
    }
}

/// A login whose shell is known.
#[derive(Debug)]
pub struct Login {
    /// Hands and eyes in front of it.
    pub terminal: Terminal,
    /// The number of its pseudo-terminal: `/dev/pts/<pts>`.
    pub pts: u32,
    /// The shell's EXEC.
    pub shell: Event,
}

impl Login {
    /// The shell's identity.
    #[track_caller]
    pub fn uuid(&self) -> &str {
        self.shell.uuid("self").must("find the login shell's uuid")
    }

    /// Types a line and waits for the next prompt; gives what was shown in between.
    #[track_caller]
    pub fn run(&mut self, line: &str) -> String {
        self.terminal.run(line)
    }

    /// Ends the shell and waits until the client has gone.
    #[track_caller]
    pub fn logout(mut self) {
        self.terminal.line("exit");
        self.terminal.ends();
    }
}

/// Where a shell is.
#[track_caller]
pub fn shell_path(shell: &str) -> std::path::PathBuf {
    let path = Path::new("/bin").join(shell);
    if path.exists() { path } else { means::find_program(shell).must(format_args!("find {shell}")) }
}

/// The number of the pseudo-terminal that a login is on, asked from its shell.
#[track_caller]
pub fn pts_number(terminal: &mut Terminal) -> u32 {
    terminal.line("tty");
    // ksh draws its first prompt twice, so the next prompt may not be the one after the answer.
    terminal.shows("/dev/pts/");
    let shown = terminal.prompt();
    let number: String = shown.chars().take_while(char::is_ascii_digit).collect();
    number.parse().must("read the terminal's number")
}

/// A text that no other test and no other run uses, for scenes without a login.
pub fn marker(label: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::UNIX_EPOCH.elapsed().must("read the clock").as_nanos();
    format!("{label}-{}-{}-{now:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The device that holds a file, as major and minor.
#[track_caller]
pub fn device_of(path: &Path) -> (u32, u32) {
    let device = fs_err::metadata(path).must("look at a file").dev();
    (rustix::fs::major(device), rustix::fs::minor(device))
}

/// An agent without anybody who logs in.
#[derive(Debug)]
pub struct Stage {
    /// The agent, recording since before anything was done.
    pub agent: Agent,
    folder: TempDir,
}

impl Stage {
    /// An agent with its defaults.
    #[track_caller]
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// An agent with further arguments.
    #[track_caller]
    pub fn with(arguments: &[&str]) -> Self {
        let folder = readable_folder();
        let agent = Agent::start_with(folder.path(), arguments);
        Self { agent, folder }
    }

    /// A folder for everything of this test; everybody may read it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the agent and gives its checked recording.
    #[track_caller]
    pub fn finish(self) -> Recording {
        self.agent.stop()
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// A temporary folder that everybody may read.
#[track_caller]
pub fn readable_folder() -> TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix("forebear-e2e-").permissions(PermissionsExt::from_mode(0o755));
    builder.tempdir().must("make a temporary folder")
}
