//! What every system call of the machine costs more while somebody types at a shell that is told
//! of by its effects: a private copy of dash.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use fs_err as fs;

use super::agent::Agent;
use crate::command::run_quietly;

const ROUNDS: usize = 5;
/// dd(1) reads and writes so many single bytes.
const BYTES: u32 = 1_000_000;
const CALLS: u32 = 2 * BYTES;
const PATIENCE: Duration = Duration::from_secs(20);

/// The figure, as a table cell.
pub(super) fn run() -> Result<String> {
    let folder = std::env::temp_dir().join(format!("forebear-bench-dash-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let dash = folder.join("dash");
    fs::copy("/bin/dash", &dash).context("dash is not installed")?;
    let agent = Agent::start(|command| {
        command.args(["record", "--mode", "control", "--output", "/dev/null", "--shells"]);
        command.arg(&folder)
    })?;
    // The agent learns of the file.
    run_quietly(Command::new(&dash).args(["-c", "exit"]))?;
    std::thread::sleep(Duration::from_millis(500));

    let (mut ratios, mut more) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        wait_until(&agent, false)?;
        let without = calls()?;
        let terminal = Typing::start(&dash)?;
        wait_until(&agent, true)?;
        let with = calls()?;
        terminal.end()?;
        ratios.push(with.as_secs_f64() / without.as_secs_f64());
        more.push((with.as_secs_f64() - without.as_secs_f64()) / f64::from(CALLS) * 1e9);
    }
    agent.stop()?;
    fs::remove_dir_all(&folder)?;
    for values in [&mut ratios, &mut more] {
        values.sort_by(f64::total_cmp);
    }
    let (ratio, more, middle) = (&ratios, &more, ROUNDS / 2);
    Ok(format!(
        "{:.2} ({:.2} to {:.2}), {:.0} ns a call",
        ratio[middle],
        ratio[0],
        ratio[ROUNDS - 1],
        more[middle]
    ))
}

/// Two million short system calls.
fn calls() -> Result<Duration> {
    let begun = Instant::now();
    let count = format!("count={BYTES}");
    run_quietly(Command::new("dd").args(["if=/dev/zero", "of=/dev/null", "bs=1", &count]))?;
    Ok(begun.elapsed())
}

/// Somebody at a terminal.
struct Typing(Child);

impl Typing {
    fn start(shell: &PathBuf) -> Result<Self> {
        let mut script = Command::new("script");
        script.arg("-qec").arg(shell).arg("/dev/null");
        script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(script.spawn().context("running script(1)")?))
    }

    fn end(mut self) -> Result<()> {
        if let Some(keys) = self.0.stdin.as_mut() {
            std::io::Write::write_all(keys, b"exit\n")?;
        }
        self.0.wait().context("waiting for script(1)")?;
        Ok(())
    }
}

/// Waits until the agent is on the system calls, or is not any more.
fn wait_until(agent: &Agent, wanted: bool) -> Result<()> {
    let begun = Instant::now();
    while is_on_system_calls(agent)? != wanted {
        if begun.elapsed() > PATIENCE {
            bail!("the agent's program on system calls is not as expected: attached = {wanted}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn is_on_system_calls(agent: &Agent) -> Result<bool> {
    for entry in fs::read_dir(agent.proc_path("fdinfo"))? {
        let Ok(info) = fs::read_to_string(entry?.path()) else { continue };
        if info.lines().any(|line| line.starts_with("tp_name:") && line.ends_with("sys_exit")) {
            return Ok(true);
        }
    }
    Ok(false)
}
