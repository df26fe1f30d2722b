//! The shells that are attached: found by what their files are, at their first run.
//!
//! Invariants: the number of attached files is bounded, and so is what is remembered of others; a
//! file that cannot be attached is told once and never stops anything; a file that is written to,
//! or has no name any more and is not run, is let go. Nothing of a shell is changed but the probed
//! instructions while it is attached, and the kernel puts those back.

mod effects;
mod elf;
mod file;
mod listed;
mod people;
mod plan;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forebear_model::observation::{FileId, Observation, ProcessKey};
use libbpf_rs::{Link, MapCore, MapFlags, Object, UprobeMultiOpts};

use self::effects::Effects;
use self::file::{Content, Opened, Refusal, Stamp};
use self::plan::{Plan, Probe, Programs};
use super::hooks;
use crate::Error;
use crate::error::with_sources;
use crate::wire::Decoder;
use crate::wire::layout::Settings;

pub(in crate::live) use self::file::Seen;
pub(crate) use self::listed::what_is_told_of_shells;
pub(in crate::live) use self::people::is_typed_at;
pub(crate) use self::plan::names_of;

/// Which builtins are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuiltinScope {
    /// Those of shells whose standard input and standard error are their controlling terminal,
    /// and of their subshells.
    Interactive,
    /// Those of every shell, but in shells that are not interactive not what loops call (`:`, `[`,
    /// `test`, `true`, `false`, `echo`, `printf`).
    All,
    /// These, of every shell.
    Named(Vec<String>),
}

/// What is recorded of shells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellOptions {
    /// Which builtins.
    pub builtins: BuiltinScope,
    /// Only shells whose path, in the root directory of whoever runs them, is one of these or lies
    /// below one; with an empty list every shell.
    pub below: Vec<PathBuf>,
}

/// How many files are attached at most.
const MAX_ATTACHED: usize = 64;
/// How many files are remembered that were gone before they could be looked at, and how many that
/// have been told.
const MAX_REMEMBERED: usize = 1024;
/// How often the attached files are looked after.
const TEND_INTERVAL: Duration = Duration::from_secs(10);
/// The bytes of a name in the programs' map of names.
const SHORT_NAME: usize = 16;

/// What is attached.
#[derive(Debug)]
pub(super) struct Shells {
    options: ShellOptions,
    /// By what the kernel's programs call the files; one file may have two device numbers.
    known: HashMap<FileId, Stamp>,
    attached: HashMap<Stamp, Attached>,
    /// Files that were gone before they could be looked at, and may come again.
    missed: HashSet<FileId>,
    refused: u64,
    /// Paths of files that were told.
    told: HashSet<Box<[u8]>>,
    notes: Vec<String>,
    tended_at: Instant,
    /// The programs for probes; without them every shell is told of by its effects.
    probes: Option<Object>,
    effects: Option<Effects>,
}

#[derive(Debug)]
struct Attached {
    opened: Opened,
    _links: Vec<Link>,
}

impl Shells {
    /// Loads the programs, which write to the records and counters of `process`. What could not be
    /// loaded is told in `degraded`.
    pub(super) fn load(
        options: ShellOptions,
        process: &Object,
        settings: &Settings,
        degraded: &mut Vec<String>,
    ) -> Self {
        let probes = hooks::load_shell(process, settings)
            .and_then(|object| tell_names(&object, &options.builtins).map(|()| object));
        let effects = Effects::load(&options.builtins, process, settings);
        if let Err(error) = &probes {
            degraded.push(format!(
                "this kernel does not take probes on shells ({}); of their builtins only effects \
                 are recorded (Linux 6.6 takes them)",
                with_sources(error)
            ));
        }
        if let Err(error) = &effects {
            degraded.push(format!(
                "effects of shells that cannot be probed are not recorded ({})",
                with_sources(error)
            ));
        }
        Self {
            options,
            known: HashMap::new(),
            attached: HashMap::new(),
            missed: HashSet::new(),
            refused: 0,
            told: HashSet::new(),
            notes: Vec::new(),
            tended_at: Instant::now(),
            probes: probes.ok(),
            effects: effects.ok(),
        }
    }

