//! How many logins are asked at a time, and by whom.
//!
//! Anybody can start the gate as often as they like, so one Linux user has only some of the places,
//! and all of them together leave some to root's programs.
//!
//! Invariant: a place is given back whatever becomes of its login.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::peer::Kind;

/// How many logins are asked at a time; one more is turned away.
const MOST: usize = 32;

/// How many of them may be asked by the gate.
const MOST_BY_GATE: usize = 24;

/// How many of those may be of one Linux user.
const MOST_OF_USER: usize = 8;

/// The places.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots(Arc<Mutex<HashMap<Kind, usize>>>);

/// One place; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    of: Kind,
}

impl Slots {
    /// A place for one more login, if there is one.
    pub(super) fn take(&self, of: Kind) -> Option<Slot> {
        let mut taken = self.taken();
        let all: usize = taken.values().sum();
        let by_gate: usize =
            taken.iter().filter(|(kind, _)| **kind != Kind::Root).map(|(_, count)| *count).sum();
        let own = taken.get(&of).copied().unwrap_or_default();
        let has_room = match of {
            Kind::Root => all < MOST,
            Kind::Gate { .. } => all < MOST && by_gate < MOST_BY_GATE && own < MOST_OF_USER,
        };
        has_room.then(|| {
            taken.insert(of, own + 1);
            Slot { slots: self.clone(), of }
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Kind, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        match taken.get_mut(&self.of) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = taken.remove(&self.of),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(slots: &Slots, of: Kind) -> Vec<Slot> {
        std::iter::from_fn(|| slots.take(of)).take(2 * MOST).collect()
    }

    #[test]
    fn a_user_who_takes_all_they_can_leaves_room_for_others_and_for_root() {
        let slots = Slots::default();
        let mut held: Vec<Vec<Slot>> =
            (1..=4).map(|uid| fill(&slots, Kind::Gate { uid })).collect();
        let counts: Vec<usize> = held.iter().map(Vec::len).collect();
        assert_eq!(counts, [8, 8, 8, 0]);
        let of_root = fill(&slots, Kind::Root);
        assert_eq!(of_root.len(), 8);
        held.remove(0);
        assert_eq!(fill(&slots, Kind::Gate { uid: 2 }).len(), 0);
        assert_eq!(fill(&slots, Kind::Gate { uid: 4 }).len(), 8);
        drop((held, of_root));
        assert!(slots.taken().is_empty(), "nothing is kept of who is not there");
        assert_eq!(fill(&slots, Kind::Root).len(), 32);
    }

    #[test]
    fn a_login_that_panics_gives_its_place_back() {
        let slots = Slots::default();
        let slot = slots.take(Kind::Root);
        let login = std::thread::spawn(move || {
            let _slot = slot;
            panic!("for the test");
        });
        assert!(login.join().is_err());
        assert!(slots.taken().is_empty());
    }
}
