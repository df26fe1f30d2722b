//! A machine to install on: a fresh folder that dpkg takes as its root.
//!
//! The scripts of the package run here with `DPKG_ROOT` set and not in a chroot, so that the
//! folder needs no shell of its own. What they need of other packages is not there either, and
//! dpkg is told that this is fine.
//!
//! Out of reach: a service manager. Nothing is started, stopped or reloaded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;

/// The root.
pub(super) struct Root(PathBuf);

impl Root {
    /// A fresh one in place of what was there.
    pub(super) fn fresh(folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        for part in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log", "etc"] {
            fs::create_dir_all(folder.join(part))?;
        }
        fs::write(folder.join("var/lib/dpkg/status"), "")?;
        // As base-passwd has them on every machine.
        for (file, line) in [("passwd", "root:x:0:0:root:/root:/bin/bash"), ("group", "root:x:0:")]
        {
            fs::write(folder.join("etc").join(file), format!("{line}\n"))?;
        }
        Ok(Self(folder.to_owned()))
    }

    /// Something in it.
    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    /// Runs dpkg; everything that it and the scripts say.
    pub(super) fn dpkg(&self, arguments: &[&str]) -> Result<String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("dpkg")
            .arg(format!("--root={}", self.0.display()))
            .args(["--force-script-chrootless", "--force-depends", "--force-confold"])
            .args(arguments)
            .env("PATH", format!("{path}:/usr/sbin:/sbin"))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .context("running dpkg")?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        if !output.status.success() {
            bail!("dpkg {} ended with {}:\n{text}", arguments.join(" "), output.status);
        }
        Ok(text)
    }

    /// These are there.
    pub(super) fn has(&self, paths: &[&str]) -> Result<()> {
        let missing: Vec<_> = paths.iter().filter(|path| !self.is_there(path)).collect();
        ensure!(missing.is_empty(), "missing: {missing:?}");
        Ok(())
    }

    /// These are not there.
    pub(super) fn has_not(&self, paths: &[&str]) -> Result<()> {
        let left: Vec<_> = paths.iter().filter(|path| self.is_there(path)).collect();
        ensure!(left.is_empty(), "left behind: {left:?}");
        Ok(())
    }

    /// Everything with our name in it, from the root, in order.
    pub(super) fn ours(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if fs::symlink_metadata(&path)?.is_dir() {
                    folders.push(path.clone());
                }
                let below = path.strip_prefix(&self.0).unwrap_or(&path);
                let below = below.to_string_lossy().into_owned();
                if below.contains("forebear") {
                    found.push(below);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// A link counts even if it leads nowhere.
    fn is_there(&self, below: &str) -> bool {
        self.path(below).symlink_metadata().is_ok()
    }
}
