//! Whether this machine has what a test needs; if not, the test says so and is not run.
//!
//! With `CI=true` in the environment a missing means is a failure: no test passes there by not
//! being run.

#![expect(clippy::print_stderr, reason = "the reason for a test that is not run goes there")]

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Mode, OFlags};

use crate::agent;
use crate::process;
use crate::sshd::SSHD;

/// Something that a test needs of the machine.
#[derive(Clone, Copy, Debug)]
pub enum Means {
    /// Root, a kernel that the agent can record on, and no login above the test.
    Recording,
    /// A program in the search path or in `/usr/sbin`.
    Program(&'static str),
    /// A file or folder.
    Path(&'static str),
    /// A package of npm, installed in a folder that has a `package-lock.json`.
    NodePackage(&'static str, &'static str),
    /// A module of the python3 in the search path.
    PythonModule(&'static str),
    /// A mounted version 2 hierarchy of control groups.
    ControlGroups,
    /// A terminal device that can be opened and that nobody uses.
    Terminal(&'static str),
}

/// What a recorded login by ssh needs.
pub const LOGIN: &[Means] = &[
    Means::Recording,
    Means::Path(SSHD),
    Means::Program("ssh"),
    Means::Program("ssh-keygen"),
    Means::Program("useradd"),
];

/// What the small C programs need.
pub const DEED: &[Means] = &[Means::Recording, Means::Program("clang")];

/// Whether everything needed is there. If not, says what is missing, and panics under CI.
#[track_caller]
pub fn available(needed: &[Means]) -> bool {
    let missing: Vec<String> = needed.iter().filter_map(|means| means.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    let text = missing.join("; ");
    assert!(!in_ci(), "this test cannot be run here, and CI=true demands it: {text}");
    eprintln!("not run: {text}");
    false
}

/// Whether a missing means is a failure.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Where a program is, if it is installed.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl Means {
    /// What is missing and how to get it.
    fn missing(self) -> Option<String> {
        match self {
            Self::Recording => no_root().or_else(below_a_login).or_else(agent::why_not),
            Self::Program(name) => find_program(name).is_none().then(|| {
                format!("the program {name} is not installed (a Debian package provides it)")
            }),
            Self::Path(path) => {
                (!Path::new(path).exists()).then(|| format!("{path} does not exist"))
            }
            Self::NodePackage(folder, name) => {
                let is_there = Path::new(folder).join("node_modules").join(name).exists();
                (!is_there).then(|| {
                    format!("the package {name} is not installed; `npm ci --prefix {folder}` does")
                })
            }
            Self::PythonModule(name) => (!has_module(name)).then(|| {
                format!("python3 has no module {name}; `make test` installs the one that is tested")
            }),
            Self::ControlGroups => control_groups().is_none().then(|| {
                "no version 2 hierarchy of control groups is mounted (cgroups(7))".to_owned()
            }),
            Self::Terminal(path) => terminal_trouble(path),
        }
    }
}

/// Whether python3 would find a module; it is not loaded, which may take seconds.
fn has_module(name: &str) -> bool {
    let Some(python) = find_program("python3") else { return false };
    let program =
        format!("import importlib.util as u; raise SystemExit(not u.find_spec('{name}'))");
    Command::new(python).args(["-c", &program]).status().is_ok_and(|status| status.success())
}

/// Where the version 2 hierarchy of control groups is mounted.
pub fn control_groups() -> Option<PathBuf> {
    let mounts = fs_err::read_to_string("/proc/mounts").ok()?;
    let mut fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    fields.find_map(|fields| (fields.get(2) == Some(&"cgroup2")).then(|| fields[1].into()))
}

/// A getty on a terminal that somebody uses would take it away from them.
fn terminal_trouble(path: &str) -> Option<String> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(error) => return Some(format!("{path} cannot be opened: {error}")),
    };
    if !rustix::termios::isatty(&file) {
        return Some(format!("{path} is no terminal"));
    }
    let device = rustix::fs::fstat(&file).map(|facts| facts.st_rdev).unwrap_or_default();
    // Field 7 of proc_pid_stat(5); these devices have small numbers, where it equals the device's.
    let uses = |pid: &u32| {
        let tty = process::stat(*pid).and_then(|fields| fields.get(4)?.parse::<u64>().ok());
        tty == Some(device)
    };
    let user = process::all_pids().into_iter().find(uses)?;
    Some(format!("{path} is in use by process {user}"))
}

fn no_root() -> Option<String> {
    let root = rustix::process::geteuid().is_root();
    (!root).then(|| "recording needs root: run the tests as root".to_owned())
}

/// A login above the test is everybody's inception, so that an inner login is none: the rules say
/// that nothing nested below an inception replaces it.
fn below_a_login() -> Option<String> {
    let advice = "start the tests from a service instead, for example with \
                  `systemd-run --pipe --wait --working-directory=$PWD make test`";
    let login_uid = fs_err::read_to_string("/proc/self/loginuid").unwrap_or_default();
    let unset = u32::MAX.to_string();
    if !login_uid.trim().is_empty() && login_uid.trim() != unset {
        return Some(format!(
            "the tests run inside the login of user id {}, so a login made by a test is no new \
             inception: {advice}",
            login_uid.trim()
        ));
    }
    let mut pid = std::process::id();
    while let Some(fields) = process::stat(pid) {
        // Fields 6 and 7 of proc(5): the session and the controlling terminal.
        let leads = fields.get(3).is_some_and(|sid| *sid == pid.to_string());
        let has_terminal = fields.get(4).is_some_and(|tty| tty != "0");
        if leads && has_terminal {
            return Some(format!(
                "the tests run inside the terminal session of process {pid}, so a login made by a \
                 test is no new inception: {advice}"
            ));
        }
        match process::parent(pid) {
            Some(parent) if parent > 0 => pid = parent,
            _ => break,
        }
    }
    None
}