    /// The hooks that are used while there are shells for them.
    pub(super) fn hooks(&self) -> impl Iterator<Item = &'static str> {
        let probes = self.probes.as_ref().map(|_| "uprobe.multi");
        let effects = self.effects.as_ref().map(|_| hooks::EFFECT.section);
        probes.into_iter().chain(effects)
    }

    /// How many files are attached now.
    pub(super) fn attached(&self) -> u64 {
        self.attached.len() as u64
    }

    /// How many files are watched for effects of those who type.
    pub(super) fn watched(&self) -> u64 {
        self.effects.as_ref().map_or(0, Effects::watched)
    }

    /// How many shells could not be attached.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// What there is to say, once.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Attaches the shells that this machine's shells(5) lists, before anybody runs one.
    pub(super) fn attach_listed(&mut self, decoder: &mut Decoder) {
        for path in listed::files() {
            let Ok(found) = fs::metadata(&path) else { continue };
            let file = FileId { device: file::device(found.dev()), inode: found.ino() };
            let path = Some(path.as_os_str().as_bytes().into());
            let seen = Seen { file, path, process: None, is_typed_at: false };
            self.consider(&seen, decoder);
        }
    }

    /// Whether a file that was run before has to be looked at all the same.
    pub(super) fn is_news(&self, file: FileId) -> bool {
        let changed = |stamp| !self.attached.get(stamp).is_some_and(Attached::is_unchanged);
        self.known.get(&file).is_some_and(changed) || self.missed.contains(&file)
    }

    /// Whether a file is attached as it is.
    pub(super) fn is_attached(&self, file: FileId) -> bool {
        self.known.contains_key(&file) && !self.is_news(file)
    }

    /// Whether a file is watched for effects.
    pub(super) fn is_watched(&self, file: FileId) -> bool {
        self.effects.as_ref().is_some_and(|effects| effects.is_watched(file))
    }

    /// Follows who types at a shell that is told of by its effects.
    pub(super) fn follow(&mut self, observation: &Observation<'_>) {
        let Some(effects) = &mut self.effects else { return };
        match observation {
            Observation::Exec(exec) => effects.ends(exec.process.pid),
            Observation::Exit(exit) => effects.ends(exit.process.pid),
            _ => {}
        }
    }

    /// A person types at this process, if what it runs is a shell.
    pub(super) fn begins(&mut self, process: ProcessKey, file: FileId) {
        let Some(effects) = &mut self.effects else { return };
        if let Err(error) = effects.begins(process, file) {
            let pid = process.pid;
            let note = format!(
                "what is typed at the shell {pid} is not recorded: {}",
                with_sources(&error)
            );
            self.note(note);
        }
    }

    /// Looks at a file that somebody runs, and attaches it if it is a shell.
    pub(super) fn consider(&mut self, seen: &Seen, decoder: &mut Decoder) {
        if self.is_attached(seen.file) || !self.is_meant(seen.path.as_deref()) {
            return;
        }
        if let Some(stamp) = self.known.get(&seen.file) {
            self.let_go(*stamp);
        }
        self.missed.remove(&seen.file);
        if let Some(effects) = &mut self.effects {
            effects.forget(seen.file);
        }
        match self.examine(seen, decoder) {
            Ok(stamp) => {
                self.known.insert(seen.file, stamp);
            }
            Err(refusal) => self.refuse(seen, refusal),
        }
    }

    /// Watches what is taken for a shell but not attached, and tells of it, once.
    fn refuse(&mut self, seen: &Seen, refusal: Refusal) {
        let path = seen.path.as_deref().unwrap_or_default();
        let called = people::shell_called(path);
        let (reason, shell) = match refusal {
            Refusal::Gone => {
                if self.missed.len() >= MAX_REMEMBERED {
                    self.missed.clear();
                }
                self.missed.insert(seen.file);
                return;
            }
            Refusal::Because(reason) => (reason, called),
            Refusal::Foreign(reason) => (reason, None),
            Refusal::Shell(shell, reason) => (reason, Some(shell)),
        };
        if called.or(shell).is_none() {
            return;
        }
        let watched = shell
            .zip(self.effects.as_mut())
            .map(|(shell, effects)| effects.watch(seen.file, shell));
        let instead = match watched {
            Some(Ok(())) => {
                "; of people who type at it, cd, umask, kill and ulimit are recorded by their \
                 effects"
                    .to_owned()
            }
            Some(Err(error)) => format!("; nor are their effects, because {error}"),
            None => String::new(),
        };
        if let Some(process) = seen.process.filter(|_| seen.is_typed_at) {
            self.begins(process, seen.file);
        }
        if self.told.contains(path) {
            return;
        }
        if self.told.len() >= MAX_REMEMBERED {
            self.told.clear();
        }
        self.told.insert(path.into());
        self.refused += 1;
        let path = String::from_utf8_lossy(path);
        self.note(format!(
            "the builtins of the shell {path:?} are not recorded: it {reason}{instead}"
        ));
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < MAX_REMEMBERED {
            self.notes.push(note);
        }
    }

    /// Attaches a file.
    fn examine(&mut self, seen: &Seen, decoder: &mut Decoder) -> Result<Stamp, Refusal> {
        let opened = file::open(seen)?;
        // The same file under two device numbers.
        if self.attached.contains_key(&opened.stamp) {
            return Ok(opened.stamp);
        }
        let symbols = elf::symbols(&opened.file, plan::is_wanted)?;
        let mut number = |shell, function: &str| decoder.number_of(shell, function);
        let Some(plan) = plan::plan(&symbols, &self.options.builtins, &mut number) else {
            return Err(Refusal::Because("exports no symbols of its builtins".to_owned()));
        };
        let refused = |reason: String| Refusal::Shell(plan.shell, reason);
        let Some(object) = &self.probes else {
            return Err(refused("cannot be probed on this kernel".to_owned()));
        };
        if self.attached.len() >= MAX_ATTACHED {
            let reason = format!("is one more than the {MAX_ATTACHED} that are attached at once");
            return Err(refused(reason));
        }
        let links = attach(object, &plan, &opened)
            .map_err(|error| refused(format!("cannot be attached ({})", with_sources(&error))))?;
        let attached = Attached { opened, _links: links };
        if !attached.is_unchanged() {
            return Err(refused("was written to while it was attached".to_owned()));
        }
        let stamp = attached.opened.stamp;
        self.attached.insert(stamp, attached);
        Ok(stamp)
    }

    fn is_meant(&self, path: Option<&[u8]>) -> bool {
        let path = path.map(|path| Path::new(OsStr::from_bytes(path)));
        let below = &self.options.below;
        below.is_empty()
            || path.is_some_and(|path| below.iter().any(|folder| path.starts_with(folder)))
    }

    /// Lets go of files that were written to, and of those that nobody can run again: without a
    /// name, or of another mount namespace, and not run now. `running` lists what is run.
    pub(super) fn tend(&mut self, running: &mut dyn FnMut() -> HashSet<FileId>) {
        if let Some(effects) = &mut self.effects {
            effects.rest();
        }
        if self.tended_at.elapsed() < TEND_INTERVAL {
            return;
        }
        self.tended_at = Instant::now();
        if let Some(effects) = &mut self.effects {
            effects.tend();
        }
        let changed: Vec<Stamp> = self
            .attached
            .iter()
            .filter(|(_, attached)| !attached.is_unchanged())
            .map(|(stamp, _)| *stamp)
            .collect();
        changed.into_iter().for_each(|stamp| self.let_go(stamp));
        let doubtful: Vec<Stamp> = self
            .attached
            .iter()
            .filter(|(_, attached)| attached.is_doubtful())
            .map(|(stamp, _)| *stamp)
            .collect();
        if doubtful.is_empty() {
            return;
        }
        let running = running();
        for stamp in doubtful {
            let is_run =
                self.known.iter().any(|(file, its)| *its == stamp && running.contains(file));
            if !is_run {
                self.let_go(stamp);
            }
        }
    }

    /// Detaches a file and forgets it.
    fn let_go(&mut self, stamp: Stamp) {
        self.attached.remove(&stamp);
        self.known.retain(|_, its| *its != stamp);
    }
}

