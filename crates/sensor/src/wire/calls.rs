//! Builtins that have begun and are waited for, so that they can be told with what they returned;
//! and effects that may be taken back at once.
//!
//! Invariants: nothing is held longer than [`PATIENCE`], and nothing of a process after that
//! process has done something else that is told; so the order of what one process does stays, and
//! a builtin that never returns is told all the same. Memory is bounded.

use std::collections::HashMap;

use super::layout::{Builtin, Effect, Key, Return};

/// How long a builtin is waited for, in nanoseconds of the boot clock.
const PATIENCE: u64 = 1_000_000_000;
/// So many shells are never within a builtin at once but in an attack; more are not waited for.
const MAX_PENDING: usize = 1024;
const MAX_SPARE: usize = 16;
/// Functions have numbers of 16 bits.
const NO_FUNCTION: u32 = u32::MAX;

#[derive(Debug, Default)]
pub(super) struct Calls {
    pending: HashMap<u32, Call>,
    spare: Vec<Vec<u8>>,
}

/// A builtin that has begun.
#[derive(Debug)]
pub(super) struct Call {
    at: u64,
    start: u64,
    function: u32,
    /// Its whole record.
    pub(super) record: Vec<u8>,
}

impl Calls {
    /// Keeps a builtin until it returns; says whether there is room for it.
    pub(super) fn keep(&mut self, head: &Builtin, record: &[u8]) -> bool {
        self.keep_as(head.record.at, head.process, head.function, record)
    }

    /// Keeps an effect that may be taken back; says whether there is room for it.
    pub(super) fn keep_effect(&mut self, head: &Effect, record: &[u8]) -> bool {
        self.keep_as(head.record.at, head.process, NO_FUNCTION, record)
    }

    fn keep_as(&mut self, at: u64, process: Key, function: u32, record: &[u8]) -> bool {
        if self.pending.len() >= MAX_PENDING {
            return false;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(record);
        let call = Call { at, start: process.start, function, record: bytes };
        self.pending.insert(process.pid, call);
        true
    }

    /// The effect of a process that is kept.
    pub(super) fn effect(&self, process: Key) -> Option<&[u8]> {
        let call = self.pending.get(&process.pid)?;
        let is_it = call.function == NO_FUNCTION && call.start == process.start;
        is_it.then_some(&*call.record)
    }

    /// Whether nothing is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// What a process has begun, because it now does something else.
    pub(super) fn interrupt(&mut self, pid: u32) -> Option<Call> {
        self.pending.remove(&pid)
    }

    /// What has returned.
    pub(super) fn finish(&mut self, returned: &Return) -> Option<Call> {
        let pid = returned.process.pid;
        let call = self.pending.get(&pid)?;
        let is_it = call.function == returned.function && call.start == returned.process.start;
        if is_it { self.pending.remove(&pid) } else { None }
    }

    /// One that has been waited for long enough.
    pub(super) fn overdue(&mut self, now: u64) -> Option<Call> {
        let late = |call: &Call| now.saturating_sub(call.at) >= PATIENCE;
        let mut late = self.pending.iter().filter(|(_, call)| late(call));
        let pid = late.by_ref().min_by_key(|(_, call)| call.at).map(|(pid, _)| *pid)?;
        self.pending.remove(&pid)
    }

    /// Takes a record's memory back.
    pub(super) fn put_back(&mut self, call: Call) {
        if self.spare.len() < MAX_SPARE {
            self.spare.push(call.record);
        }
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    fn began(pid: u32, at: u64, function: u32) -> Builtin {
        let mut head = Builtin::new_zeroed();
        (head.record.at, head.process.pid, head.function) = (at, pid, function);
        head
    }

    fn returned(pid: u32, function: u32) -> Return {
        let mut head = Return::new_zeroed();
        (head.process.pid, head.function) = (pid, function);
        head
    }

    #[test]
    fn a_builtin_is_ended_by_its_own_return_only() {
        let mut calls = Calls::default();
        assert!(calls.keep(&began(7, 1, 3), b"pushd"));
        assert!(calls.finish(&returned(7, 4)).is_none(), "another function's");
        assert!(calls.finish(&returned(8, 3)).is_none(), "another process's");
        assert_eq!(calls.finish(&returned(7, 3)).unwrap().record, b"pushd");
        assert!(calls.finish(&returned(7, 3)).is_none());
    }

    #[test]
    fn what_does_not_return_is_given_out_the_oldest_first() {
        let mut calls = Calls::default();
        assert!(calls.keep(&began(7, 20, 1), b"read"));
        assert!(calls.keep(&began(8, 10, 1), b"wait"));
        assert!(calls.overdue(PATIENCE + 5).is_none());
        assert_eq!(calls.overdue(PATIENCE + 20).unwrap().record, b"wait");
        assert_eq!(calls.overdue(PATIENCE + 20).unwrap().record, b"read");
        assert!(calls.overdue(PATIENCE + 20).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut calls = Calls::default();
        for pid in 0..MAX_PENDING as u32 {
            assert!(calls.keep(&began(pid, 1, 1), b"x"));
        }
        assert!(!calls.keep(&began(5000, 1, 1), b"x"));
    }
}
