//! Long argument lists, put together from the pieces that precede an exec record.
//!
//! Invariant: what is handed out is contiguous from the first argument on and belongs to the
//! exec that asks for it; a hole ends it. Memory is bounded by the processes that are between
//! the first piece and their exec record at one moment, and buffers are used again.

use std::collections::HashMap;

use super::Malformed;
use super::layout::Argv;

/// More lists than this are never under way at once (one a CPU); what is beyond it was left
/// behind by exec records that were lost.
const MAX_PENDING: usize = 4096;
const MAX_SPARE: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Pieces {
    pending: HashMap<u32, List>,
    spare: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct List {
    /// The time of the exec record that will complete it.
    at: u64,
    bytes: Vec<u8>,
    has_hole: bool,
}

impl Pieces {
    /// Keeps one piece.
    pub(super) fn keep(&mut self, head: &Argv, rest: &[u8]) -> Result<(), Malformed> {
        let length = usize::try_from(head.length).map_err(|_| Malformed::Length)?;
        let piece = rest.get(..length).ok_or(Malformed::Length)?;
        if self.pending.len() >= MAX_PENDING {
            self.pending.clear();
        }
        let at = head.record.at;
        let list = self.pending.entry(head.pid).or_insert_with(|| List {
            at,
            bytes: self.spare.pop().unwrap_or_default(),
            has_hole: false,
        });
        if list.at != at {
            list.at = at;
            list.bytes.clear();
            list.has_hole = false;
        }
        if list.has_hole || usize::try_from(head.offset) != Ok(list.bytes.len()) {
            list.has_hole = true;
            return Ok(());
        }
        list.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Hands over what is there for the exec of that process at that time, in `into`.
    pub(super) fn take(&mut self, pid: u32, at: u64, into: &mut Vec<u8>) {
        into.clear();
        if let Some(mut list) = self.pending.remove(&pid) {
            if list.at == at {
                std::mem::swap(into, &mut list.bytes);
            }
            self.put_back(list.bytes);
        }
    }

    /// Drops what an ended process has left.
    pub(super) fn forget(&mut self, pid: u32) {
        if !self.pending.is_empty()
            && let Some(list) = self.pending.remove(&pid)
        {
            self.put_back(list.bytes);
        }
    }

    fn put_back(&mut self, mut bytes: Vec<u8>) {
        if self.spare.len() < MAX_SPARE {
            bytes.clear();
            self.spare.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{KIND_ARGV, Record};
    use super::*;

    fn keep(pieces: &mut Pieces, at: u64, offset: usize, bytes: &[u8]) {
        let head = Argv {
            record: Record { kind: KIND_ARGV, flags: 0, at },
            pid: 7,
            offset: offset as u32,
            length: bytes.len() as u32,
            unused: 0,
        };
        pieces.keep(&head, bytes).unwrap();
    }

    fn take(pieces: &mut Pieces, at: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        pieces.take(7, at, &mut bytes);
        bytes
    }

    #[test]
    fn pieces_in_order_make_the_list() {
        let mut pieces = Pieces::default();
        keep(&mut pieces, 5, 0, b"abc");
        keep(&mut pieces, 5, 3, b"def");
        assert_eq!(take(&mut pieces, 5), b"abcdef");
        assert_eq!(take(&mut pieces, 5), b"");
    }

    #[test]
    fn a_hole_ends_the_list() {
        let mut pieces = Pieces::default();
        keep(&mut pieces, 5, 0, b"abc");
        keep(&mut pieces, 5, 6, b"ghi");
        keep(&mut pieces, 5, 3, b"def");
        assert_eq!(take(&mut pieces, 5), b"abc");
    }

    #[test]
    fn pieces_of_another_exec_are_not_mixed_in() {
        let mut pieces = Pieces::default();
        keep(&mut pieces, 5, 0, b"abc");
        keep(&mut pieces, 6, 0, b"xyz");
        assert_eq!(take(&mut pieces, 6), b"xyz");
        keep(&mut pieces, 7, 0, b"abc");
        assert_eq!(take(&mut pieces, 8), b"");
    }

    #[test]
    fn an_ended_process_leaves_nothing() {
        let mut pieces = Pieces::default();
        keep(&mut pieces, 5, 0, b"abc");
        pieces.forget(7);
        assert_eq!(take(&mut pieces, 5), b"");
    }
}
