//! Children that end with their owner, and what `/proc` says about processes.

use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::must::Must;
use crate::wait;

/// A child process that is killed when it is dropped.
#[derive(Debug)]
pub struct Owned {
    name: String,
    child: Child,
}

impl Owned {
    /// Takes a started child; `name` is what failures call it.
    pub fn new(name: &str, child: Child) -> Self {
        Self { name: name.to_owned(), child }
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The child itself.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends it a signal; no failure if it has ended.
    pub fn signal(&self, signal: Signal) {
        signal_pid(self.pid(), signal);
    }

    /// Its status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().must(format_args!("ask after {}", self.name))
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let status = wait::for_at_most(deadline, || self.child.try_wait().ok().flatten());
        status.must(format_args!("see the end of {} within {deadline:?}", self.name))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Nothing may panic here: the test may be failing already.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal to a process by its pid; no failure if it has ended.
pub fn signal_pid(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The pids of all living processes.
pub fn all_pids() -> Vec<u32> {
    let entries = fs_err::read_dir("/proc").must("list the processes");
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The value of a line `key:` of `/proc/<pid>/status`; `None` if the process is gone.
pub fn status_line(pid: u32, key: &str) -> Option<String> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// The real user of a process.
pub fn uid(pid: u32) -> Option<u32> {
    status_line(pid, "Uid")?.split_whitespace().next()?.parse().ok()
}

/// The fields of `/proc/<pid>/stat` after the name; the first is the state (field 3).
pub fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold blanks and brackets, so the cut is made from the right.
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// The parent of a process as `/proc` shows it now.
pub fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// Whether a process runs or sleeps; an ended one that nobody has waited for does not live.
pub fn lives(pid: u32) -> bool {
    stat(pid).is_some_and(|fields| fields.first().is_some_and(|state| state != "Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_has_a_parent() {
        let pid = std::process::id();
        assert!(lives(pid));
        assert_eq!(parent(pid), Some(std::os::unix::process::parent_id()));
        assert!(all_pids().contains(&pid));
    }
}
