//! What this program must not leave to whoever runs it: its memory, and its group.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, getgid, set_dumpable_behavior};

/// Keeps answers out of core dumps, and from tracers of the same user.
///
/// The kernel does so too with a set-group-id program (execve(2)), unless `fs.suid_dumpable` is 1.
pub(crate) fn hide_memory() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// Gives up the group that the file of this program has given it, for good.
pub(crate) fn give_up_group() -> Result<(), Errno> {
    let own = getgid();
    // The saved one too, or it could be taken back (setresgid(2)). There is one thread.
    rustix::thread::set_thread_res_gid(own, own, own)?;
    // The change has set it to what `fs.suid_dumpable` says (proc_sys_fs(5)).
    hide_memory()
}
