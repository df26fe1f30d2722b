//! The agent under test: built, started, read and stopped.
//!
//! Invariant: no old build is ever tested. Unless `FOREBEAR_AGENT` (for the tool `FOREBEAR_TOOL`)
//! names the program, it is built before the first use in each test process.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::Signal;
use serde_json::Value;

use crate::account::run;
use crate::event::Event;
use crate::must::Must;
use crate::process::Owned;
use crate::recording::{Recording, recent};
use crate::stream;
use crate::wait;

/// Names the agent to test instead of the one that is built.
pub const AGENT_VARIABLE: &str = "FOREBEAR_AGENT";

/// Names the tool to test instead of the one that is built.
pub const TOOL_VARIABLE: &str = "FOREBEAR_TOOL";

/// A running agent that writes NDJSON to a file.
#[derive(Debug)]
pub struct Agent {
    program: Owned,
    output: PathBuf,
    talk: PathBuf,
    events: Vec<Event>,
    read: u64,
    rest: Vec<u8>,
}

/// The agent's program.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| named_or_built(AGENT_VARIABLE, "forebear-agent"))
}

/// The other program, `forebear`.
pub fn tool() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| named_or_built(TOOL_VARIABLE, "forebear"))
}

/// A command line of the agent, with nothing on standard input.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Why the agent cannot record here, in its own words.
pub(crate) fn why_not() -> Option<String> {
    let output = command(&["doctor"]).output().must("ask the agent's doctor");
    (!output.status.success()).then(|| {
        format!("forebear-agent doctor says: {}", String::from_utf8_lossy(&output.stdout).trim())
    })
}

fn named_or_built(variable: &str, package: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| build(package), PathBuf::from)
}

/// Builds the program of a package that is called as the package.
fn build(package: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", package]);
    build.arg("--message-format=json-render-diagnostics").current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = run(&mut build, "build the program to test");
    let messages = output.stdout.split(|byte| *byte == b'\n');
    let messages = messages.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| {
        let is_it = message.pointer("/target/name")? == package;
        is_it.then(|| message.get("executable")?.as_str().map(PathBuf::from))?
    });
    programs.next().must(format_args!("find the program of {package} that was built"))
}

impl Agent {
    /// Starts an agent with its defaults and waits until it records; its files go to `folder`.
    #[track_caller]
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// Starts an agent with further arguments and waits until it records.
    #[track_caller]
    pub fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let output = folder.join(format!("agent-{count}.ndjson"));
        let talk = folder.join(format!("agent-{count}.stderr"));
        let mut command = command(&["record", "--format", "ndjson", "--output"]);
        command.arg(&output).args(arguments).stdout(Stdio::null());
        command.stderr(fs_err::File::create(&talk).must("make the agent's log").into_parts().0);
        let program = Owned::new("the agent", command.spawn().must("start the agent"));
        let mut agent =
            Self { program, output, talk, events: Vec::new(), read: 0, rest: Vec::new() };
        let ready = wait::for_at_most(wait::SOON, || {
            if let Some(status) = agent.program.ended() {
                panic!("the agent ended with {status} instead of recording:\n{}", agent.talk());
            }
            agent.talk().lines().any(|line| line.starts_with("ready")).then_some(())
        });
        assert!(ready.is_some(), "the agent does not become ready; it says:\n{}", agent.talk());
        agent
    }

    /// What it has said on standard error.
    pub fn talk(&self) -> String {
        fs_err::read_to_string(&self.talk).unwrap_or_default()
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.program.signal(signal);
    }

    /// Its output file.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// Waits for the first event for which `wanted` holds, from the beginning of the recording;
    /// `what` names it in a failure.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        let mut looked = 0;
        let found = wait::for_at_most(wait::SOON, || {
            self.read_on();
            let found = self.events[looked..].iter().find(|event| wanted(event)).cloned();
            looked = self.events.len();
            found
        });
        match found {
            Some(event) => event,
            None => panic!("waited in vain for {what}; {}", recent(&self.events)),
        }
    }

    /// Waits for the EXEC of exactly these arguments.
    #[track_caller]
    pub fn wait_for_exec_of(&mut self, argv: &[&str]) -> Event {
        self.wait_for(&format!("the EXEC of {argv:?}"), |e| e.is_exec() && e.argv_is(argv))
    }

    /// Waits for the BUILTIN of exactly these words.
    #[track_caller]
    pub fn wait_for_builtin(&mut self, words: &[&str]) -> Event {
        self.wait_for(&format!("the BUILTIN {words:?}"), |e| e.is_builtin() && e.builtin() == words)
    }

    /// Stops it by SIGTERM, and gives the complete recording after all checks of
    /// [`stream::check`].
    #[track_caller]
    pub fn stop(self) -> Recording {
        self.stop_by(Signal::TERM)
    }

    /// Like [`stop`](Self::stop), by this signal.
    #[track_caller]
    pub fn stop_by(mut self, signal: Signal) -> Recording {
        self.end(signal);
        self.read_on();
        assert!(
            self.rest.is_empty(),
            "the output ends within a line: {}",
            String::from_utf8_lossy(&self.rest)
        );
        if let Err(problems) = stream::check(&self.events) {
            panic!("the recording contradicts the rules:\n{problems}");
        }
        Recording::new(std::mem::take(&mut self.events))
    }

    /// Stops it by SIGTERM, hands its events over one by one, so that they need not fit into
    /// memory, and makes all checks of [`stream::Checker`]; `lossless` demands that none was lost.
    #[track_caller]
    pub fn stop_and_read(mut self, lossless: bool, mut look: impl FnMut(&Event)) {
        self.end(Signal::TERM);
        let file = fs_err::File::open(&self.output).must("read the output");
        let mut checker = stream::Checker::default();
        for line in BufReader::new(file).split(b'\n') {
            let event = Event::parse(&line.must("read the output"));
            checker.event(&event);
            look(&event);
        }
        if let Err(problems) = checker.finish(lossless) {
            panic!("the recording contradicts the rules:\n{problems}");
        }
    }

    /// Stops it by a signal, demands exit status 0, and leaves its output unread.
    #[track_caller]
    pub fn end(&mut self, signal: Signal) {
        self.program.signal(signal);
        let status = self.wait_for_end();
        assert!(status.success(), "the agent ended with {status}; it says:\n{}", self.talk());
    }

    /// Waits for its own end.
    #[track_caller]
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let status = wait::for_at_most(wait::SOON, || self.program.ended());
        match status {
            Some(status) => status,
            None => panic!("the agent does not end; it says:\n{}", self.talk()),
        }
    }

    /// Reads what has been written since the last time.
    fn read_on(&mut self) {
        let Ok(mut file) = fs_err::File::open(&self.output) else { return };
        file.seek(SeekFrom::Start(self.read)).must("read on in the output");
        let count = file.read_to_end(&mut self.rest).must("read the output");
        self.read += count as u64;
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            self.events.push(Event::parse(&line[..end]));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut text = String::from("the agent says:\n");
            let _ = text.write_str(&self.talk());
            print(&text);
        }
    }
}

#[expect(clippy::print_stderr, reason = "shown by the test runner with a failed test")]
fn print(text: &str) {
    eprintln!("{text}");
}
