//! Persons: who stands behind an inception, from the moment that they have proved it.
//!
//! The process that asks is often not the one that is to be bound. sshd asks in a child of the
//! process that then makes the session (its `monitor`), and login(1) before there is a session at
//! all. So what is bound is the inception that the process is already in, where somebody came in
//! through one; else the process that ran the program which asks. The inceptions that come from
//! there have the person from their first program on.

use std::sync::Arc;

use super::{Emit, Model, Slot};
use crate::facts::Fact;
use crate::inception::InceptionKind;
use crate::observation::{Bound, ProcessKey, Revoked, Verification};
use crate::person::Person;
use crate::process::Process;
use crate::time::BootTime;

/// How many creators are looked at between an inception and the process that was bound. A login is
/// two or three processes; a bound, because a chain may be long and this is done at logins only.
const MAX_MAKERS: usize = 16;

impl Model {
    /// The process that is bound when a person is verified in this one; `None` if there is no such
    /// process.
    pub fn bound_through(&self, process: ProcessKey) -> Option<&Process> {
        self.process(self.bound_slot(process)?)
    }

    pub(super) fn bind(&mut self, bound: &Bound<'_>) {
        let Some(slot) = self.bound_slot(bound.process) else { return };
        let person = Arc::new(Person {
            account: bound.account.into(),
            roles: bound.roles.iter().map(|role| (*role).into()).collect(),
            until: bound.until,
        });
        // Sessions that it has made already: the agent was started anew meanwhile.
        let made: Vec<Slot> = self
            .external_inceptions()
            .filter(|inception| *inception != slot && self.makers(*inception).any(|it| it == slot))
            .collect();
        for slot in made.into_iter().chain([slot]) {
            self.set_person(slot, Some(Arc::clone(&person)));
        }
    }

    pub(super) fn revoke(&mut self, revoked: &Revoked<'_>) {
        for slot in 0..self.arena.slots() {
            let Ok(slot) = Slot::try_from(slot) else { return };
            let person = self.process(slot).and_then(Process::person);
            if person.is_some_and(|person| *person.account == *revoked.account) {
                self.set_person(slot, None);
            }
        }
    }

    /// An attempt is told even when its process is gone: then of nobody's.
    pub(super) fn verification(&mut self, verification: &Verification<'_>, emit: Emit<'_>) {
        let process = self.find(verification.process).and_then(|slot| self.process(slot));
        emit(self, Fact::Verification { process, verification });
    }

    /// The person whose login has made this inception.
    pub(super) fn person_of_login(&self, inception: Slot) -> Option<Arc<Person>> {
        self.makers(inception).find_map(|slot| self.process(slot)?.person.clone())
    }

    fn bound_slot(&self, process: ProcessKey) -> Option<Slot> {
        let asking = self.find(process)?;
        let inception = self.arena.get(asking)?.links.inception.ok();
        match inception.filter(|slot| self.is_external(*slot)) {
            Some(inception) => Some(inception),
            None => Some(self.program_of(asking)),
        }
    }

    /// The process that ran the program which this one runs: a process itself, or that which
    /// forked it, if it has run nothing since.
    fn program_of(&self, slot: Slot) -> Slot {
        let mut found = slot;
        while let Some(entry) = self.arena.get(found)
            && let Ok(creator) = entry.links.creator
            && let Some(Ok(same)) = self.process(creator).map(|creator| &creator.image)
            && let Ok(own) = &entry.process.image
            && Arc::ptr_eq(own, same)
        {
            found = creator;
        }
        found
    }

    /// Those who made an inception, the nearest first, up to the inception that they are in.
    fn makers(&self, inception: Slot) -> impl Iterator<Item = Slot> {
        let above = move |slot: Slot| self.arena.get(slot)?.links.creator.ok();
        let mut is_over = false;
        std::iter::successors(above(inception), move |slot| above(*slot))
            .take(MAX_MAKERS)
            .take_while(move |slot| {
                let was_over = is_over;
                is_over = self.process(*slot).is_some_and(|maker| maker.inception.is_some());
                !was_over
            })
    }

    fn external_inceptions(&self) -> impl Iterator<Item = Slot> {
        let slots = 0..Slot::try_from(self.arena.slots()).unwrap_or(Slot::MAX);
        slots.filter(|slot| self.is_external(*slot))
    }

    fn is_external(&self, slot: Slot) -> bool {
        let inception = self.process(slot).and_then(Process::inception);
        inception.is_some_and(|inception| inception.kind == InceptionKind::External)
    }

    fn set_person(&mut self, slot: Slot, person: Option<Arc<Person>>) {
        self.update(slot, |process| {
            process.person = person;
            true
        });
    }
}

impl Process {
    /// The verified person, of the process through which they came in. Until when it holds is for
    /// the asker to look at ([`Person::holds_at`]).
    pub fn person(&self) -> Option<&Person> {
        self.person.as_deref()
    }

    /// The verified person, where the proof holds at a moment.
    pub fn person_at(&self, at: BootTime) -> Option<&Person> {
        self.person().filter(|person| person.holds_at(at))
    }
}
