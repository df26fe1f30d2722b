//! One run of `record`, writing NDJSON to a file of its own.

use std::ops::Deref;
use std::path::PathBuf;

use anyhow::{Context, Result};
use fs_err as fs;

use super::agent::Agent;

/// A running `forebear-agent record`.
pub(super) struct Recording {
    agent: Agent,
    output: PathBuf,
}

impl Recording {
    /// Starts it; ready.
    pub(super) fn start() -> Result<Self> {
        Self::with(&[])
    }

    /// Starts it with these arguments besides; ready.
    pub(super) fn with(arguments: &[&str]) -> Result<Self> {
        let output = std::env::temp_dir().join(format!("forebear-bench-{}", std::process::id()));
        let agent = Agent::start(|command| {
            command.args(["record", "--format", "ndjson", "--output"]).arg(&output).args(arguments)
        })?;
        Ok(Self { agent, output })
    }

    /// Stops it and returns what it wrote.
    pub(super) fn stop(self) -> Result<String> {
        self.agent.stop()?;
        let events = fs::read_to_string(&self.output)?;
        fs::remove_file(&self.output)?;
        Ok(events)
    }
}

impl Deref for Recording {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        &self.agent
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
