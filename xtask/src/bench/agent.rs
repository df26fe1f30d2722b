//! A running agent: started, ready, looked at, stopped.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fs_err as fs;

use crate::command::run_quietly;
use crate::workspace;

/// The unit of the times in `/proc/<pid>/stat`: USER_HZ, which is 100 on every architecture that
/// the agent is built for.
const TICKS_PER_SECOND: u64 = 100;

/// The agent as a child process.
pub(super) struct Agent {
    child: Child,
    /// Kept open, so that its words after `ready` have somewhere to go.
    words: BufReader<ChildStderr>,
    ready_after: Duration,
}

/// The release build.
pub(super) fn program() -> Result<PathBuf> {
    Ok(workspace::built("release")?.join("forebear-agent"))
}

impl Agent {
    /// Starts the release build and waits for its `ready` line.
    pub(super) fn start(adapt: impl FnOnce(&mut Command) -> &mut Command) -> Result<Self> {
        let program = program()?;
        let begun = Instant::now();
        let mut command = Command::new(&program);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = adapt(&mut command)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let words = child.stderr.take().context("taking the agent's standard error")?;
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
        Ok(Self { child, words, ready_after: begun.elapsed() })
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
        Path::new("/proc").join(self.child.id().to_string()).join(name)
    }

    /// User and system time of all its threads since it began.
    pub(super) fn cpu_time(&self) -> Result<Duration> {
        let stat = self.proc("stat")?;
        // The name may hold blanks and brackets, so the fields are counted after its last bracket;
        // the first of them is field 3 of proc_pid_stat(5), and 14 and 15 are wanted.
        let (_, fields) = stat.rsplit_once(')').context("reading the agent's stat")?;
        let mut times = fields.split_whitespace().skip(11);
        let mut next = || -> Result<u64> {
            times.next().context("a time is missing in the agent's stat")?.parse().context("a time")
        };
        let ticks = next()? + next()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// The most memory that it ever had, in MiB.
    pub(super) fn peak_memory(&self) -> Result<f64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes: f64 = kibibytes.context("reading VmHWM of the agent")?.trim().parse()?;
        Ok(kibibytes / 1024.0)
    }

    /// Stops it as a person would, by an interrupt.
    pub(super) fn stop(mut self) -> Result<()> {
        // The shell's own `kill` is there on every machine.
        let interrupt = format!("kill -INT {}", self.child.id());
        run_quietly(Command::new("sh").args(["-c", &interrupt]))?;
        let mut said = String::new();
        while self.words.read_line(&mut said).context("reading the agent's last words")? > 0 {}
        let status = self.child.wait().context("waiting for the agent")?;
        if !status.success() {
            bail!("the agent ended with {status}; it said:\n{said}");
        }
        Ok(())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Only of use when a benchmark fails: a child that has been waited for is not killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
