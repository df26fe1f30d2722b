//! What the live source needs, tried for real.
//!
//! Not asked for: `kernel.unprivileged_bpf_disabled` (the agent is privileged) and
//! RLIMIT_MEMLOCK (since 5.11 the control group is charged). Loading a program is the only proof
//! that a kernel takes it, so each hook's program is loaded, and given back at once.

use std::fs;

use zerocopy::FromZeros;

use crate::error::with_sources;
use crate::live;
use crate::live::hooks::{self, Features, Hook};
use crate::wire::layout::Settings;

/// The oldest kernel: `bpf_loop` came with it.
const OLDEST: (u32, u32) = (5, 17);

const KERNEL: &str = "kernel";

const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// One thing that the live source needs or can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its name.
    pub name: &'static str,
    /// How it stands here.
    pub outcome: Outcome,
    /// What it is needed for, to follow "because".
    pub why: &'static str,
    /// What to do about it; empty when nothing has to be done.
    pub remedy: String,
}

/// How a requirement stands. The text says what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As wanted.
    Met(String),
    /// Recording works, with less.
    Degraded(String),
    /// Recording does not work.
    Missing(String),
    /// Nobody knows: it cannot be tried as long as something else is missing.
    NotTried,
}

impl Outcome {
    /// What was found.
    pub fn detail(&self) -> &str {
        match self {
            Self::Met(detail) | Self::Degraded(detail) | Self::Missing(detail) => detail,
            Self::NotTried => "not before what is missing is there",
        }
    }

    /// Whether recording cannot work because of it.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }
}

/// Tries everything, which takes about a second.
pub fn requirements() -> Vec<Requirement> {
    let mut list = known();
    let can_load = !list.iter().any(|requirement| requirement.outcome.is_missing());
    let exit = Features::of_this_kernel().map(Features::exit);
    for (name, hook) in
        [("hook_fork", Ok(hooks::FORK)), ("hook_exec", Ok(hooks::EXEC)), ("hook_exit", exit)]
    {
        let outcome = match hook {
            _ if !can_load => Outcome::NotTried,
            Ok(hook) => loads(hook),
            Err(error) => Outcome::Missing(with_sources(&error)),
        };
        let remedy = remedy(&outcome, "report the kernel's version and this message as a bug");
        let why = "it tells of every process's beginning, program and end";
        list.push(Requirement { name, outcome, why, remedy });
    }
    list.push(iterator(can_load));
    list.push(shells(can_load));
    list
}

/// What explains best that attaching failed: the first one that is missing, or a kernel that
/// is too old by its version.
pub(crate) fn best_explanation() -> Option<Requirement> {
    let known = known();
    let missing = known.iter().find(|requirement| requirement.outcome.is_missing());
    let too_old = || {
        known.iter().find(|requirement| {
            requirement.name == KERNEL && matches!(requirement.outcome, Outcome::Degraded(_))
        })
    };
    missing.or_else(too_old).cloned()
}

/// What can be looked up without loading anything.
fn known() -> Vec<Requirement> {
    vec![privileges(), kernel(), btf(), lockdown(), login_ids()]
}

fn privileges() -> Requirement {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    Requirement {
        name: "privileges",
        outcome: privileges_of(effective),
        why: "the kernel lets only these load and attach tracing programs",
        remedy: match privileges_of(effective) {
            Outcome::Met(_) => String::new(),
            _ => "run it as root, or as a service with AmbientCapabilities=CAP_BPF CAP_PERFMON"
                .to_owned(),
        },
    }
}

fn privileges_of(effective: Option<u64>) -> Outcome {
    let Some(effective) = effective else {
        return Outcome::Missing("the own capabilities cannot be read".to_owned());
    };
    let has = |capability: u32| effective >> capability & 1 == 1;
    if has(CAP_BPF) && has(CAP_PERFMON) {
        Outcome::Met("CAP_BPF and CAP_PERFMON".to_owned())
    } else if has(CAP_SYS_ADMIN) {
        Outcome::Met("CAP_SYS_ADMIN".to_owned())
    } else {
        let names = [(CAP_BPF, "CAP_BPF"), (CAP_PERFMON, "CAP_PERFMON")];
        let missing: Vec<&str> =
            names.iter().filter(|(number, _)| !has(*number)).map(|(_, name)| *name).collect();
        Outcome::Missing(format!("{} not held", missing.join(" and ")))
    }
}

