//! Live observations: programs in the kernel, their ring buffer, and the task iterator.
//!
//! Invariants: observations come in the kernel's order; whatever did not fit into the buffer is
//! counted by kind and handed over as [`Observation::Lost`]; nothing waits longer than the delay
//! that was asked for, since the reader looks by itself and the kernel wakes it only early.
//!
//! `setrlimit(RLIMIT_MEMLOCK)` is left alone: since 5.11 the memory of programs and maps is
//! charged to the control group.

pub(crate) mod hooks;
mod loss;
mod ring;
mod running;
mod shells;

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use forebear_model::BootTime;
use forebear_model::observation::{Argv, Executable, FileId, Lost, Observation, ProcessKey, State};
use libbpf_rs::{Link, MapCore, MapHandle, Object};

use self::hooks::Features;
use self::loss::{LossReader, Losses};
use self::ring::Ring;
use self::running::Tasks;
pub use self::shells::{BuiltinScope, ShellOptions};
use self::shells::{Seen, Shells};
pub(crate) use self::shells::{names_of, what_is_told_of_shells};
use crate::procfs::ProcFs;
use crate::wire::layout::Settings;
use crate::wire::{Decoder, is_first_run};
use crate::{Error, SnapshotReport, boot_time, requirements};

/// The longest argument list that can be asked for: what execve(2) accepts with the usual stack
/// limit.
pub const MAX_ARGV: u32 = 2 << 20;

/// At how many unread bytes the reader is woken, if the buffer is large enough for it.
const WAKE_BYTES: u32 = 1 << 20;

/// How many builtins of one process in about a second are told; what is beyond is counted.
const BUILTIN_RATE: u32 = 1000;

/// How the live source works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// Size of the ring buffer; rounded up to a power of two of at least one page.
    pub buffer_bytes: u32,
    /// How many bytes of an argument list are handed over; at most [`MAX_ARGV`].
    pub max_argv: u32,
    /// How late an observation may be. The caller drains at least this often.
    pub max_delay: Duration,
    /// What is told of shells; `None` attaches nothing to any shell.
    pub shells: Option<ShellOptions>,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            buffer_bytes: 8 << 20,
            max_argv: 128 << 10,
            max_delay: Duration::from_millis(50),
            shells: None,
        }
    }
}

/// What has happened to the records so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveCounters {
    /// Observations handed over, losses not included.
    pub received: u64,
    /// Records that could not be understood.
    pub undecodable: u64,
    /// Argument lists that came shorter than was asked for.
    pub argv_incomplete: u64,
    /// Process creations that found no room in the buffer.
    pub lost_forks: u64,
    /// Program runs that found no room.
    pub lost_execs: u64,
    /// Process ends that found no room.
    pub lost_exits: u64,
    /// Builtins and typed lines that found no room.
    pub lost_builtins: u64,
    /// Builtins that were too many in a second of one shell.
    pub suppressed: u64,
    /// Files of shells that are attached now.
    pub shells_attached: u64,
    /// Files of shells that could not be attached.
    pub shells_refused: u64,
    /// Files of shells that are told of by their effects now.
    pub shells_watched: u64,
}

/// What the source consists of on this kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Where programs are attached.
    pub hooks: Vec<String>,
    /// Features of the kernel that are used because they are there.
    pub features: Vec<String>,
    /// What is less than it could be, as sentences.
    pub degraded: Vec<String>,
}

/// Programs attached to the kernel. Dropping it detaches them.
#[derive(Debug)]
pub struct Live {
    attached_at: BootTime,
    /// A snapshot has been taken.
    has_looked: bool,
    max_argv: u32,
    ring: Ring,
    decoder: Decoder,
    losses: LossReader,
    reported: Losses,
    received: u64,
    undecodable: u64,
    tasks: Option<Tasks>,
    shells: Option<Shells>,
    description: Description,
    _links: Vec<Link>,
    _object: Object,
}

impl Live {
    /// Loads and attaches everything.
    ///
    /// # Errors
    /// [`Error::Requirement`] when machine or privileges do not allow it, in the words of
    /// [`requirements`](crate::requirements()).
    pub fn attach(options: &LiveOptions) -> Result<Self, Error> {
        Self::attach_all(options).map_err(|error| match requirements::best_explanation() {
            Some(requirement) => Error::Requirement(Box::new(requirement)),
            None => error,
        })
    }

