//! Shells that cannot be probed: what they do to themselves and to others, by their system calls.
//!
//! Invariants: the program that runs after every system call of the machine is attached only
//! while a person has such a shell, and somewhat longer; without one it costs nothing. What is
//! remembered is bounded.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use forebear_model::observation::FileId;
use forebear_model::{BootTime, Pid, ProcessKey, Shell};
use libbpf_rs::{Link, MapCore, MapFlags, Object};

use crate::Error;
use crate::live::BuiltinScope;
use crate::live::hooks::{self, EFFECT, WATCHED_EXEC};
use crate::wire::layout::{self, Settings};
use crate::wire::number_of_shell;

/// How long the program on system calls stays when nobody is there any more.
const LINGER: Duration = Duration::from_secs(5);
/// As many files as the programs' map has room for.
const MAX_FILES: usize = 256;

/// The builtins that have effects, with these.
const BUILTINS: [(&str, u32); 4] = [
    ("cd", layout::EFFECT_CHDIR | layout::EFFECT_FCHDIR),
    ("umask", layout::EFFECT_UMASK),
    ("kill", layout::EFFECT_KILL),
    ("ulimit", layout::EFFECT_LIMIT),
];

/// The files of such shells, and who types at one.
#[derive(Debug)]
pub(super) struct Effects {
    /// Which effects are told.
    wanted: u32,
    files: HashMap<FileId, Shell>,
    people: HashMap<Pid, BootTime>,
    /// When the last of them left.
    left_at: Instant,
    /// Attached while there is a file.
    on_exec: Option<Link>,
    /// Attached while there is a person.
    on_calls: Option<Link>,
    object: Object,
}

impl Effects {
    /// Loads the programs, which write to the records and counters of `process`.
    pub(super) fn load(
        scope: &BuiltinScope,
        process: &Object,
        settings: &Settings,
    ) -> Result<Self, Error> {
        let object = hooks::load_effect(process, settings)?;
        let (files, people) = (HashMap::new(), HashMap::new());
        let wanted = wanted(scope);
        let left_at = Instant::now();
        Ok(Self { wanted, files, people, left_at, on_exec: None, on_calls: None, object })
    }

    /// How many files are watched.
    pub(super) fn watched(&self) -> u64 {
        self.files.len() as u64
    }

    /// Whether a file is watched.
    pub(super) fn is_watched(&self, file: FileId) -> bool {
        self.files.contains_key(&file)
    }

    /// Watches whoever types at a shell of this file from now on.
    ///
    /// # Errors
    /// Why not, to follow "because".
    pub(super) fn watch(&mut self, file: FileId, shell: Shell) -> Result<(), String> {
        if self.wanted == 0 {
            return Err("no builtin is asked for that can be told by its effect".to_owned());
        }
        if self.files.len() >= MAX_FILES && !self.files.contains_key(&file) {
            return Err(format!("{MAX_FILES} others are watched"));
        }
        // `busybox sh`, and without a word any other.
        let arguments = if shell == Shell::Busybox { 2 } else { 1 };
        let told =
            self.map("files").and_then(|map| map.update(&key(file), &[arguments], MapFlags::ANY));
        told.map_err(|error| error.to_string())?;
        if self.on_exec.is_none() {
            let link = hooks::attach(&self.object, WATCHED_EXEC);
            self.on_exec = Some(link.map_err(|error| crate::error::with_sources(&error))?);
        }
        self.files.insert(file, shell);
        Ok(())
    }

    /// Watches a file no more.
    pub(super) fn forget(&mut self, file: FileId) {
        if self.files.remove(&file).is_some() {
            let _ = self.map("files").and_then(|map| map.delete(&key(file)));
        }
    }

    /// A person types at this process, which runs this file; nothing happens if the file is not
    /// watched.
    ///
    /// # Errors
    /// If the programs cannot be told, or not be attached.
    pub(super) fn begins(&mut self, process: ProcessKey, file: FileId) -> Result<(), Error> {
        let Some(shell) = self.files.get(&file) else { return Ok(()) };
        let person = layout::Watched {
            start: process.start.0,
            second: 0,
            calls: 0,
            shell: number_of_shell(*shell),
            effects: self.wanted,
            unused: 0,
        };
        let value = zerocopy::IntoBytes::as_bytes(&person);
        let pid = process.pid.0.to_ne_bytes();
        self.map("people").and_then(|map| map.update(&pid, value, MapFlags::ANY)).map_err(
            |source| Error::Bpf {
                operation: "write",
                subject: "the shells that people type at".to_owned(),
                source,
            },
        )?;
        self.people.insert(process.pid, process.start);
        if self.on_calls.is_none() {
            self.on_calls = Some(hooks::attach(&self.object, EFFECT)?);
        }
        Ok(())
    }

    /// A process has ended, or runs something else.
    pub(super) fn ends(&mut self, pid: Pid) {
        if self.people.remove(&pid).is_some() {
            // The program on exec may have been faster.
            let _ = self.map("people").and_then(|map| map.delete(&pid.0.to_ne_bytes()));
            self.left_at = Instant::now();
        }
    }

    /// Detaches from the system calls if nobody has been there for a while.
    pub(super) fn rest(&mut self) {
        if self.people.is_empty() && self.on_calls.is_some() && self.left_at.elapsed() >= LINGER {
            self.on_calls = None;
        }
    }

    /// Lets go of those whose end was lost.
    pub(super) fn tend(&mut self) {
        let gone: Vec<Pid> = self.people.keys().copied().filter(|pid| !lives(*pid)).collect();
        gone.into_iter().for_each(|pid| self.ends(pid));
    }

    fn map(&self, name: &str) -> libbpf_rs::Result<impl MapCore> {
        let missing =
            || libbpf_rs::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
        self.object.maps().find(|map| map.name() == name).ok_or_else(missing)
    }
}

fn lives(pid: Pid) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn wanted(scope: &BuiltinScope) -> u32 {
    let is_wanted = |name: &str| match scope {
        BuiltinScope::Interactive | BuiltinScope::All => true,
        BuiltinScope::Named(names) => names.iter().any(|other| other == name),
    };
    let wanted = BUILTINS.into_iter().filter(|(name, _)| is_wanted(name));
    wanted.fold(0, |all, (_, effects)| all | effects)
}

/// A file as the programs know it.
fn key(file: FileId) -> [u8; 16] {
    let device = file.device.major << 20 | file.device.minor;
    let mut key = [0; 16];
    key[..8].copy_from_slice(&file.inode.to_ne_bytes());
    key[8..12].copy_from_slice(&device.to_ne_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_has_their_effects_only() {
        let named = |names: &[&str]| {
            BuiltinScope::Named(names.iter().map(|name| (*name).to_owned()).collect())
        };
        assert_eq!(wanted(&named(&["umask", "export"])), layout::EFFECT_UMASK);
        assert_eq!(wanted(&named(&["export"])), 0);
        assert_eq!(wanted(&BuiltinScope::All), 31);
    }
}
