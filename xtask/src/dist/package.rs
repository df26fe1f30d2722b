//! The package itself: its description, its scripts, and the file that dpkg takes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use fs_err as fs;

use super::Programs;
use super::changelog::Release;
use super::staging::{GATE, Staging, module};
use crate::command::{read, run_quietly};
use crate::workspace;

/// The programs of dpkg's that this needs.
pub(super) const TOOLS: [&str; 4] = ["dpkg", "dpkg-architecture", "dpkg-deb", "dpkg-shlibdeps"];

const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// Where dpkg-shlibdeps looks for a package that is being built: below its source's `debian`, in a
/// folder that has a `DEBIAN`.
const STAGING: &str = "source/debian/forebear";

const DESCRIPTION: &str = "\
Description: records every program that runs, and who stands behind it
 forebear-agent records each program that runs on this machine, with its
 parent, the leader of its session, the last command that a person typed, and
 the login or service through which it came onto the machine. That one
 survives sudo, su, tmux, screen and logout.
 .
 As a service it keeps events on the local disk until they have arrived in a
 bucket or a folder. The tool forebear reads them there and verifies that
 nothing is missing or altered.
 .
 The PAM module pam_forebear.so lets logins ask who somebody is beyond the
 Linux user. Nothing uses it before it is written into a file of /etc/pam.d.
 The program forebear-gate does the same as a forced command of sshd.
 .
 It needs Linux 5.17 or later with BTF.
";

/// How much time a package is worth.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// As small as dpkg of every supported release can unpack.
    Small,
    /// To be installed once, here.
    Fast,
}

impl Effort {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Small => &["-Zxz"],
            Self::Fast => &["-Zgzip", "-z1"],
        }
    }
}

/// Builds the package into a folder; where it is.
pub(super) fn build(
    programs: &Programs,
    release: &Release,
    folder: &Path,
    effort: Effort,
) -> Result<PathBuf> {
    let staging = Staging::new(folder.join(STAGING))?;
    staging.fill(programs)?;
    pack(&staging, release, folder, effort)
}

/// Builds a package of another version from the files of the last one.
pub(super) fn rebuild(release: &Release, folder: &Path, effort: Effort) -> Result<PathBuf> {
    let staging = Staging { folder: folder.join(STAGING) };
    fs::remove_dir_all(staging.folder.join("DEBIAN"))?;
    pack(&staging, release, folder, effort)
}

fn pack(staging: &Staging, release: &Release, folder: &Path, effort: Effort) -> Result<PathBuf> {
    let architecture = said(Command::new("dpkg").arg("--print-architecture"))?;
    let sums = said(
        Command::new("sh")
            .args(["-c", "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum"])
            .current_dir(&staging.folder),
    )?;
    staging.put("DEBIAN/md5sums", format!("{sums}\n").as_bytes(), 0o644)?;
    staging.put("DEBIAN/conffiles", b"/etc/forebear/agent.toml\n", 0o644)?;
    for script in SCRIPTS {
        let text = fs::read(workspace::root().join("etc/deb").join(script))?;
        staging.put(&format!("DEBIAN/{script}"), &text, 0o755)?;
    }
    let control = control(staging, release, folder, &architecture)?;
    staging.put("DEBIAN/control", control.as_bytes(), 0o644)?;
    let deb = folder.join(format!("forebear_{}_{architecture}.deb", release.version));
    run_quietly(
        Command::new("dpkg-deb")
            .arg("--root-owner-group")
            .args(effort.arguments())
            .arg("--build")
            .arg(&staging.folder)
            .arg(&deb),
    )?;
    Ok(deb)
}

fn control(
    staging: &Staging,
    release: &Release,
    folder: &Path,
    architecture: &str,
) -> Result<String> {
    let libraries = libraries(staging, folder)?;
    let size = said(Command::new("du").args(["-sk", "--apparent-size"]).arg(&staging.folder))?;
    let size = size.split_whitespace().next().context("reading what du says")?;
    let mut text = String::new();
    let fields = [
        ("Package", "forebear"),
        ("Version", &release.version),
        ("Architecture", architecture),
        ("Maintainer", &release.maintainer),
        ("Installed-Size", size),
        // Certificates: without them no bucket is reached. passwd: groupadd, in postinst.
        ("Depends", &format!("{libraries}, ca-certificates, passwd")),
        ("Section", "admin"),
        ("Priority", "optional"),
    ];
    for (name, value) in fields {
        let _ = writeln!(text, "{name}: {value}");
    }
    text.push_str(DESCRIPTION);
    Ok(text)
}

/// The packages of the shared libraries that the programs need, with their versions.
fn libraries(staging: &Staging, folder: &Path) -> Result<String> {
    let source = folder.join("source");
    let control = "Source: forebear\n\nPackage: forebear\nArchitecture: any\n";
    fs::write(source.join("debian/control"), control)?;
    let mut command = Command::new("dpkg-shlibdeps");
    command.arg("-O").current_dir(&source);
    for built in ["usr/bin/forebear-agent", "usr/bin/forebear", GATE, &module()?] {
        command.arg(staging.folder.join(built));
    }
    let text = said(&mut command)?;
    let libraries = text.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    Ok(libraries.context("reading what dpkg-shlibdeps says")?.to_owned())
}

/// What a program prints, as text without the newline at its end.
pub(super) fn said(command: &mut Command) -> Result<String> {
    let text = String::from_utf8(read(command)?).context("reading text")?;
    Ok(text.trim_end().to_owned())
}
