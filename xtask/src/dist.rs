//! The Debian package: `cargo xtask dist` builds it, `cargo xtask dist --check` installs one.
//!
//! dpkg's own tools make it: they are wherever a package can be tried, need no building of their
//! own, and take the programs of any profile. The files that are written by hand are in `etc/`;
//! everything else comes from the built programs and from generated files.
//!
//! libelf and zlib stay shared: the package then holds the very program that the tests ran, and
//! the distribution mends the libraries. What the programs need is computed by dpkg-shlibdeps.

mod changelog;
mod check;
mod notices;
mod package;
mod root;
mod staging;

use std::path::PathBuf;

use anyhow::Result;

use crate::command::run_quietly;
use crate::workspace::{self, cargo};

pub(crate) use check::run as check;

use self::changelog::Release;
use self::package::Effort;

/// The PAM module as cargo calls it.
const MODULE: &str = "libpam_forebear.so";

/// What is installed of what was built.
struct Programs {
    agent: PathBuf,
    tool: PathBuf,
    /// The PAM module.
    module: PathBuf,
    gate: PathBuf,
}

/// Builds the package from release builds, and says where it is.
pub(crate) fn run() -> Result<()> {
    run_quietly(&mut cargo(&[
        "build",
        "--locked",
        "--release",
        "--package",
        "forebear-agent",
        "--package",
        "forebear",
        "--package",
        "forebear-pam",
        "--package",
        "forebear-gate",
    ]))?;
    let built = workspace::built("release")?;
    let programs = Programs {
        agent: built.join("forebear-agent"),
        tool: built.join("forebear"),
        module: built.join(MODULE),
        gate: built.join("forebear-gate"),
    };
    let release = Release::of_workspace()?;
    let folder = workspace::built("dist")?;
    let deb = package::build(&programs, &release, &folder, Effort::Small)?;
    println!("{}", deb.display());
    Ok(())
}
