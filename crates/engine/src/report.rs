//! What a scan did and what it could not use, counted while it runs.
//!
//! Invariant: nothing is passed over silently. Whatever is not an event is counted by what is
//! wrong with it, and the first places of each are kept.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many places of each kind are kept.
const PLACES: usize = 5;

/// What can be wrong with a line or an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Damage {
    /// A line that is no JSON object.
    NotAnEvent,
    /// The last line of an object, without its end.
    HalfLine,
    /// A line that is longer than [`MAX_LINE`](crate::MAX_LINE).
    TooLong,
    /// A line that is not UTF-8.
    NotText,
    /// An event of a later major version of the format: read as far as it is understood.
    Newer,
    /// A field of a type that it cannot have: it counts as absent.
    WrongType,
    /// An object that ends too early or cannot be decompressed: what was before is used.
    BrokenObject,
    /// An object that could not be read at all.
    Unreadable,
}

impl Damage {
    /// Every kind, in the order in which they are told.
    pub const ALL: [Self; 8] = [
        Self::Unreadable,
        Self::BrokenObject,
        Self::NotAnEvent,
        Self::HalfLine,
        Self::TooLong,
        Self::NotText,
        Self::WrongType,
        Self::Newer,
    ];

    /// What so many of it are.
    pub fn describe(self, count: u64) -> String {
        let (one, many) = match self {
            Self::NotAnEvent => ("line is no event", "lines are no events"),
            Self::HalfLine => ("line has no end", "lines have no end"),
            Self::TooLong => ("line is too long", "lines are too long"),
            Self::NotText => ("line is not UTF-8", "lines are not UTF-8"),
            Self::Newer => ("event is of a later format", "events are of a later format"),
            Self::WrongType => ("field is of a wrong type", "fields are of a wrong type"),
            Self::BrokenObject => ("object is broken", "objects are broken"),
            Self::Unreadable => ("object cannot be read", "objects cannot be read"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// Counters that scans share.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub listed: AtomicU64,
    pub pruned: AtomicU64,
    pub opened: AtomicU64,
    pub done: AtomicU64,
    pub to_read: AtomicU64,
    pub bytes_to_read: AtomicU64,
    pub stored_bytes: AtomicU64,
    pub plain_bytes: AtomicU64,
    pub lines: AtomicU64,
    pub matched: AtomicU64,
    rest: Mutex<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    foreign: u64,
    foreign_names: Vec<String>,
    damage: Vec<(Damage, u64, Vec<String>)>,
}

impl Tally {
    /// Something that is no object of ours.
    pub(crate) fn foreign(&self, name: &str) {
        let mut rest = self.rest();
        rest.foreign += 1;
        if rest.foreign_names.len() < PLACES {
            rest.foreign_names.push(name.to_owned());
        }
    }

    /// Something that cannot be used, and where. `place` is only made if it is kept.
    pub(crate) fn damage(&self, damage: Damage, place: impl FnOnce() -> String) {
        let mut rest = self.rest();
        let at = rest.damage.iter().position(|(known, ..)| *known == damage);
        let at = at.unwrap_or_else(|| {
            rest.damage.push((damage, 0, Vec::new()));
            rest.damage.len() - 1
        });
        if let Some((_, count, places)) = rest.damage.get_mut(at) {
            *count += 1;
            if places.len() < PLACES {
                places.push(place());
            }
        }
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, Rest> {
        // Whoever panicked here left whole counters behind.
        self.rest.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn report(&self) -> Report {
        let rest = self.rest();
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        let mut damage = rest.damage.clone();
        damage.sort_by_key(|(damage, ..)| Damage::ALL.iter().position(|known| known == damage));
        Report {
            listed: of(&self.listed),
            pruned: of(&self.pruned),
            to_read: of(&self.to_read),
            bytes_to_read: of(&self.bytes_to_read),
            opened: of(&self.opened),
            done: of(&self.done),
            stored_bytes: of(&self.stored_bytes),
            plain_bytes: of(&self.plain_bytes),
            lines: of(&self.lines),
            matched: of(&self.matched),
            foreign: rest.foreign,
            foreign_names: rest.foreign_names.clone(),
            damage,
        }
    }
}

/// What a scan did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Objects that were found.
    pub listed: u64,
    /// Of these: passed over, because their names say that no answer can be in them. Whole folders
    /// that were not looked into do not count.
    pub pruned: u64,
    /// Objects that have to be read.
    pub to_read: u64,
    /// Their bytes, as they are stored.
    pub bytes_to_read: u64,
    /// Objects that were opened.
    pub opened: u64,
    /// Objects, or pieces of them, that were read to their end.
    pub done: u64,
    /// Bytes that were read, as they are stored.
    pub stored_bytes: u64,
    /// Bytes of lines.
    pub plain_bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Of these: answers, or rows for the rest of a question.
    pub matched: u64,
    /// Files and objects that hold no events, by their names.
    pub foreign: u64,
    /// The first few of them.
    pub foreign_names: Vec<String>,
    /// What could not be used: what, how often, and the first places.
    pub damage: Vec<(Damage, u64, Vec<String>)>,
}

impl Report {
    /// What a person has to know about what was not used, one matter a line.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (damage, count, places) in &self.damage {
            let shown = places.join(", ");
            let more = if *count > places.len() as u64 { ", …" } else { "" };
            warnings.push(format!("{}: {shown}{more}", damage.describe(*count)));
        }
        if self.foreign > 0 {
            let what = if self.foreign == 1 { "file holds" } else { "files hold" };
            let more = if self.foreign > self.foreign_names.len() as u64 { ", …" } else { "" };
            let names = self.foreign_names.join(", ");
            warnings.push(format!("{} {what} no events: {names}{more}", self.foreign));
        }
        warnings
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listed, pruned, opened, stored_bytes, plain_bytes, lines, matched, .. } = self;
        write!(
            f,
            "{listed} objects listed, {pruned} passed over by their names, {opened} opened; \
             {stored_bytes} bytes stored, {plain_bytes} bytes of lines; {lines} lines, {matched} \
             taken"
        )
    }
}
