//! Where processes are kept, and how long: while they live, and after that while a living one
//! names them.
//!
//! Invariant: a dead entry names nobody, so memory is bounded by the number of living processes.

use std::sync::Arc;

use crate::known::{Known, Why};
use crate::process::{KeptLine, Process};

/// The place of an entry.
pub(super) type Slot = u32;

/// A process and what the table keeps besides.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) process: Process,
    pub(super) links: Links,
    /// It has not ended, as far as is known.
    pub(super) alive: bool,
    /// Whether it is an inception has been decided for good.
    pub(super) decided: bool,
    /// Its inception was not inherited by creation but found by audit session and login uid.
    pub(super) inferred: bool,
    /// It was first met in somebody else's record, so parts of it are unknown until a snapshot.
    pub(super) recovered: bool,
    /// The typed line that its shell carries out, until it runs a program.
    pub(super) line: Option<Arc<KeptLine>>,
    /// How many living entries name this one.
    refs: u32,
}

/// Whom a living process names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    pub(super) parent: Known<Slot>,
    pub(super) creator: Known<Slot>,
    pub(super) session_leader: Known<Slot>,
    pub(super) inception: Known<Slot>,
    pub(super) last_user_entered: Option<Known<Slot>>,
}

impl Links {
    /// Nobody is known, for one reason.
    pub(super) fn unknown(why: Why) -> Self {
        Self {
            parent: Err(why),
            creator: Err(why),
            session_leader: Err(why),
            inception: Err(why),
            last_user_entered: Some(Err(why)),
        }
    }

    fn named(&self) -> impl Iterator<Item = Slot> {
        let Self { parent, creator, session_leader, inception, last_user_entered } = *self;
        [parent, creator, session_leader, inception]
            .into_iter()
            .chain(last_user_entered)
            .filter_map(Result::ok)
    }
}

impl Entry {
    pub(super) fn new(process: Process, links: Links) -> Self {
        Self {
            process,
            links,
            alive: true,
            decided: false,
            inferred: false,
            recovered: false,
            line: None,
            refs: 0,
        }
    }
}

/// The entries.
#[derive(Debug, Default)]
pub(super) struct Arena {
    entries: Vec<Option<Entry>>,
    free: Vec<Slot>,
    occupied: u64,
}

impl Arena {
    /// Entries in use, dead ones that are still named included.
    pub(super) fn occupied(&self) -> u64 {
        self.occupied
    }

    pub(super) fn slots(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Entry> {
        self.entries.get(slot as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        self.entries.get_mut(slot as usize)?.as_mut()
    }

    /// Takes an entry in and counts whom it names. Returns its slot.
    pub(super) fn insert(&mut self, mut entry: Entry) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            Slot::try_from(self.entries.len() - 1).unwrap_or(Slot::MAX)
        });
        entry.process.slot = slot;
        for named in entry.links.named() {
            self.retain(slot, named);
        }
        if let Some(place) = self.entries.get_mut(slot as usize) {
            *place = Some(entry);
            self.occupied += 1;
        }
        slot
    }

    /// Changes whom a living entry names.
    pub(super) fn relink(&mut self, slot: Slot, change: impl FnOnce(&mut Links)) {
        let Some(entry) = self.get_mut(slot) else { return };
        let before = entry.links;
        change(&mut entry.links);
        let after = entry.links;
        // First count up, then down, so that an entry named before and after is never freed.
        for named in after.named() {
            self.retain(slot, named);
        }
        for named in before.named() {
            self.release(slot, named);
        }
    }

    /// Marks an entry as ended; it names nobody from now on.
    pub(super) fn end(&mut self, slot: Slot) {
        self.relink(slot, |links| *links = Links::unknown(Why::ExitedBeforeCapture));
        let Some(entry) = self.get_mut(slot) else { return };
        entry.alive = false;
        entry.line = None;
        self.collect(slot);
    }

    fn retain(&mut self, by: Slot, named: Slot) {
        if by != named
            && let Some(entry) = self.get_mut(named)
        {
            entry.refs += 1;
        }
    }

    fn release(&mut self, by: Slot, named: Slot) {
        if by != named
            && let Some(entry) = self.get_mut(named)
        {
            entry.refs -= 1;
            self.collect(named);
        }
    }

    fn collect(&mut self, slot: Slot) {
        let gone = self.get(slot).is_some_and(|entry| !entry.alive && entry.refs == 0);
        if gone && let Some(place) = self.entries.get_mut(slot as usize) {
            *place = None;
            self.free.push(slot);
            self.occupied -= 1;
        }
    }
}
