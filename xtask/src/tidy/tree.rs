//! The repository's text files.
//!
//! They are found by walking, not by asking git, so that the rules hold in an unpacked archive and
//! for files that are not committed yet.

use std::path::Path;

use anyhow::Result;
use fs_err as fs;

/// Folders that hold no text of ours, wherever they are.
const PASSED_OVER: [&str; 6] =
    [".git", "target", "artifacts", "coverage", "corpus", "node_modules"];

/// One text file of the repository.
#[derive(Debug)]
pub(super) struct File {
    /// Its path from the root, with `/` between the parts.
    pub(super) path: String,
    /// What it holds.
    pub(super) text: String,
}

impl File {
    /// The name without the folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The part of the name after its last dot, or nothing.
    pub(super) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Every file below `root` that is UTF-8 text, sorted by path.
pub(super) fn files(root: &Path) -> Result<Vec<File>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name();
            // In a worktree of git's, .git is a file.
            if PASSED_OVER.iter().any(|passed| name == *passed) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
            {
                let path = entry.path();
                let path = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
                found.push(File { path: path.replace('\\', "/"), text });
            }
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}
