//! The life of a package on a machine: installed, configured, upgraded, removed, purged.
//!
//! It takes the release build of the agent and the development builds of the rest, which are there
//! in `cargo xtask ci` anyway; nothing that is looked at depends on the profile.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;

use super::changelog::Release;
use super::package::{self, Effort, TOOLS, said};
use super::root::Root;
use super::staging::{GATE, module};
use super::{MODULE, Programs};
use crate::command::run_quietly;
use crate::workspace::{self, cargo};

const CONFIG: &str = "etc/forebear/agent.toml";
const VARIABLES: &str = "etc/forebear/agent.env";
const SPOOL: &str = "var/lib/forebear/spool";
const ENABLED: &str = "etc/systemd/system/multi-user.target.wants/forebear-agent.service";

/// What is there as long as the package is.
const INSTALLED: [&str; 17] = [
    "usr/bin/forebear-agent",
    GATE,
    "usr/bin/forebear",
    "usr/lib/systemd/system/forebear-agent.service",
    "usr/share/man/man8/forebear-agent.8.gz",
    "usr/share/man/man8/forebear-agent-run.8.gz",
    "usr/share/man/man8/forebear-gate.8.gz",
    "usr/share/man/man8/pam_forebear.8.gz",
    "usr/share/man/man1/forebear.1.gz",
    "usr/share/man/man1/forebear-verify.1.gz",
    "usr/share/bash-completion/completions/forebear-agent",
    "usr/share/bash-completion/completions/forebear",
    "usr/share/zsh/vendor-completions/_forebear-agent",
    "usr/share/fish/vendor_completions.d/forebear-agent.fish",
    "usr/share/doc/forebear/copyright",
    "usr/share/doc/forebear/changelog.Debian.gz",
    "usr/share/doc/forebear/third-party.gz",
];

/// Builds packages and lives through all of it.
pub(crate) fn run() -> Result<()> {
    if let Some(missing) = missing_means() {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        ensure!(!in_ci, "the package cannot be tried here, and CI=true demands it: {missing}");
        eprintln!("the package is not tried: {missing}");
        return Ok(());
    }
    run_quietly(&mut cargo(&["build", "--locked", "--release", "--package", "forebear-agent"]))?;
    workspace::build_programs()?;
    let programs = Programs {
        agent: workspace::built("release")?.join("forebear-agent"),
        tool: workspace::built("debug")?.join("forebear"),
        module: workspace::built("debug")?.join(MODULE),
        gate: workspace::built("debug")?.join("forebear-gate"),
    };
    let folder = workspace::built("dist")?.join("check");
    let release = Release::of_workspace()?;
    let next = Release { version: format!("{}+next", release.version), ..release.clone() };
    let first = package::build(&programs, &release, &folder, Effort::Fast)?;
    let second = package::rebuild(&next, &folder, Effort::Fast)?;
    description(&first, &release).context("the package's description")?;
    let root = folder.join("root");
    from_nothing_to_purge(&root, &first, &second).context("the life of a package")?;
    configured_before(&root, &first).context("a configuration that is there before the package")?;
    events_outlive_a_purge(&root, &first).context("a purge where events lie in a folder")
}

fn missing_means() -> Option<String> {
    let user = said(Command::new("id").arg("-u")).ok()?;
    if user != "0" {
        return Some("dpkg installs as root only".to_owned());
    }
    let is_missing = |tool: &&&str| {
        let asked = Command::new(tool).arg("--version").stdout(Stdio::null()).status();
        !asked.is_ok_and(|status| status.success())
    };
    let missing: Vec<&str> = TOOLS.iter().filter(is_missing).copied().collect();
    (!missing.is_empty()).then(|| format!("{} missing; install dpkg-dev", missing.join(", ")))
}

fn description(deb: &Path, release: &Release) -> Result<()> {
    let field = |name: &str| said(Command::new("dpkg-deb").arg("--field").arg(deb).arg(name));
    ensure!(field("Package")? == "forebear" && field("Version")? == release.version);
    let needs = field("Depends")?;
    for package in ["libc6 (>= ", "libelf1", "libpam0g", "zlib1g", "ca-certificates", "passwd"] {
        ensure!(needs.contains(package), "{package} is not in Depends: {needs}");
    }
    let kept = said(Command::new("dpkg-deb").arg("--info").arg(deb).arg("conffiles"))?;
    ensure!(kept == "/etc/forebear/agent.toml", "conffiles are {kept:?}");
    let listing = said(Command::new("dpkg-deb").arg("--contents").arg(deb))?;
    for line in listing.lines() {
        let fits = ["drwxr-xr-x root/root", "-rw-r--r-- root/root", "-rwxr-xr-x root/root"];
        ensure!(fits.iter().any(|begin| line.starts_with(begin)), "mode or owner: {line}");
    }
    Ok(())
}

