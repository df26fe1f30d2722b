//! The running processes, from the kernel's task iterator.
//!
//! Start times are the kernel's nanoseconds here. Argument lists that the iterator cannot give
//! (longer than it may write, or in memory that is not there) are read from `/proc`, and only if
//! the process is still the same one. So are processes that the iterator leaves out although
//! they are there: some hardened kernels hide their first process from it.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use forebear_model::observation::{Argv, Observation, ProcessKey, Running};
use forebear_model::{BootTime, Pid};
use libbpf_rs::{Iter, Link, Object};

use super::hooks::{self, Hook};
use crate::procfs::ProcFs;
use crate::wire::Decoder;
use crate::{Error, SnapshotReport, boot_time};

/// A loaded iterator.
#[derive(Debug)]
pub(super) struct Tasks {
    link: Link,
    hook: Hook,
    proc_fs: ProcFs,
    _object: Object,
}

impl Tasks {
    /// The better of the two programs that this kernel takes.
    pub(super) fn load() -> Result<Self, Error> {
        Self::load_one(hooks::SLEEPABLE).or_else(|_| Self::load_one(hooks::PLAIN))
    }

    fn load_one(hook: Hook) -> Result<Self, Error> {
        let object = hooks::load_running(hook)?;
        let link = hooks::attach(&object, hook)?;
        Ok(Self { link, hook, proc_fs: ProcFs::new(Path::new("/proc"))?, _object: object })
    }

    /// Which hook it is.
    pub(super) fn hook(&self) -> Hook {
        self.hook
    }

    /// Hands over every running process once.
    pub(super) fn snapshot(
        &self,
        max_argv: u32,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<SnapshotReport, Error> {
        let begin = boot_time();
        let listed = self.proc_fs.pids().unwrap_or_default();
        let mut bytes = Vec::with_capacity(256 << 10);
        Iter::new(&self.link)
            .and_then(|mut iterator| Ok(iterator.read_to_end(&mut bytes)?))
            .map_err(|source| Error::Bpf {
                operation: "read",
                subject: "the task iterator".to_owned(),
                source,
            })?;
        let mut report = SnapshotReport::default();
        let mut decoder = Decoder::new(max_argv);
        let mut starts = Starts::default();
        let mut cmdline = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (mut running, length) = match decoder.running(rest) {
                Ok(decoded) => decoded,
                Err(error) => {
                    // Without frames there is no way to the next record.
                    report.problems.push(format!(
                        "a record of the task iterator cannot be read, and {} bytes after it are \
                         left out: {error}",
                        rest.len()
                    ));
                    break;
                }
            };
            rest = rest.get(length..).unwrap_or_default();
            // Several threads may speak for a leader that has ended.
            if starts.seen.insert(running.process.pid, running.process.start).is_some() {
                continue;
            }
            starts.parents.insert(running.parent.pid, running.parent.start);
            self.complete(&mut running, max_argv, &mut cmdline);
            report.processes += 1;
            sink(&Observation::Running(Box::new(running)));
        }
        let left_out = listed.into_iter().filter(|pid| !starts.seen.contains_key(&Pid(*pid)));
        self.proc_fs.processes(left_out.collect::<Vec<_>>(), &mut report, &mut |observation| {
            let Observation::Running(running) = observation else { return };
            // One that is younger than its place in the list is told by its fork.
            if running.process.start <= begin {
                let mut running = running.clone();
                running.process = starts.exact(running.process);
                running.parent = starts.exact(running.parent);
                sink(&Observation::Running(running));
            }
        });
        Ok(report)
    }

    fn complete<'a>(&self, running: &mut Running<'a>, max_argv: u32, cmdline: &'a mut Vec<u8>) {
        if running.argv.is_ok() || running.executable.is_none() {
            return;
        }
        if let Ok(total) = self.proc_fs.cmdline(running.process, max_argv, cmdline) {
            running.argv = Ok(Argv { bytes: cmdline, total });
        }
    }
}

/// Start times in nanoseconds, for what `/proc` tells in ticks.
#[derive(Debug, Default)]
struct Starts {
    seen: HashMap<Pid, BootTime>,
    parents: HashMap<Pid, BootTime>,
}

impl Starts {
    /// The same process with its start as the kernel knows it, if any record named it.
    fn exact(&self, key: ProcessKey) -> ProcessKey {
        [&self.seen, &self.parents]
            .into_iter()
            .filter_map(|starts| starts.get(&key.pid))
            .find(|start| start.ticks() == key.start.ticks())
            .map_or(key, |start| ProcessKey { pid: key.pid, start: *start })
    }
}
