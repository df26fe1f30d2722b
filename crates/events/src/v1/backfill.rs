//! BACKFILL: a process was already running.

use super::envelope::process_event;

process_event! {
    /// A process that was already running when the agent started, or that an overload made it
    /// miss. Its facts are those of the moment at which it was found.
    pub struct Backfill {}
}
