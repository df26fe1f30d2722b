//! Which privileges are kept, for what, until when.
//!
//! | capability | for | until |
//! | --- | --- | --- |
//! | CAP_BPF | loading programs, making maps and the task iterator | ready; to the end before Linux 5.19 |
//! | CAP_PERFMON | tracing programs that read kernel memory | ready |
//! | CAP_SYS_PTRACE | `/proc/<pid>/{exe,cwd,fd}` of other users' processes, where there is no task iterator; `/proc/<pid>/exe` of shells in other mount namespaces, in mode control | ready; to the end without a task iterator and in mode control |
//! | CAP_DAC_READ_SEARCH | the same below directories of other users, and shells that only their owner may read | the same |
//! | every other | opening the output as root does | ready |
//!
//! Afterwards the thread has none, can never get one again (bounding set empty, no_new_privs),
//! and the process leaves no core dump with everybody's command lines in it and cannot be traced
//! by a process with fewer privileges (`PR_SET_DUMPABLE`).
//!
//! What still works without any, and is used: reading the mapped ring buffer, looking up the
//! counters' map, opening and reading the task iterator, appending to the open output, attaching
//! programs that are loaded to further shells.
//! Since Linux 5.19 (commit c8644cd0efe7) bpf(2) asks for CAP_BPF only to make maps and load
//! programs, also where `kernel.unprivileged_bpf_disabled` is set; before it asks for it always
//! there, so on such a kernel CAP_BPF is kept.
//!
//! Capabilities belong to a thread (capabilities(7)). Every thread of the agent calls
//! [`drop_all`] or is started after it was called.

use anyhow::{Context, Result};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// Drops every capability of this thread, for ever.
///
/// # Errors
/// If the kernel refuses; the caller decides whether it goes on.
pub fn drop_all() -> Result<()> {
    drop_except(CapabilitySet::empty())
}

/// Drops every capability of this thread but `kept`, for ever.
///
/// # Errors
/// As [`drop_all`].
pub fn drop_except(kept: CapabilitySet) -> Result<()> {
    let have = capabilities(None).context("reading this thread's capabilities")?;
    // The bounding set first: shrinking it needs CAP_SETPCAP. Without that it cannot be shrunk,
    // and need not be: no_new_privs keeps execve(2) from using it.
    if have.effective.contains(CapabilitySet::SETPCAP) {
        for number in 0..u64::BITS {
            let capability = CapabilitySet::from_bits_retain(1 << number);
            if kept.contains(capability) {
                continue;
            }
            match remove_capability_from_bounding_set(capability) {
                Ok(()) => {}
                // The kernel's last capability has a smaller number.
                Err(Errno::INVAL) => break,
                Err(errno) => {
                    return Err(errno).context("shrinking the capability bounding set");
                }
            }
        }
    }
    match clear_ambient_capability_set() {
        // Linux 4.3 has no ambient set (prctl(2)).
        Ok(()) | Err(Errno::INVAL) => {}
        Err(errno) => return Err(errno).context("clearing the ambient capabilities"),
    }
    let rest = have.permitted & kept;
    let sets =
        CapabilitySets { effective: rest, permitted: rest, inheritable: CapabilitySet::empty() };
    set_capabilities(None, sets).context("dropping capabilities")?;
    set_no_new_privs(true).context("setting no_new_privs")
}

/// What is still needed once recording has begun, on this kernel: see the table above.
pub fn needed_after_attach(has_task_iterator: bool, attaches_to_shells: bool) -> CapabilitySet {
    let mut needed = CapabilitySet::empty();
    if !has_task_iterator || attaches_to_shells {
        needed |= CapabilitySet::SYS_PTRACE | CapabilitySet::DAC_READ_SEARCH;
    }
    let names = rustix::system::uname();
    if is_older_than_5_19(&names.release().to_string_lossy()) {
        needed |= CapabilitySet::BPF;
    }
    needed
}

fn is_older_than_5_19(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < (5, 19),
        // A release that is not a number is no reason to keep a privilege.
        _ => false,
    }
}

/// Keeps the process's memory, which holds everybody's command lines, out of core dumps and away
/// from tracers with fewer privileges.
///
/// # Errors
/// If the kernel refuses.
pub fn hide_memory() -> Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("switching core dumps off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_dropped_all_has_none_and_gets_none() {
        // On a thread of its own: capabilities belong to a thread, and other tests keep theirs.
        let status = std::thread::spawn(|| {
            drop_all().unwrap();
            fs_err::read_to_string("/proc/thread-self/status").unwrap()
        })
        .join()
        .unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_else(|| panic!("no {name} in {status}")).trim()
        };
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(field(set), "0000000000000000", "{set}");
        }
        if rustix::process::geteuid().is_root() {
            assert_eq!(field("CapBnd:"), "0000000000000000");
        }
        assert_eq!(field("NoNewPrivs:"), "1");
    }
}
