//! The shells that are attached: found by what their files are, at their first run.
//!
//! Invariants: the number of attached files is bounded, and so is what is remembered of others; a
//! file that cannot be attached is told once and never stops anything; a file that is written to,
//! or has no name any more and is not run, is let go. Nothing of a shell is changed but the probed
//! instructions while it is attached, and the kernel puts those back.

mod elf;
mod file;
mod plan;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use forebear_model::Shell;
use forebear_model::observation::FileId;
use libbpf_rs::{Link, MapCore, MapFlags, Object, UprobeMultiOpts};

use self::file::{Content, Opened, Refusal, Stamp};
use self::plan::{Plan, Probe};
use super::hooks;
use crate::Error;
use crate::error::with_sources;
use crate::wire::Decoder;

pub(in crate::live) use self::file::Seen;
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
const TEND_INTERVAL: Duration = Duration::from_secs(30);
/// The bytes of a name in the programs' map of names.
const SHORT_NAME: usize = 16;

/// Names under which a file without usable symbols is taken for a shell that should be told of.
const SHELL_NAMES: [&str; 13] = [
    "ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "rbash", "sh", "tcsh", "yash",
    "zsh",
];

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
    object: Object,
}

#[derive(Debug)]
struct Attached {
    opened: Opened,
    _links: Vec<Link>,
}

impl Shells {
    /// Loads the programs, which write to the records and counters of `process`.
    pub(super) fn load(
        options: ShellOptions,
        process: &Object,
        settings: &crate::wire::layout::Settings,
    ) -> Result<Self, Error> {
        let object = hooks::load_shell(process, settings)?;
        let mut shells = Self {
            options,
            known: HashMap::new(),
            attached: HashMap::new(),
            missed: HashSet::new(),
            refused: 0,
            told: HashSet::new(),
            notes: Vec::new(),
            tended_at: Instant::now(),
            object,
        };
        shells.tell_names()?;
        Ok(shells)
    }

    /// How many files are attached now.
    pub(super) fn attached(&self) -> u64 {
        self.attached.len() as u64
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
        let list = fs::read_to_string("/etc/shells").unwrap_or_default();
        for line in list.lines().filter(|line| line.starts_with('/')) {
            let Ok(path) = fs::canonicalize(line) else { continue };
            let Ok(found) = fs::metadata(&path) else { continue };
            let file = FileId { device: file::device(found.dev()), inode: found.ino() };
            let path = Some(path.as_os_str().as_bytes().into());
            self.consider(&Seen { file, path, pid: None }, decoder);
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

    /// Looks at a file that somebody runs, and attaches it if it is a shell.
    pub(super) fn consider(&mut self, seen: &Seen, decoder: &mut Decoder) {
        if self.is_attached(seen.file) || !self.is_meant(seen.path.as_deref()) {
            return;
        }
        if let Some(stamp) = self.known.get(&seen.file) {
            self.let_go(*stamp);
        }
        self.missed.remove(&seen.file);
        match self.examine(seen, decoder) {
            Ok(Some(stamp)) => {
                self.known.insert(seen.file, stamp);
            }
            Ok(None) => {}
            Err(Refusal::Gone) => {
                if self.missed.len() >= MAX_REMEMBERED {
                    self.missed.clear();
                }
                self.missed.insert(seen.file);
            }
            Err(Refusal::Because(reason)) => self.tell(seen, &reason),
        }
    }

    /// Tells of a shell that is not attached, if it is taken for one, and once.
    fn tell(&mut self, seen: &Seen, reason: &str) {
        let path = seen.path.as_deref().unwrap_or_default();
        if !is_called_shell(path) || self.told.contains(path) {
            return;
        }
        if self.told.len() >= MAX_REMEMBERED {
            self.told.clear();
        }
        self.told.insert(path.into());
        self.refused += 1;
        let path = String::from_utf8_lossy(path);
        let note = format!("the builtins of the shell {path:?} are not recorded: it {reason}");
        self.notes.push(note);
    }

    /// Attaches a file; `None` if it is no shell that is known.
    fn examine(&mut self, seen: &Seen, decoder: &mut Decoder) -> Result<Option<Stamp>, Refusal> {
        let opened = file::open(seen)?;
        // The same file under two device numbers.
        if self.attached.contains_key(&opened.stamp) {
            return Ok(Some(opened.stamp));
        }
        let symbols = elf::symbols(&opened.file, plan::is_wanted).map_err(Refusal::Because)?;
        let mut number = |shell, function: &str| decoder.number_of(shell, function);
        let Some(plan) = plan::plan(&symbols, &self.options.builtins, &mut number) else {
            self.tell(seen, "exports no symbols of its builtins");
            return Ok(None);
        };
        if self.attached.len() >= MAX_ATTACHED {
            let reason = format!("is one more than the {MAX_ATTACHED} that are attached at once");
            return Err(Refusal::Because(reason));
        }
        let links = self.attach(&plan, &opened).map_err(|error| {
            Refusal::Because(format!("cannot be attached ({})", with_sources(&error)))
        })?;
        let attached = Attached { opened, _links: links };
        if !attached.is_unchanged() {
            return Err(Refusal::Because("was written to while it was attached".to_owned()));
        }
        let stamp = attached.opened.stamp;
        self.attached.insert(stamp, attached);
        Ok(Some(stamp))
    }

    fn is_meant(&self, path: Option<&[u8]>) -> bool {
        let path = path.map(|path| Path::new(OsStr::from_bytes(path)));
        let below = &self.options.below;
        below.is_empty()
            || path.is_some_and(|path| below.iter().any(|folder| path.starts_with(folder)))
    }

    fn attach(&self, plan: &Plan, opened: &Opened) -> Result<Vec<Link>, libbpf_rs::Error> {
        let (call, asks, line) = match plan.shell {
            Shell::Bash => ("on_bash_builtin", "on_bash_asks", "on_bash_line"),
            Shell::Zsh => ("on_zsh_builtin", "on_zsh_asks", "on_zsh_line"),
        };
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
            let program = self
                .object
                .progs_mut()
                .find(|other| other.name() == program)
                .ok_or_else(missing)?;
            links.push(program.attach_uprobe_multi_with_opts(-1, &path, "", options)?);
        }
        Ok(links)
    }

    /// Lets go of files that were written to, and of those that nobody can run again: without a
    /// name, or of another mount namespace, and not run now. `running` lists what is run.
    pub(super) fn tend(&mut self, running: &mut dyn FnMut() -> HashSet<FileId>) {
        if self.tended_at.elapsed() < TEND_INTERVAL {
            return;
        }
        self.tended_at = Instant::now();
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

    /// Tells the programs the builtins by name, for shells that have one function for all.
    fn tell_names(&mut self) -> Result<(), Error> {
        let named: &[String] = match &self.options.builtins {
            BuiltinScope::Named(names) => names,
            BuiltinScope::Interactive | BuiltinScope::All => &[],
        };
        let noisy = plan::NOISY.into_iter().filter(|_| named.is_empty());
        for name in named.iter().map(String::as_str).chain(noisy) {
            let Some(flags) = plan::flags(&[name], &self.options.builtins) else { continue };
            let mut key = [0; SHORT_NAME];
            let length = name.len().min(SHORT_NAME - 1);
            key[..length].copy_from_slice(&name.as_bytes()[..length]);
            let value = u32::try_from(flags).unwrap_or_default().to_ne_bytes();
            self.object
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

fn is_called_shell(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    SHELL_NAMES.iter().any(|shell| shell.as_bytes() == name)
}
