//! The program under test, started and ended; and what a test needs of the machine.

#![expect(clippy::print_stderr, reason = "the reason for a test that is not run goes there")]

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use forebear_testkit::process::Owned;
use forebear_testkit::wait;
use rustix::process::Signal;
use tempfile::TempDir;

/// The user without privileges.
const NOBODY: u32 = 65534;

/// The program that cargo has built for this test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_forebear-agent"))
}

/// Whether the test runs as root; if not, says so, and fails under CI.
pub(crate) fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    is_root || not_run("it needs root")
}

/// Whether this machine can record; if not, says so, and fails under CI.
pub(crate) fn can_record() -> bool {
    static WHY_NOT: OnceLock<Option<String>> = OnceLock::new();
    let why_not = WHY_NOT.get_or_init(|| {
        let output = Command::new(program()).arg("doctor").output().unwrap();
        (!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    why_not.as_ref().is_none_or(|why| not_run(why))
}

fn not_run(why: &str) -> bool {
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!in_ci, "this test cannot be run here, and CI=true demands it: {why}");
    eprintln!("not run: {why}");
    false
}

/// Runs /bin/true with an argument that no other program has, and returns it.
pub(crate) fn run_true() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let word = format!("mark-{}-{count}-end", std::process::id());
    assert!(Command::new("/bin/true").arg(&word).status().unwrap().success());
    word
}

/// What the program does for a user without privileges.
pub(crate) fn as_nobody(arguments: &[&str]) -> Output {
    // The build's folder may be closed to others, so the program is copied.
    let directory = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    fs_err::set_permissions(directory.path(), open).unwrap();
    let copy = directory.path().join("forebear-agent");
    fs_err::copy(program(), &copy).unwrap();
    let mut command = Command::new(&copy);
    command.args(arguments).uid(NOBODY).gid(NOBODY).stdin(Stdio::null());
    // A copy that was open for writing a moment ago in a child of another test cannot be run yet
    // (ETXTBSY).
    wait::until("the copy to be executable", || match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => None,
        other => Some(other.unwrap()),
    })
}

/// A running agent.
pub(crate) struct Agent {
    program: Owned,
    directory: TempDir,
}

impl Agent {
    /// Records to a file until told otherwise; ready.
    pub(crate) fn to_file(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(program());
        command.args(["record", "--output"]).arg(directory.path().join("events"));
        command.args(arguments).stdout(Stdio::null());
        Self::start(command, directory)
    }

    /// Records to a descriptor; ready.
    pub(crate) fn to(stdout: Stdio, arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        command.arg("record").args(arguments).stdout(stdout);
        Self::start(command, tempfile::tempdir().unwrap())
    }

    /// Starts a command that becomes the agent, and waits until that is ready.
    pub(crate) fn start(mut command: Command, directory: TempDir) -> Self {
        let talk = File::create(directory.path().join("talk")).unwrap();
        command.stdin(Stdio::null()).stderr(talk);
        let child = command.spawn().unwrap();
        // The command holds the descriptors that it gave to the child.
        drop(command);
        let mut agent = Self { program: Owned::new("the agent", child), directory };
        wait::until("the agent to be ready", || {
            let is_ready = agent.talk().lines().any(|line| line.starts_with("ready"));
            if !is_ready && let Some(status) = agent.program.ended() {
                panic!("the agent ended with {status} before it was ready:\n{}", agent.talk());
            }
            is_ready.then_some(())
        });
        agent
    }

    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.directory.path().join("events")
    }

    /// What it has said.
    pub(crate) fn talk(&self) -> String {
        fs_err::read_to_string(self.directory.path().join("talk")).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// Waits for its end; its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.program.wait(wait::SOON).code()
    }

    /// Waits until a line with this word is in the file.
    pub(crate) fn wait_for_line(&self, word: &str) {
        wait::until(&format!("{word} in the output"), || {
            let text = fs_err::read_to_string(self.output()).unwrap();
            text.lines().any(|line| line.contains(word)).then_some(())
        });
    }

    /// All events in the file.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        events(&fs_err::read_to_string(self.output()).unwrap())
    }
}

/// The events of a text; every line must be one.
pub(crate) fn events(text: &str) -> Vec<serde_json::Value> {
    assert!(text.ends_with('\n'), "the last line is torn");
    let parse =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(parse).collect()
}
