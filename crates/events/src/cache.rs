//! Rendered process blocks, kept for the next event that shows the same process.
//!
//! A session leader, an inception or a shell as parent appears in event after event; its block is
//! rendered once and then copied.
//! Invariants: a block is given back only for the revision that it was rendered from, so a
//! process that has changed, or another one in its place, is rendered anew; the bytes kept never
//! exceed the limit, beyond which everything is forgotten at once.
//! A user's name that changes while the process does not is therefore shown anew only after the
//! next change of the process or the next such clearing.

use crate::write::Json;

/// Which form of a block.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// As parent, session leader or last user-entered process.
    Plain,
    /// As inception session, with the door.
    Inception,
    /// As inception session that was found by inference.
    InferredInception,
}

const FORMS: usize = 3;

/// The cache.
pub(crate) struct Blocks {
    /// By place in the model's table.
    index: Vec<[Place; FORMS]>,
    bytes: Vec<u8>,
    limit: usize,
}

/// Where a block lies; nothing has been rendered where the length is 0.
#[derive(Clone, Copy, Default)]
struct Place {
    revision: u64,
    start: usize,
    length: u32,
}

impl Blocks {
    /// An empty cache that keeps at most `limit` bytes of blocks.
    pub(crate) fn new(limit: usize) -> Self {
        Self { index: Vec::new(), bytes: Vec::new(), limit }
    }

    /// Appends the block to the line if it is kept; returns whether it was.
    #[inline]
    pub(crate) fn append(&self, slot: usize, revision: u64, form: Form, out: &mut Vec<u8>) -> bool {
        let place = self.index.get(slot).map(|forms| forms[form as usize]);
        let Some(place) = place.filter(|place| place.length > 0 && place.revision == revision)
        else {
            return false;
        };
        let end = place.start + place.length as usize;
        let Some(block) = self.bytes.get(place.start..end) else { return false };
        Json::new(out).raw(block);
        true
    }

    /// Keeps a block.
    pub(crate) fn keep(&mut self, slot: usize, revision: u64, form: Form, block: &[u8]) {
        let Ok(length) = u32::try_from(block.len()) else { return };
        if block.len() > self.limit {
            return;
        }
        if self.bytes.len() + block.len() > self.limit {
            self.bytes.clear();
            self.index.fill(Default::default());
        }
        self.grow(self.bytes.len() + block.len());
        if self.index.len() <= slot {
            self.index.resize(slot + 1, Default::default());
        }
        if let Some(forms) = self.index.get_mut(slot) {
            forms[form as usize] = Place { revision, start: self.bytes.len(), length };
            self.bytes.extend_from_slice(block);
        }
    }

    /// Makes room by doubling, but never for more than the limit.
    fn grow(&mut self, needed: usize) {
        if needed > self.bytes.capacity() {
            let wanted = needed.max(self.bytes.capacity() * 2).min(self.limit);
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(blocks: &Blocks, slot: usize, revision: u64, form: Form) -> Option<String> {
        let mut out = Vec::new();
        blocks.append(slot, revision, form, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_block_is_given_back_for_its_own_place_revision_and_form_only() {
        let mut blocks = Blocks::new(1024);
        blocks.keep(3, 7, Form::Plain, b"block");
        assert_eq!(kept(&blocks, 3, 7, Form::Plain).as_deref(), Some("block"));
        assert_eq!(kept(&blocks, 3, 8, Form::Plain), None);
        assert_eq!(kept(&blocks, 3, 7, Form::Inception), None);
        assert_eq!(kept(&blocks, 2, 7, Form::Plain), None);
        assert_eq!(kept(&blocks, 4, 7, Form::Plain), None);
    }

    #[test]
    fn the_bytes_kept_never_exceed_the_limit() {
        let mut blocks = Blocks::new(100);
        for revision in 0..1000 {
            blocks.keep(revision as usize % 50, revision, Form::Plain, b"seventeen  bytes.");
            assert!(blocks.bytes.len() <= 100 && blocks.bytes.capacity() <= 100);
            assert!(kept(&blocks, revision as usize % 50, revision, Form::Plain).is_some());
        }
        blocks.keep(0, 1000, Form::Plain, &[b'x'; 101]);
        assert_eq!(kept(&blocks, 0, 1000, Form::Plain), None);
    }
}
