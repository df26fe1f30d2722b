//! A process is created: what it inherits, and from whom.

use super::{Links, Model, Slot, newborn};
use crate::ids::Pid;
use crate::inception::{Entry, Evidence, Inception, InceptionKind};
use crate::known::Why;
use crate::observation::{Fork, Place, ProcessKey, State};
use crate::time::BootTime;

impl Model {
    pub(super) fn fork(&mut self, fork: &Fork<'_>) {
        let creator = match self.find(fork.creator) {
            Some(slot) => {
                self.refresh_state(slot, &fork.state);
                // A subshell that never runs a program is judged at the first event that needs
                // it: the birth of a child that may inherit from it. Who has run a program was
                // judged then; a shell that makes a group of its own afterwards was not typed.
                if self.process(slot).is_some_and(|creator| creator.exec_count == 0) {
                    self.evaluate_user_entered(slot);
                }
                Ok(slot)
            }
            None if fork.creator.pid.0 == 0 => Err(Why::StartedBeforeBootOfNamespace),
            None => Ok(self.recover(fork.creator, &fork.state, &fork.place)),
        };
        let parent =
            if fork.parent == fork.creator { creator } else { self.find_known(fork.parent) };
        let child = match self.find(fork.child) {
            // A snapshot, or a record that came without its fork, was first.
            Some(slot) => {
                self.arena.relink(slot, |links| links.creator = creator);
                slot
            }
            None => {
                let links = Links {
                    parent,
                    creator,
                    session_leader: creator.and_then(|slot| self.session_leader_below(slot)),
                    inception: creator.and_then(|slot| match self.arena.get(slot) {
                        Some(entry) => entry.links.inception,
                        None => Err(self.why_unseen()),
                    }),
                    last_user_entered: match creator {
                        Ok(slot) => self.last_user_entered_below(slot),
                        Err(_) => None,
                    },
                };
                let why = creator.err().unwrap_or(self.why_unseen());
                let mut process =
                    newborn(fork.child, fork.parent, fork.state.clone(), &fork.place, why);
                if let Some(entry) = creator.ok().and_then(|slot| self.arena.get(slot)) {
                    let like = &entry.process;
                    process.image = like.image.clone();
                    process.cwd = like.cwd.clone();
                    process.container =
                        self.groups.container(&fork.place, Some((like.cgroup, &like.container)));
                }
                if fork.kernel_thread {
                    process.image = Err(Why::NotObservable);
                    process.cwd = Err(Why::NotObservable);
                }
                let inferred = creator
                    .ok()
                    .and_then(|slot| self.arena.get(slot))
                    .is_some_and(|entry| entry.inferred);
                let slot = self.admit(process, links);
                if let Some(entry) = self.arena.get_mut(slot) {
                    entry.inferred = inferred;
                }
                slot
            }
        };
        self.inherit_line(creator.ok(), child);
        self.decide_internal(child, fork.creator.pid, fork.kernel_thread);
        self.refresh_uuids(child);
    }

    /// Takes in a process of which nothing was seen before somebody's record named it.
    pub(super) fn recover(&mut self, key: ProcessKey, state: &State, place: &Place<'_>) -> Slot {
        let why = self.why_unseen();
        let nobody = ProcessKey { pid: Pid(0), start: BootTime(0) };
        let mut process = newborn(key, nobody, state.clone(), place, why);
        process.container = self.groups.container(place, None);
        let slot = self.admit(process, Links::unknown(why));
        self.recovered += 1;
        if let Some(entry) = self.arena.get_mut(slot) {
            entry.recovered = true;
        }
        self.join_session(slot);
        slot
    }

    /// What the session of a process without known creator tells: everybody in a session
    /// descends by creation from its leader, and inherits from it.
    pub(super) fn join_session(&mut self, slot: Slot) {
        let Some(process) = self.process(slot) else { return };
        if process.is_session_leader() {
            return;
        }
        let leader = self.find_leader(&process.state);
        let (inception, inferred) = match leader.ok().and_then(|leader| self.arena.get(leader)) {
            Some(entry) => (entry.links.inception, entry.inferred),
            None => return,
        };
        self.arena.relink(slot, |links| {
            links.session_leader = leader;
            links.inception = inception;
        });
        if let Some(entry) = self.arena.get_mut(slot) {
            entry.inferred = inferred;
        }
        self.refresh_uuids(slot);
    }

    /// Makes a process an internal inception where its creator says so. A container that a
    /// person started stays that person's.
    pub(super) fn decide_internal(&mut self, slot: Slot, creator: Pid, kernel_thread: bool) {
        let Some(entry) = self.arena.get(slot) else { return };
        let pid = entry.process.key.pid;
        let starts_namespace = entry.process.pid_namespace.is_some_and(|ns| ns.pid == Pid::INIT)
            && !self.shares_namespace_with_creator(slot);
        let inception = if pid == Pid::KTHREADD || creator == Pid::KTHREADD || kernel_thread {
            Inception::internal(Entry::Kernel, Evidence::KernelThread)
        } else if pid == Pid::INIT || creator == Pid::INIT {
            Inception::internal(Entry::Service, Evidence::CreatedByInit)
        } else if starts_namespace && self.inherits_internal(slot) {
            Inception::internal(Entry::Container, Evidence::PidNamespaceInit)
        } else {
            return;
        };
        self.set_inception(slot, inception);
    }

    fn shares_namespace_with_creator(&self, slot: Slot) -> bool {
        let Some(entry) = self.arena.get(slot) else { return false };
        let creator = entry.links.creator.ok().and_then(|slot| self.process(slot));
        let namespace = |ns: Option<crate::observation::PidNamespace>| ns.map(|ns| ns.id);
        creator.is_some_and(|creator| {
            namespace(creator.pid_namespace) == namespace(entry.process.pid_namespace)
        })
    }

    /// Whether the inception that a process has so far is internal.
    pub(super) fn inherits_internal(&self, slot: Slot) -> bool {
        let inception = self.arena.get(slot).and_then(|entry| entry.links.inception.ok());
        let inception = inception.and_then(|slot| self.process(slot)).and_then(|p| p.inception());
        inception.is_some_and(|inception| inception.kind == InceptionKind::Internal)
    }

    /// Takes a process's present facts over, if they differ.
    pub(super) fn refresh_state(&mut self, slot: Slot, state: &State) {
        self.update(slot, |process| {
            let differs = process.state != *state;
            if differs {
                process.state = state.clone();
            }
            differs
        });
    }
}