    fn attach_all(options: &LiveOptions) -> Result<Self, Error> {
        let features = Features::of_this_kernel()?;
        let hooks = [hooks::EXEC, hooks::FORK, features.exit()];
        let buffer_bytes = options.buffer_bytes.clamp(4096, 1 << 30).next_power_of_two();
        let settings = Settings {
            wake_bytes: u64::from(WAKE_BYTES.min(buffer_bytes / 4)),
            max_argv: options.max_argv.min(MAX_ARGV),
            wake_on_new_file: u32::from(options.shells.is_some()),
            builtin_rate: BUILTIN_RATE,
            only_named: u32::from(
                options
                    .shells
                    .as_ref()
                    .is_some_and(|shells| matches!(shells.builtins, BuiltinScope::Named(_))),
            ),
        };
        let object = hooks::load_process(&hooks, &settings, buffer_bytes)?;
        let ring = Ring::new(map(&object, "records")?, u64::from(buffer_bytes))?;
        let losses = LossReader::new(map(&object, "losses")?, &object);
        let tasks = Tasks::load();
        let mut decoder = Decoder::new(settings.max_argv);
        if !features.exit_tells_last {
            decoder.drop_repeated_exits();
        }
        let links = hooks
            .iter()
            .map(|hook| hooks::attach(&object, *hook))
            .collect::<Result<Vec<_>, _>>()?;
        let attached_at = boot_time();
        let mut description = describe(&hooks, features, &tasks);
        let shells = options.shells.clone().map(|shells| {
            let mut shells = Shells::load(shells, &object, &settings, &mut description.degraded);
            shells.attach_listed(&mut decoder);
            description.hooks.extend(shells.hooks().map(str::to_owned));
            shells
        });
        Ok(Self {
            attached_at,
            has_looked: false,
            max_argv: settings.max_argv,
            ring,
            decoder,
            losses,
            reported: Losses::default(),
            received: 0,
            undecodable: 0,
            tasks: tasks.ok(),
            shells,
            description,
            _links: links,
            _object: object,
        })
    }

    /// From when on everything is observed.
    pub fn attached_at(&self) -> BootTime {
        self.attached_at
    }