fn from_nothing_to_purge(folder: &Path, first: &Path, second: &Path) -> Result<()> {
    let root = Root::fresh(folder)?;
    let talk = install(&root, first)?;
    root.has(&INSTALLED)?;
    root.has(&[CONFIG, &module()?])?;
    ensure!(
        talk.contains("systemctl enable --now forebear-agent"),
        "no word of what to do:\n{talk}"
    );
    root.has_not(&[ENABLED])?;
    for program in ["forebear-agent", "forebear"] {
        said(Command::new(root.path("usr/bin").join(program)).arg("--version"))?;
    }
    gate_is_known_by_its_group(&root).context("the gate after the installation")?;
    let changed = root.dpkg(&["--verify", "forebear"])?;
    ensure!(changed.is_empty(), "files differ from what the package says:\n{changed}");
    checks(&root, 2, "no [[destination]]")?;

    let events = folder.join("events");
    configure(&root, &events)?;
    checks(&root, 0, "The configuration works.")?;
    fs::create_dir_all(root.path(SPOOL))?;
    fs::write(root.path(SPOOL).join("ledger"), "waiting")?;
    fs::write(root.path(VARIABLES), "AWS_PROFILE=shop\n")?;
    let configuration = fs::read(root.path(CONFIG))?;

    let talk = install(&root, second)?;
    ensure!(!talk.contains("is not started"), "there is a destination now:\n{talk}");
    root.has(&INSTALLED)?;
    root.has(&[ENABLED, VARIABLES])?;
    ensure!(fs::read(root.path(CONFIG))? == configuration, "the upgrade changed {CONFIG}");
    ensure!(fs::read(root.path(SPOOL).join("ledger"))? == b"waiting", "the spool changed");

    gate_is_known_by_its_group(&root).context("the gate after the upgrade")?;

    root.dpkg(&["--remove", "forebear"])?;
    root.has_not(&INSTALLED)?;
    ensure!(fs::read(root.path(CONFIG))? == configuration, "the removal changed {CONFIG}");
    root.has(&[VARIABLES])?;
    ensure!(fs::read(root.path(SPOOL).join("ledger"))? == b"waiting", "the spool is gone");

    root.dpkg(&["--purge", "forebear"])?;
    let left = root.ours()?;
    ensure!(left.is_empty(), "the purge left {left:?}");
    Ok(())
}

/// It has the group that was made for it, and nobody else is in that.
fn gate_is_known_by_its_group(root: &Root) -> Result<()> {
    let groups = fs::read_to_string(root.path("etc/group"))?;
    let own = groups.lines().find_map(|line| line.strip_prefix("forebear-gate:x:"));
    let own = own.context("there is no group forebear-gate")?;
    let number = own.strip_suffix(':').context("somebody is in the group")?;
    let meta = fs::metadata(root.path(GATE))?;
    let found = (meta.uid(), meta.gid().to_string(), meta.mode() & 0o7777);
    ensure!(found == (0, number.to_owned(), 0o2755), "owner, group and mode are {found:?}");
    Ok(())
}

/// A fleet is configured by other means, perhaps before the package comes.
fn configured_before(folder: &Path, deb: &Path) -> Result<()> {
    let root = Root::fresh(folder)?;
    fs::create_dir_all(root.path("etc/forebear"))?;
    configure(&root, &folder.join("events"))?;
    let configuration = fs::read(root.path(CONFIG))?;
    install(&root, deb)?;
    ensure!(fs::read(root.path(CONFIG))? == configuration, "the installation changed {CONFIG}");
    root.has(&[ENABLED])
}

/// What was recorded is the operator's.
fn events_outlive_a_purge(folder: &Path, deb: &Path) -> Result<()> {
    let root = Root::fresh(folder)?;
    install(&root, deb)?;
    let object = "var/lib/forebear/events/object";
    fs::create_dir_all(root.path("var/lib/forebear/events"))?;
    fs::write(root.path(object), "events")?;
    fs::create_dir_all(root.path(SPOOL))?;
    let talk = root.dpkg(&["--purge", "forebear"])?;
    ensure!(talk.contains("/var/lib/forebear is kept"), "not a word of what is kept:\n{talk}");
    root.has(&[object])?;
    root.has_not(&[SPOOL, CONFIG])
}

fn install(root: &Root, deb: &Path) -> Result<String> {
    root.dpkg(&["--install", deb.to_str().context("the package's path is text")?])
}

/// Adds a destination to the configuration.
fn configure(root: &Root, events: &Path) -> Result<()> {
    let mut text = fs::read_to_string(root.path(CONFIG)).unwrap_or_default();
    let url = events.display();
    text.push_str(&format!("\n[[destination]]\nname = \"folder\"\nurl = \"file://{url}\"\n"));
    Ok(fs::write(root.path(CONFIG), text)?)
}

/// What the installed agent says of the installed configuration.
fn checks(root: &Root, code: i32, part: &str) -> Result<()> {
    let output = Command::new(root.path("usr/bin/forebear-agent"))
        .args(["run", "--check", "--config"])
        .arg(root.path(CONFIG))
        .stdin(Stdio::null())
        .output()
        .context("running the installed agent")?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.code() != Some(code) || !text.contains(part) {
        bail!("`run --check` ended with {} and said:\n{text}", output.status);
    }
    Ok(())
}
