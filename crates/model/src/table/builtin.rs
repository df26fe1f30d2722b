//! A shell does something itself: builtins, and the typed lines that they and programs come from.
//!
//! Invariant: a line belongs to what its shell does between reading it and asking for the next
//! one, also in children that run no program of their own; running a program ends it there.

use std::sync::Arc;

use super::{Emit, Model, Slot};
use crate::facts::Fact;
use crate::observation::{Builtin, Line, TypedText};
use crate::process::KeptLine;

/// How much of a command's lines is kept. A shell takes more than one line for a command where a
/// quotation, a loop or a here-document is open.
const KEPT_LINE_BYTES: usize = 64 << 10;

impl Model {
    pub(super) fn builtin(&mut self, builtin: &Builtin<'_>, emit: Emit<'_>) {
        self.groups.learn(&builtin.place);
        let slot = match self.find(builtin.process) {
            Some(slot) => slot,
            None => self.recover(builtin.process, &builtin.state, &builtin.place),
        };
        self.refresh_state(slot, &builtin.state);
        self.update(slot, |process| {
            let moved = builtin.cwd.is_ok() && process.cwd.as_deref() != builtin.cwd.as_deref();
            if moved {
                process.cwd = builtin.cwd.map(Into::into);
            }
            moved
        });
        if self.process(slot).is_some_and(|process| process.parent != builtin.parent) {
            let parent = self.find_known(builtin.parent);
            self.arena.relink(slot, |links| links.parent = parent);
            self.refresh_uuids(slot);
        }
        // A subshell is judged at the first event that needs it; see the fork of its children.
        if self.process(slot).is_some_and(|process| process.exec_count == 0) {
            self.evaluate_user_entered(slot);
        }
        let line = self.arena.get(slot).and_then(|entry| entry.line.clone());
        if let Some(process) = self.process(slot) {
            emit(self, Fact::RanBuiltin { process, builtin, line });
        }
    }

    pub(super) fn line(&mut self, line: &Line<'_>) {
        let Some(slot) = self.find(line.process) else { return };
        let Some(entry) = self.arena.get_mut(slot) else { return };
        entry.line = match line.text {
            None => None,
            Some(text) => {
                let before = entry.line.take().filter(|_| line.continues);
                Some(Arc::new(joined(before.as_deref(), text)))
            }
        };
    }

    /// A child carries out the line that its creator carries out.
    pub(super) fn inherit_line(&mut self, creator: Option<Slot>, child: Slot) {
        let line = creator.and_then(|slot| self.arena.get(slot)).and_then(|it| it.line.clone());
        if line.is_some()
            && let Some(entry) = self.arena.get_mut(child)
        {
            entry.line = line;
        }
    }
}

fn joined(before: Option<&KeptLine>, text: TypedText<'_>) -> KeptLine {
    let mut line = KeptLine { bytes: Vec::new(), total: 0 };
    if let Some(before) = before {
        line.bytes.reserve_exact(before.bytes.len() + 1 + text.bytes.len());
        line.bytes.extend_from_slice(&before.bytes);
        line.bytes.push(b'\n');
        line.total = before.total + 1;
    }
    // What was cut before stays cut: there is nothing behind a hole.
    if line.total == line.bytes.len() as u64 {
        line.bytes.extend_from_slice(text.bytes);
    }
    line.bytes.truncate(KEPT_LINE_BYTES);
    line.total += text.total;
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> TypedText<'_> {
        TypedText { bytes, total: bytes.len() as u64 }
    }

    #[test]
    fn lines_of_one_command_are_joined_by_line_feeds() {
        let first = joined(None, typed(b"for i in 1 2; do"));
        let both = joined(Some(&first), typed(b"cd /; done"));
        assert_eq!(both.bytes(), b"for i in 1 2; do\ncd /; done");
        assert_eq!(both.truncated(), None);
    }

    #[test]
    fn nothing_follows_a_line_that_was_cut() {
        let cut = joined(None, TypedText { bytes: b"abc", total: 9 });
        let both = joined(Some(&cut), typed(b"def"));
        assert_eq!(both.bytes(), b"abc\n");
        assert_eq!(both.truncated(), Some(13));
    }

    #[test]
    fn what_is_kept_of_a_command_is_bounded() {
        let long = vec![b'x'; 40 << 10];
        let first = joined(None, typed(&long));
        let both = joined(Some(&first), typed(&long));
        assert_eq!(both.bytes().len(), KEPT_LINE_BYTES);
        assert_eq!(both.truncated(), Some(2 * (40 << 10) + 1));
    }
}
