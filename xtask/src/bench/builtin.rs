//! What the recording of builtins costs the shells: private copies of bash, one attached and one
//! not, in turns.
//!
//! Never the machine's own shells: an attached file is attached for everybody who runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fs_err as fs;

use super::agent::Agent;
use crate::command::{read, run_quietly};

const ROUNDS: usize = 5;
/// Fewer than are told of one process in a second.
const BURST: u32 = 900;
/// How long a shell waits for the next second.
const PAUSE: &str = "1.2";

/// In a script: a million `:`, and some others.
const IN_SCRIPTS: [(&str, u32); 5] = [
    (":", 1_000_000),
    ("[ a = b ]", 200_000),
    ("echo a", 200_000),
    ("cd .", 200_000),
    ("umask 022", 200_000),
];

/// On a terminal.
const TYPED: [&str; 4] = [":", "echo a", "cd .", "umask 022"];

/// Two copies of bash, and an agent in mode control that is attached to one.
struct Stage {
    agent: Agent,
    folder: PathBuf,
}

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let stage = Stage::new()?;
    let mut parts = Vec::new();
    for (command, count) in IN_SCRIPTS {
        let mut figure = Figure::default();
        for round in 0..ROUNDS {
            figure.pair(round, |shell| stage.in_script(shell, command, count))?;
        }
        parts.push(format!("`{command}` {}", figure.text(count)));
    }
    let scripts = parts.join(", ");
    parts = Vec::new();
    for command in TYPED {
        let mut figure = Figure::default();
        for round in 0..ROUNDS {
            figure.pair(round, |shell| stage.on_terminal(shell, command))?;
        }
        parts.push(format!("`{command}` {}", figure.text(BURST)));
    }
    stage.finish()?;
    Ok(format!("in scripts: {scripts}; on a terminal: {}", parts.join(", ")))
}

#[derive(Clone, Copy)]
enum Shell {
    Attached,
    Free,
}

#[derive(Default)]
struct Figure {
    ratios: Vec<f64>,
    /// Seconds more with than without.
    extra: Vec<f64>,
}

impl Figure {
    /// Measures both, the order turning each round.
    fn pair(&mut self, round: usize, measure: impl Fn(Shell) -> Result<Duration>) -> Result<()> {
        let (free, attached);
        if round.is_multiple_of(2) {
            free = measure(Shell::Free)?;
            attached = measure(Shell::Attached)?;
        } else {
            attached = measure(Shell::Attached)?;
            free = measure(Shell::Free)?;
        }
        self.ratios.push(attached.as_secs_f64() / free.as_secs_f64());
        self.extra.push(attached.as_secs_f64() - free.as_secs_f64());
        Ok(())
    }

    /// The medians: ratio, and how much more one call costs.
    fn text(mut self, calls: u32) -> String {
        let median = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[ROUNDS / 2]
        };
        let ratio = median(&mut self.ratios);
        let more = median(&mut self.extra) / f64::from(calls) * 1e6;
        format!("{ratio:.2} ({more:+.2} µs a call)")
    }
}

impl Stage {
    fn new() -> Result<Self> {
        let name = format!("forebear-bench-shells-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let below = folder.join("attached");
        fs::create_dir_all(&below)?;
        let free = folder.join("bash");
        let original = ["/bin/bash", "/usr/bin/bash"].map(Path::new);
        let original = original.into_iter().find(|path| path.exists());
        let original = original.context("bash is not installed")?;
        fs::copy(original, &free)?;
        fs::copy(original, below.join("bash"))?;
        let output = folder.join("events");
        let agent = Agent::start(|command| {
            command.args(["record", "--mode", "control", "--status-interval", "1s", "--output"]);
            command.arg(&output).arg("--shells").arg(&below)
        })?;
        let stage = Self { agent, folder };
        run_quietly(Command::new(stage.path(Shell::Attached)).args(["-c", "exit"]))?;
        let begun = Instant::now();
        while !fs::read_to_string(&output)?.contains("\"shells_attached\":1") {
            if begun.elapsed() > Duration::from_secs(20) {
                bail!("the agent does not attach to {}", below.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(stage)
    }

    fn path(&self, shell: Shell) -> PathBuf {
        match shell {
            Shell::Attached => self.folder.join("attached/bash"),
            Shell::Free => self.folder.join("bash"),
        }
    }

    /// How long a loop takes by bash's own clock.
    fn in_script(&self, shell: Shell, command: &str, count: u32) -> Result<Duration> {
        let mut bash = Command::new(self.path(shell));
        bash.args(["-c", &timed(command, count)]);
        elapsed(&String::from_utf8_lossy(&read(&mut bash)?))
    }

    /// The same in a shell that asks for commands at a terminal.
    fn on_terminal(&self, shell: Shell, command: &str) -> Result<Duration> {
        let bash = self.path(shell);
        let script = timed(command, BURST);
        let typed = format!("sleep {PAUSE}; {script}\nexit\n");
        let mut terminal = Command::new("script");
        terminal.args(["-qec", &format!("{} --norc --noediting", bash.display()), "/dev/null"]);
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = terminal.spawn().context("running script(1)")?;
        let mut keys = child.stdin.take().context("taking script's standard input")?;
        std::io::Write::write_all(&mut keys, typed.as_bytes())?;
        // It ends by the shell's `exit`; an end of its input would end the shell too early.
        let output = child.wait_with_output()?;
        drop(keys);
        elapsed(&String::from_utf8_lossy(&output.stdout))
    }

    fn finish(self) -> Result<()> {
        self.agent.stop()?;
        Ok(fs::remove_dir_all(&self.folder)?)
    }
}

/// A line for bash that says in microseconds how long a loop took.
fn timed(command: &str, count: u32) -> String {
    format!(
        "s=$EPOCHREALTIME; for ((i = 0; i < {count}; i++)); do {command}; done >/dev/null; \
         e=$EPOCHREALTIME; printf 'took=%s=\\n' $((${{e/./}} - ${{s/./}}))"
    )
}

fn elapsed(said: &str) -> Result<Duration> {
    let figure = said.split("took=").last().and_then(|rest| rest.split('=').next());
    let micros = figure.and_then(|figure| figure.parse().ok());
    micros.map(Duration::from_micros).with_context(|| format!("bash said {said:?}"))
}