    /// Waits at most `timeout` for records, then hands over everything that is there, and after
    /// it what was lost, if anything was. Returns the number of observations.
    ///
    /// # Errors
    /// [`Error::Bpf`] when the kernel refuses to wait or to be read, which it does not do while
    /// the programs are loaded.
    pub fn drain(
        &mut self,
        timeout: Duration,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<u64, Error> {
        if !timeout.is_zero() {
            self.ring.wait(timeout)?;
        }
        let Self { ring, decoder, undecodable, shells, .. } = self;
        let mut count = 0;
        ring.take(&mut |record| {
            let is_first_run = shells.is_some() && is_first_run(record);
            let mut new_file = None;
            let fed = decoder.feed(record, &mut |observation| {
                count += 1;
                sink(observation);
                let Some(shells) = shells.as_mut() else { return };
                shells.follow(observation);
                let Observation::Exec(exec) = observation else { return };
                let file = exec.executable.file;
                let found = || seen(&exec.executable, exec.process, &exec.state, exec.argv);
                if is_first_run || shells.is_news(file) {
                    new_file = Some(found());
                } else if shells.is_watched(file) && found().is_typed_at {
                    shells.begins(exec.process, file);
                }
            });
            *undecodable += u64::from(fed.is_err());
            if let (Some(shells), Some(new_file)) = (shells.as_mut(), new_file) {
                shells.consider(&new_file, decoder);
            }
        })?;
        let late = decoder.feed_overdue(boot_time(), &mut |observation| {
            count += 1;
            sink(observation);
        });
        *undecodable += u64::from(late.is_err());
        self.received += count;
        if let (Some(shells), Some(tasks)) = (&mut self.shells, &self.tasks) {
            shells.tend(&mut || files_that_run(tasks));
        }
        let losses = self.losses.read()?;
        let lost = Lost {
            at: boot_time(),
            forks: losses.forks.saturating_sub(self.reported.forks),
            execs: losses.execs.saturating_sub(self.reported.execs),
            exits: losses.exits.saturating_sub(self.reported.exits),
        };
        self.reported = losses;
        if lost.forks > 0 || lost.execs > 0 || lost.exits > 0 {
            count += 1;
            sink(&Observation::Lost(lost));
        }
        Ok(count)
    }

    /// Hands over [`Observation::SnapshotBegin`] and one [`Observation::Running`] for each
    /// process. The caller ends the snapshot when it has drained what was pending.
    ///
    /// # Errors
    /// [`Error::Bpf`] when the iterator cannot be read, [`Error::File`] when there is none and
    /// `/proc` cannot be read either.
    pub fn snapshot(
        &mut self,
        sink: &mut dyn FnMut(&Observation<'_>),
    ) -> Result<SnapshotReport, Error> {
        let Some(tasks) = &self.tasks else {
            return ProcFs::new(Path::new("/proc"))?.max_argv(self.max_argv).snapshot(sink);
        };
        // Whoever has started since attaching has live records of everything; the first snapshot
        // leaves them to those.
        let began = if self.has_looked { boot_time() } else { self.attached_at };
        self.has_looked = true;
        sink(&Observation::SnapshotBegin(began));
        let Self { shells, decoder, .. } = self;
        let mut looked_at = HashSet::new();
        let (mut new_files, mut typed_at) = (Vec::new(), Vec::new());
        let report = tasks.snapshot(self.max_argv, &mut |observation| {
            sink(observation);
            if let (Some(shells), Observation::Running(running)) = (shells.as_ref(), observation)
                && let Some(executable) = &running.executable
                && !shells.is_attached(executable.file)
            {
                let argv = running.argv.unwrap_or(Argv::whole(b""));
                let seen = seen(executable, running.process, &running.state, argv);
                if seen.is_typed_at {
                    typed_at.push((running.process, executable.file));
                }
                if looked_at.insert(executable.file) {
                    new_files.push(seen);
                }
            }
        })?;
        if let Some(shells) = shells {
            new_files.iter().for_each(|new_file| shells.consider(new_file, decoder));
            typed_at.into_iter().for_each(|(process, file)| shells.begins(process, file));
        }
        Ok(report)
    }

    /// What there is to say about shells that cannot be attached: each file once.
    pub fn take_notes(&mut self) -> Vec<String> {
        self.shells.as_mut().map(Shells::take_notes).unwrap_or_default()
    }

    /// The counters now.
    pub fn counters(&self) -> LiveCounters {
        LiveCounters {
            received: self.received,
            undecodable: self.undecodable,
            argv_incomplete: self.decoder.argv_incomplete(),
            lost_forks: self.reported.forks,
            lost_execs: self.reported.execs,
            lost_exits: self.reported.exits,
            lost_builtins: self.reported.builtins,
            suppressed: self.reported.suppressed,
            shells_attached: self.shells.as_ref().map_or(0, Shells::attached),
            shells_refused: self.shells.as_ref().map_or(0, Shells::refused),
            shells_watched: self.shells.as_ref().map_or(0, Shells::watched),
        }
    }

    /// What is attached, and what is missing.
    pub fn description(&self) -> Description {
        self.description.clone()
    }
}

fn seen(executable: &Executable<'_>, process: ProcessKey, state: &State, argv: Argv<'_>) -> Seen {
    let path = executable.path.ok();
    Seen {
        file: executable.file,
        path: path.map(Into::into),
        process: Some(process),
        is_typed_at: path.is_some_and(|path| shells::is_typed_at(path, state, argv)),
    }
}

/// The files that somebody runs now.
fn files_that_run(tasks: &Tasks) -> HashSet<FileId> {
    let mut files = HashSet::new();
    // A list that ends early lets go of a file too early, which is attached again at its next run.
    let _ = tasks.snapshot(0, &mut |observation| {
        if let Observation::Running(running) = observation
            && let Some(executable) = &running.executable
        {
            files.insert(executable.file);
        }
    });
    files
}

fn map(object: &Object, name: &str) -> Result<MapHandle, Error> {
    let missing = || libbpf_rs::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
    object
        .maps()
        .find(|map| map.name() == name)
        .ok_or_else(missing)
        .and_then(|map| MapHandle::try_from(&map))
        .map_err(|source| Error::Bpf { operation: "open", subject: format!("map {name}"), source })
}

fn describe(
    hooks: &[hooks::Hook],
    features: Features,
    tasks: &Result<Tasks, Error>,
) -> Description {
    let mut description = Description {
        hooks: hooks.iter().map(|hook| hook.section.to_owned()).collect(),
        ..Description::default()
    };
    let mut feature = |is_there: bool, name: &str, otherwise: &str| {
        if is_there {
            description.features.push(name.to_owned());
        } else if !otherwise.is_empty() {
            description.degraded.push(otherwise.to_owned());
        }
    };
    feature(true, "btf", "");
    feature(true, "ring_buffer", "");
    feature(true, "bpf_loop", "");
    feature(features.casts, "typed_casts", "");
    feature(features.exit_tells_last, "exit_tells_last_thread", "");
    feature(
        features.login_ids,
        "audit_login_ids",
        "this kernel has no audit login ids, so login uids and audit sessions are unknown",
    );
    feature(features.overlay, "overlay_layers", "");
    match tasks {
        Ok(tasks) => {
            let hook = tasks.hook();
            feature(
                hook == hooks::SLEEPABLE,
                "sleepable_task_iterator",
                "the task iterator cannot read the memory of other processes on this kernel; \
                 arguments of processes that already run come from /proc",
            );
            description.hooks.push(hook.section.to_owned());
        }
        Err(error) => description.degraded.push(format!(
            "there is no task iterator ({error}); processes that already run are read from \
             /proc, with start times in clock ticks"
        )),
    }
    description
}