fn attach(object: &Object, plan: &Plan, opened: &Opened) -> Result<Vec<Link>, libbpf_rs::Error> {
    let Programs { call, asks, line } = plan.programs;
    // Returns first: an entry whose return is missed would wait for it.
    let steps = [
        ("on_builtin_return", true, &plan.returns),
        (call, false, &plan.calls),
        (line, true, &plan.asks),
        (asks, false, &plan.asks),
        ("on_bash_prompt", false, &plan.prompt),
    ];
    // The file itself, wherever it is and whatever now has its name.
    let path = format!("/proc/self/fd/{}", opened.file.as_raw_fd());
    let mut links = Vec::new();
    for (program, retprobe, probes) in steps {
        if probes.is_empty() {
            continue;
        }
        let offset = |probe: &Probe| usize::try_from(probe.offset).unwrap_or(usize::MAX);
        let options = UprobeMultiOpts {
            offsets: probes.iter().map(offset).collect(),
            cookies: probes.iter().map(|probe| probe.cookie).collect(),
            retprobe,
            ..UprobeMultiOpts::default()
        };
        let missing = || {
            let errno = rustix::io::Errno::NOENT.raw_os_error();
            libbpf_rs::Error::from_raw_os_error(errno)
        };
        let program =
            object.progs_mut().find(|other| other.name() == program).ok_or_else(missing)?;
        links.push(program.attach_uprobe_multi_with_opts(-1, &path, "", options)?);
    }
    Ok(links)
}

/// Tells the programs the builtins by name, for shells that have one function for all.
fn tell_names(object: &Object, scope: &BuiltinScope) -> Result<(), Error> {
    let named: &[String] = match scope {
        BuiltinScope::Named(names) => names,
        BuiltinScope::Interactive | BuiltinScope::All => &[],
    };
    let noisy = plan::NOISY.into_iter().filter(|_| named.is_empty());
    for name in named.iter().map(String::as_str).chain(noisy) {
        let Some(flags) = plan::flags(&[name], scope) else { continue };
        let mut key = [0; SHORT_NAME];
        let length = name.len().min(SHORT_NAME - 1);
        key[..length].copy_from_slice(&name.as_bytes()[..length]);
        let value = u32::try_from(flags).unwrap_or_default().to_ne_bytes();
        object
            .maps()
            .find(|map| map.name() == "names")
            .map_or(Ok(()), |map| map.update(&key, &value, MapFlags::ANY))
            .map_err(|source| Error::Bpf {
                operation: "write",
                subject: "the names of builtins".to_owned(),
                source,
            })?;
    }
    Ok(())
}

impl Attached {
    fn is_unchanged(&self) -> bool {
        let found = self.opened.file.metadata();
        found.is_ok_and(|found| Content::of(&found) == self.opened.content)
    }

    fn is_doubtful(&self) -> bool {
        let has_name = self.opened.file.metadata().is_ok_and(|found| found.nlink() > 0);
        !has_name || !self.opened.is_ours
    }
}
