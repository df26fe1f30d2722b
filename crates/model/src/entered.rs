//! Last known user-entered process: the three criteria, one function each.

use crate::ids::Pgid;
use crate::observation::State;
use crate::tty::Stream;

/// Whether a process in group `pgid` was typed by a person, seen from its parent at the time.
pub fn is_user_entered(pgid: Pgid, parent: &State) -> bool {
    reads_from_terminal(parent) && complains_to_terminal(parent) && has_its_own_group(pgid, parent)
}

/// Criterion 1: the parent's standard input is the controlling terminal, so the user could have
/// typed there.
fn reads_from_terminal(parent: &State) -> bool {
    is_controlling_terminal(parent, 0)
}

/// Criterion 2: the parent's standard error is the controlling terminal.
fn complains_to_terminal(parent: &State) -> bool {
    is_controlling_terminal(parent, 2)
}

/// Criterion 3: its process group differs from its parent's; job control gave it its own.
fn has_its_own_group(pgid: Pgid, parent: &State) -> bool {
    pgid != parent.pgid
}

fn is_controlling_terminal(parent: &State, descriptor: usize) -> bool {
    let stream = |streams: &[Option<Stream>; 3]| streams[descriptor].is_some_and(|s| s.is_ctty);
    parent.tty.is_some() && parent.streams.as_ref().is_ok_and(stream)
}