fn kernel() -> Requirement {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let outcome = match version(&release) {
        Some(version) if version >= OLDEST => Outcome::Met(release),
        // Distributions carry features back, so the hooks below have the last word.
        Some(_) => Outcome::Degraded(format!("{release} is older than 5.17")),
        None => Outcome::Degraded(format!("{release} is not a version that can be compared")),
    };
    let remedy = remedy(&outcome, "use Linux 5.17 or newer if a hook below is missing");
    let why = "bpf_loop, with which paths are walked, came with 5.17";
    Requirement { name: KERNEL, outcome, why, remedy }
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn btf() -> Requirement {
    let path = "/sys/kernel/btf/vmlinux";
    let outcome = match fs::metadata(path) {
        Ok(file) => Outcome::Met(format!("{path}, {} bytes", file.len())),
        Err(error) => Outcome::Missing(format!("{path}: {error}")),
    };
    let remedy = remedy(&outcome, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y");
    let why = "it tells where this kernel keeps what";
    Requirement { name: "btf", outcome, why, remedy }
}

fn lockdown() -> Requirement {
    let outcome = match fs::read_to_string("/sys/kernel/security/lockdown") {
        Err(_) => Outcome::Met("no lockdown".to_owned()),
        Ok(modes) => lockdown_of(&modes),
    };
    let remedy = remedy(&outcome, "boot with lockdown=integrity or without lockdown");
    let why = "the mode confidentiality forbids programs to read kernel memory";
    Requirement { name: "lockdown", outcome, why, remedy }
}

/// The file lists the modes with the active one in brackets.
fn lockdown_of(modes: &str) -> Outcome {
    let active = modes.split_whitespace().find_map(|mode| mode.strip_prefix('['));
    match active.and_then(|mode| mode.strip_suffix(']')) {
        Some("confidentiality") => Outcome::Missing("lockdown mode confidentiality".to_owned()),
        Some(mode) => Outcome::Met(format!("lockdown mode {mode}")),
        None => Outcome::Met("lockdown mode unknown".to_owned()),
    }
}

fn login_ids() -> Requirement {
    let is_there = fs::metadata("/proc/self/loginuid").is_ok();
    let outcome = if is_there {
        Outcome::Met("login uids and audit sessions".to_owned())
    } else {
        Outcome::Degraded("no /proc/self/loginuid".to_owned())
    };
    let remedy = remedy(&outcome, "use a kernel built with CONFIG_AUDIT=y");
    let why = "they lead from an orphaned process back to its login";
    Requirement { name: "audit_login_ids", outcome, why, remedy }
}

/// For programs that are loaded only to see whether they can be.
fn trial_settings() -> Settings {
    Settings { wake_bytes: 4096, max_argv: 4096, ..Settings::new_zeroed() }
}

fn loads(hook: Hook) -> Outcome {
    match hooks::load_process(&[hook], &trial_settings(), 64 << 10)
        .and_then(|object| hooks::attach(&object, hook).map(drop))
    {
        Ok(()) => Outcome::Met(hook.section.to_owned()),
        Err(error) => Outcome::Missing(with_sources(&error)),
    }
}

fn iterator(can_load: bool) -> Requirement {
    let try_one = |hook: Hook| hooks::load_running(hook).map(|_| hook.section.to_owned());
    let outcome = if can_load {
        match (try_one(hooks::SLEEPABLE), try_one(hooks::PLAIN)) {
            (Ok(section), _) => Outcome::Met(section),
            (Err(_), Ok(section)) => {
                Outcome::Degraded(format!("{section} only; arguments come from /proc"))
            }
            (_, Err(error)) => Outcome::Degraded(with_sources(&error)),
        }
    } else {
        Outcome::NotTried
    };
    let remedy = remedy(&outcome, "use Linux 5.18 or newer; until then /proc is read instead");
    let why = "it gives processes that already run with exact start times";
    Requirement { name: "task_iterator", outcome, why, remedy }
}

/// What mode control needs besides.
fn shells(can_load: bool) -> Requirement {
    let hook = hooks::FORK;
    let outcome = if can_load {
        let (probes, effects) = match hooks::load_process(&[hook], &trial_settings(), 64 << 10) {
            Ok(object) => (
                hooks::load_shell(&object, &trial_settings()).map(drop),
                hooks::load_effect(&object, &trial_settings()).map(drop),
            ),
            Err(error) => (Err(error), Ok(())),
        };
        match (probes, effects) {
            (Ok(()), Ok(())) => Outcome::Met(live::what_is_told_of_shells()),
            (Ok(()), Err(error)) => Outcome::Degraded(format!(
                "bash and zsh only, no effects of other shells: {}",
                with_sources(&error)
            )),
            (Err(error), _) => Outcome::Degraded(with_sources(&error)),
        }
    } else {
        Outcome::NotTried
    };
    let remedy = remedy(&outcome, "use Linux 6.6 or newer; until then effects are recorded");
    let why = "mode control records builtins by probes on the shells, or by their effects";
    Requirement { name: "shell_builtins", outcome, why, remedy }
}

fn remedy(outcome: &Outcome, what: &str) -> String {
    match outcome {
        Outcome::Met(_) | Outcome::NotTried => String::new(),
        Outcome::Degraded(_) | Outcome::Missing(_) => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_capabilities_are_enough_and_the_missing_one_is_named() {
        let both = 1 << CAP_BPF | 1 << CAP_PERFMON;
        assert!(!privileges_of(Some(both)).is_missing());
        assert!(!privileges_of(Some(1 << CAP_SYS_ADMIN)).is_missing());
        let outcome = privileges_of(Some(1 << CAP_BPF));
        assert_eq!(outcome, Outcome::Missing("CAP_PERFMON not held".to_owned()));
    }

    #[test]
    fn releases_are_compared_by_number() {
        assert_eq!(version("6.18.44-fc-v782"), Some((6, 18)));
        assert_eq!(version("5.9-rc1"), Some((5, 9)));
        assert!(version("5.9.1").unwrap() < OLDEST);
        assert_eq!(version("next"), None);
    }

    #[test]
    fn only_confidentiality_is_in_the_way() {
        assert!(lockdown_of("none integrity [confidentiality]\n").is_missing());
        assert!(!lockdown_of("none [integrity] confidentiality\n").is_missing());
        assert!(!lockdown_of("[none] integrity confidentiality\n").is_missing());
    }
}
