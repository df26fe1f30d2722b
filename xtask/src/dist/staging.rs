//! The folder that becomes the package: which file goes where, with which mode.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use fs_err as fs;

use super::package::said;
use super::{Programs, changelog, notices};
use crate::command::run_quietly;
use crate::workspace;

const DOC: &str = "usr/share/doc/forebear";

/// Where the gate is.
pub(super) const GATE: &str = "usr/lib/forebear/forebear-gate";

/// A folder that is filled.
pub(super) struct Staging {
    pub(super) folder: PathBuf,
}

impl Staging {
    /// An empty one in place of what was there.
    pub(super) fn new(folder: PathBuf) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let staging = Self { folder };
        staging.open_to_all(&staging.folder)?;
        Ok(staging)
    }

    /// Everything that is installed.
    pub(super) fn fill(&self, programs: &Programs) -> Result<()> {
        let built = [
            (&programs.agent, "usr/bin/forebear-agent".to_owned(), 0o755),
            (&programs.tool, "usr/bin/forebear".to_owned(), 0o755),
            // As every module: loaded, not run.
            (&programs.module, module()?, 0o644),
            // Its group is made when it is installed, and the mode comes with the group: postinst.
            (&programs.gate, GATE.to_owned(), 0o755),
        ];
        for (built, to, mode) in built {
            self.put(&to, &fs::read(built)?, mode)?;
            run_quietly(Command::new("strip").arg("--strip-unneeded").arg(self.folder.join(to)))?;
        }
        let root = workspace::root();
        let unit = fs::read(root.join("etc/forebear-agent.service"))?;
        self.put("usr/lib/systemd/system/forebear-agent.service", &unit, 0o644)?;
        self.put("etc/forebear/agent.toml", &fs::read(root.join("etc/agent.toml"))?, 0o644)?;
        for (name, page) in files(&root.join("man"))? {
            let section = name.rsplit('.').next().unwrap_or_default();
            self.put_packed(&format!("usr/share/man/man{section}/{name}.gz"), &page)?;
        }
        for (name, text) in files(&root.join("completions"))? {
            let to = if let Some(program) = name.strip_suffix(".bash") {
                format!("usr/share/bash-completion/completions/{program}")
            } else if name.ends_with(".fish") {
                format!("usr/share/fish/vendor_completions.d/{name}")
            } else if name.starts_with('_') {
                format!("usr/share/zsh/vendor-completions/{name}")
            } else {
                bail!("completions/{name}: no shell reads such a file; mend xtask/src/dist");
            };
            self.put(&to, &text, 0o644)?;
        }
        let copyright = fs::read(root.join("etc/deb/copyright"))?;
        self.put(&format!("{DOC}/copyright"), &copyright, 0o644)?;
        let log = fs::read(root.join(changelog::PATH))?;
        self.put_packed(&format!("{DOC}/changelog.Debian.gz"), &log)?;
        self.put_packed(&format!("{DOC}/third-party.gz"), notices::all()?.as_bytes())
    }

    /// Writes one file.
    pub(super) fn put(&self, to: &str, bytes: &[u8], mode: u32) -> Result<()> {
        let path = self.folder.join(to);
        let above = path.strip_prefix(&self.folder).ok().and_then(Path::parent);
        let mut folder = self.folder.clone();
        for part in above.into_iter().flatten() {
            folder.push(part);
            if !folder.exists() {
                fs::create_dir(&folder)?;
                self.open_to_all(&folder)?;
            }
        }
        fs::write(&path, bytes)?;
        Ok(fs::set_permissions(&path, PermissionsExt::from_mode(mode))?)
    }

    /// Writes one file, compressed: without name and time, so that the same is the same again.
    fn put_packed(&self, to: &str, bytes: &[u8]) -> Result<()> {
        self.put(to, &gzip(bytes)?, 0o644)
    }

    /// Whatever the umask of who builds it is.
    fn open_to_all(&self, folder: &Path) -> Result<()> {
        Ok(fs::set_permissions(folder, PermissionsExt::from_mode(0o755))?)
    }
}

/// Where PAM looks for the module on this architecture.
pub(super) fn module() -> Result<String> {
    let tuple = said(Command::new("dpkg-architecture").args(["-q", "DEB_HOST_MULTIARCH"]))?;
    Ok(format!("usr/lib/{tuple}/security/pam_forebear.so"))
}

/// The files of a folder by name, in order.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
    }
    files.sort();
    Ok(files)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = Command::new("gzip")
        .args(["--best", "--no-name", "--stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting gzip")?;
    let mut to = gzip.stdin.take().context("taking gzip's standard input")?;
    let bytes = bytes.to_vec();
    let writing = std::thread::spawn(move || std::io::Write::write_all(&mut to, &bytes));
    let output = gzip.wait_with_output().context("waiting for gzip")?;
    if !matches!(writing.join(), Ok(Ok(()))) || !output.status.success() {
        bail!("gzip ended with {}", output.status);
    }
    Ok(output.stdout)
}
