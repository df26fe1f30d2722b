//! The notices of everything that is built into the programs, as their licences ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, PackageId};
use fs_err as fs;

use super::package::said;
use crate::workspace;

/// How the files begin that hold a notice.
const BEGINNINGS: [&str; 4] = ["license", "licence", "copying", "notice"];

/// Name, version, licence and notices of each package, in order of name.
pub(super) fn all() -> Result<String> {
    let host = said(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let metadata = workspace::metadata_on(&host)?;
    let mut text = String::from("What is built into forebear and forebear-agent.\n");
    // Many packages have the same text; it is written once.
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for id in built_in(&metadata)? {
        let package = &metadata[&id];
        let name = format!("{} {}", package.name, package.version);
        let licence = package.license.as_deref().unwrap_or("its own licence, below");
        let _ = write!(text, "\n== {name}: {licence}\n");
        let Some(folder) = package.manifest_path.parent() else { continue };
        for notice in notices(folder.as_std_path())? {
            match seen.get(&notice) {
                Some(first) => {
                    let _ = write!(text, "\nThe same as of {first}.\n");
                }
                None => {
                    let _ = write!(text, "\n{}\n", notice.trim_end());
                    seen.insert(notice, name.clone());
                }
            }
        }
    }
    Ok(text)
}

/// Every foreign package that the two programs need when they run.
fn built_in(metadata: &Metadata) -> Result<BTreeSet<PackageId>> {
    let resolve = metadata.resolve.as_ref().context("asking cargo for the dependencies")?;
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let ours = metadata.workspace_packages();
    let programs = ours
        .iter()
        .filter(|package| ["forebear", "forebear-agent"].contains(&package.name.as_str()));
    let mut to_see: Vec<&PackageId> = programs.map(|package| &package.id).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = to_see.pop() {
        if !found.insert(id.clone()) {
            continue;
        }
        let Some(node) = nodes.get(id) else { continue };
        let runs = node.deps.iter().filter(|dependency| {
            dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        });
        to_see.extend(runs.map(|dependency| &dependency.pkg));
    }
    found.retain(|id| !metadata.workspace_members.contains(id));
    Ok(found)
}

/// The texts in a package's folder that are notices, without blanks at the ends of lines.
fn notices(folder: &Path) -> Result<Vec<String>> {
    let mut notices = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if entry.path().is_file() && BEGINNINGS.iter().any(|begin| name.starts_with(begin)) {
            let text = String::from_utf8_lossy(&fs::read(entry.path())?).into_owned();
            let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
            notices.insert(name, lines.join("\n"));
        }
    }
    Ok(notices.into_values().collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_built_in_is_named_with_its_notice() {
        let text = super::all().expect("the notices");
        for part in ["\n== libbpf-sys ", "\n== object_store ", "Permission is hereby granted"] {
            assert!(text.contains(part), "{part:?} is missing");
        }
        for not in ["\n== s3s ", "\n== forebear", "\n== libbpf-cargo ", "\n== windows"] {
            assert!(!text.contains(not), "{not:?} is not built in");
        }
    }
}
