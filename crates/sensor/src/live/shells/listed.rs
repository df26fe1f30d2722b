//! The shells that this machine lists in shells(5), and what can be told of each.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::file::Refusal;
use super::{elf, people, plan};
use crate::live::BuiltinScope;

/// Their files, each once.
pub(super) fn files() -> BTreeSet<PathBuf> {
    let list = fs::read_to_string("/etc/shells").unwrap_or_default();
    let paths = list.lines().filter(|line| line.starts_with('/'));
    paths.filter_map(|path| fs::canonicalize(path).ok()).collect()
}

/// What is told of each of them, as a sentence without its end.
pub(crate) fn what_is_told_of_shells() -> String {
    let (mut probed, mut watched, mut unseen) = (Vec::new(), Vec::new(), Vec::new());
    for path in files() {
        match kind(&path) {
            Some(Kind::Probed) => probed.push(path.display().to_string()),
            Some(Kind::Watched) => watched.push(path.display().to_string()),
            Some(Kind::Unseen) => unseen.push(path.display().to_string()),
            None => {}
        }
    }
    let parts = [
        ("all builtins and lines of", probed),
        ("only cd, umask, kill and ulimit, by their effects, of", watched),
        ("nothing of", unseen),
    ];
    let parts = parts.into_iter().filter(|(_, paths)| !paths.is_empty());
    let parts: Vec<String> =
        parts.map(|(what, paths)| format!("{what} {}", paths.join(", "))).collect();
    if parts.is_empty() { "no shell is listed in /etc/shells".to_owned() } else { parts.join("; ") }
}

enum Kind {
    Probed,
    Watched,
    Unseen,
}

/// `None` for a program that is no shell: some list what is started like one.
fn kind(path: &Path) -> Option<Kind> {
    let is_called_shell = people::shell_called(path.as_os_str().as_bytes()).is_some();
    let symbols = File::open(path)
        .map_err(|error| Refusal::Because(error.to_string()))
        .and_then(|file| elf::symbols(&file, plan::is_wanted));
    match symbols {
        Ok(symbols) if plan::plan(&symbols, &BuiltinScope::All, &mut |_, _| 0).is_some() => {
            Some(Kind::Probed)
        }
        Err(Refusal::Foreign(_)) => is_called_shell.then_some(Kind::Unseen),
        Ok(_) | Err(_) => is_called_shell.then_some(Kind::Watched),
    }
}
