//! Where things are: the repository's root, cargo, and cargo's own description of the workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::command::run_quietly;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// A cargo command in the repository's root, by the same cargo that runs this program.
///
/// Without what that one has said of this package: ring's build script looks at it, so ring and all
/// that is above it, the SQL engine too, would be built anew after each command from a shell.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// The command that builds the programs together with their tests.
///
/// What a dependency is built with depends on everything that is built beside it, and the SQL
/// engine takes minutes: so there is one way to build the programs, and it is the tests' own.
pub(crate) const BUILD_PROGRAMS: [&str; 6] =
    ["build", "--locked", "--workspace", "--lib", "--bins", "--tests"];

/// Builds the programs, unoptimised, in the one way.
pub(crate) fn build_programs() -> Result<()> {
    run_quietly(&mut cargo(&BUILD_PROGRAMS))
}

/// The workspace and all its dependencies, as the lock file has them.
pub(crate) fn metadata() -> Result<Metadata> {
    metadata_with(&[])
}

/// The same without what is only needed on other platforms than a target of rustc's.
pub(crate) fn metadata_on(target: &str) -> Result<Metadata> {
    metadata_with(&["--filter-platform", target])
}

fn metadata_with(options: &[&str]) -> Result<Metadata> {
    let options = ["--locked"].iter().chain(options).map(|option| (*option).to_owned());
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(options.collect::<Vec<_>>())
        .exec()
        .context("asking cargo for the workspace's metadata")
}

/// The folder of the built programs of a profile: `debug` or `release`.
pub(crate) fn built(profile: &str) -> Result<PathBuf> {
    Ok(metadata()?.target_directory.into_std_path_buf().join(profile))
}
