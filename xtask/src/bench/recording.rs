//! One run of the agent: started, ready, stopped.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fs_err as fs;

use crate::command::run_quietly;
use crate::workspace;

/// A running `forebear-agent record`, writing NDJSON to a file of its own.
pub(super) struct Recording {
    agent: Child,
    /// Kept open, so that the agent's words after `ready` have somewhere to go.
    words: BufReader<ChildStderr>,
    output: PathBuf,
    ready_after: Duration,
}

impl Recording {
    /// Starts the release build of the agent and waits for its `ready` line.
    pub(super) fn start() -> Result<Self> {
        let program = workspace::built("release")?.join("forebear-agent");
        let output = std::env::temp_dir().join(format!("forebear-bench-{}", std::process::id()));
        let begun = Instant::now();
        let mut agent = Command::new(&program)
            .args(["record", "--format", "ndjson", "--output"])
            .arg(&output)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let words = agent.stderr.take().context("taking the agent's standard error")?;
        let mut words = BufReader::new(words);
        let mut said = String::new();
        loop {
            let before = said.len();
            let read = words.read_line(&mut said).context("reading the agent's standard error")?;
            if read == 0 {
                bail!("the agent ended before it was ready; it said:\n{said}");
            }
            if said[before..].starts_with("ready") {
                break;
            }
        }
        Ok(Self { agent, words, output, ready_after: begun.elapsed() })
    }

    /// How long it took from the start to the `ready` line.
    pub(super) fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// A file of the agent's folder in `/proc`.
    pub(super) fn proc(&self, name: &str) -> Result<String> {
        Ok(fs::read_to_string(self.proc_path(name))?)
    }

    /// The path of something in the agent's folder in `/proc`.
    pub(super) fn proc_path(&self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.agent.id().to_string()).join(name)
    }

    /// Stops it as a person would, by an interrupt, and returns what it wrote.
    pub(super) fn stop(mut self) -> Result<String> {
        // The shell's own `kill` is there on every machine.
        let interrupt = format!("kill -INT {}", self.agent.id());
        run_quietly(Command::new("sh").args(["-c", &interrupt]))?;
        let mut said = String::new();
        while self.words.read_line(&mut said).context("reading the agent's last words")? > 0 {}
        let status = self.agent.wait().context("waiting for the agent")?;
        if !status.success() {
            bail!("the agent ended with {status}; it said:\n{said}");
        }
        let events = fs::read_to_string(&self.output)?;
        fs::remove_file(&self.output)?;
        Ok(events)
    }
}

/// How many EXEC events of a program the agent wrote; to be sure that the figure is about a
/// recording that was complete.
pub(super) fn count_execs(events: &str, name: &str) -> Result<usize> {
    let mut count = 0;
    for line in events.lines() {
        if !line.contains("\"EXEC\"") {
            continue;
        }
        let event: serde_json::Value =
            serde_json::from_str(line).context("reading an event that the agent wrote")?;
        count += usize::from(event["event_type"] == "EXEC" && event["self"]["name"] == name);
    }
    Ok(count)
}
