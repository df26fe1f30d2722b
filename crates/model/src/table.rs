//! The process table: takes observations in, keeps the rules, hands facts out.
//!
//! Each kind of observation has its file below `table/`; who is kept how long is in `arena`.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::context::Context;
use crate::entered;
use crate::facts::Fact;
use crate::identity::{BootId, HostId, Identities};
use crate::ids::Pid;
use crate::inception::{Inception, InceptionKind};
use crate::known::{Known, Why};
use crate::observation::{Exit, Observation, Place, ProcessKey, State};
use crate::process::{Image, Process};
use crate::time::{BootTime, ClockPair, WallTime};

mod arena;
mod births;
mod builtin;
mod exec;
mod fork;
mod groups;
mod person;
mod snapshot;

use arena::{Arena, Entry, Links, Slot};
use births::Births;
use groups::Groups;
use snapshot::Snapshot;

/// The process table of one boot of one host, and the rules that keep it.
#[derive(Debug)]
pub struct Model {
    identities: Identities,
    clock: ClockPair,
    arena: Arena,
    /// The living, by pid.
    living: HashMap<Pid, Slot>,
    births: Births,
    groups: Groups,
    snapshot: Option<Snapshot>,
    /// Records have been lost since the model was made.
    lossy: bool,
    revisions: u64,
    inferred_exits: u64,
    recovered: u64,
}

/// What the model counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Processes that live, as far as is known.
    pub living: u64,
    /// Ended processes that a living one still names.
    pub retained: u64,
    /// Processes that shared start tick and pid with an earlier one, since the model was made.
    pub uuid_collisions: u64,
    /// Ends that were inferred, because the pid was used again or a snapshot did not have the
    /// process, since the model was made.
    pub inferred_exits: u64,
    /// Processes first seen at their exec or as somebody's parent, because their fork was not
    /// seen, since the model was made.
    pub recovered: u64,
}

/// Receives facts together with the model that they are facts of.
pub type Emit<'e> = &'e mut dyn FnMut(&Model, Fact<'_>);

impl Model {
    /// An empty table for this boot of this host.
    pub fn new(host: HostId, boot: BootId) -> Self {
        Self {
            identities: Identities::new(host, boot),
            clock: ClockPair::default(),
            arena: Arena::default(),
            living: HashMap::new(),
            births: Births::default(),
            groups: Groups::default(),
            snapshot: None,
            lossy: false,
            revisions: 0,
            inferred_exits: 0,
            recovered: 0,
        }
    }

    /// Takes one observation in and hands over the facts that it establishes, in order.
    pub fn apply(&mut self, observation: &Observation<'_>, emit: Emit<'_>) {
        match observation {
            Observation::Clock(pair) => self.clock = *pair,
            Observation::Fork(fork) => self.fork(fork),
            Observation::Exec(exec) => self.exec(exec, emit),
            Observation::Exit(exit) => self.exit(exit),
            Observation::Builtin(builtin) => self.builtin(builtin, emit),
            Observation::Line(line) => self.line(line),
            Observation::Bound(bound) => self.bind(bound),
            Observation::Revoked(revoked) => self.revoke(revoked),
            Observation::Verification(verification) => self.verification(verification, emit),
            Observation::SnapshotBegin(at) => self.snapshot = Some(Snapshot::begin(*at)),
            Observation::Running(running) => self.running(running),
            Observation::SnapshotEnd => self.snapshot_end(emit),
            Observation::Lost(_) => self.lossy = true,
        }
    }

    /// The five processes around an event of `process`, which is one of this model's.
    pub fn context<'m>(&'m self, process: &'m Process) -> Context<'m> {
        let entry = self.arena.get(process.slot);
        let unknown = Links::unknown(self.why_unseen());
        let links = entry.map_or(unknown, |entry| entry.links);
        Context {
            this: process,
            parent: self.known_process(links.parent),
            session_leader: self.known_process(links.session_leader),
            inception: self.known_process(links.inception),
            inception_inferred: entry.is_some_and(|entry| entry.inferred),
            last_user_entered: links.last_user_entered.map(|link| self.known_process(link)),
        }
    }

    /// The living process with this key.
    pub fn living(&self, key: ProcessKey) -> Option<&Process> {
        self.process(self.find(key)?)
    }

    /// One more than the highest [`Process::slot`] that was ever in use.
    pub fn slots(&self) -> usize {
        self.arena.slots()
    }

    /// The wall time of a boot time, by the latest reading of both clocks.
    pub fn wall_at(&self, boot: BootTime) -> WallTime {
        self.clock.wall_at(boot)
    }

    /// What the model counts.
    pub fn counters(&self) -> Counters {
        let living = self.living.len() as u64;
        Counters {
            living,
            retained: self.arena.occupied().saturating_sub(living),
            uuid_collisions: self.births.collisions(),
            inferred_exits: self.inferred_exits,
            recovered: self.recovered,
        }
    }

    fn exit(&mut self, exit: &Exit) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.ended(exit.process);
        }
        // An unknown process ended between attaching and the snapshot, or its end was told twice
        // (two last threads that end at once both see themselves as the last).
        if let Some(slot) = self.find(exit.process) {
            self.retire(slot);
        }
    }

    /// Takes a process out of the living.
    fn retire(&mut self, slot: Slot) {
        let Some(key) = self.process(slot).map(Process::key) else { return };
        if self.living.get(&key.pid) == Some(&slot) {
            self.living.remove(&key.pid);
        }
        self.births.ended(key);
        self.arena.end(slot);
    }

    /// Takes a process in, whose pid then belongs to no other living process.
    fn admit(&mut self, mut process: Process, links: Links) -> Slot {
        let key = process.key;
        if let Some(older) = self.living.get(&key.pid).copied() {
            self.inferred_exits += 1;
            self.retire(older);
        }
        let ordinal = self.births.ordinal(key);
        process.uuid = self.identities.process(key.start.ticks(), key.pid, ordinal);
        process.started = self.clock.wall_at(key.start);
        process.revision = self.next_revision();
        let slot = self.arena.insert(Entry::new(process, links));
        self.living.insert(key.pid, slot);
        self.refresh_uuids(slot);
        slot
    }

    /// The living process with this key. A start that is only known to the tick, from `/proc`,
    /// equals any start within that tick.
    fn find(&self, key: ProcessKey) -> Option<Slot> {
        let slot = *self.living.get(&key.pid)?;
        same_start(self.process(slot)?.key.start, key.start).then_some(slot)
    }

    fn find_known(&self, key: ProcessKey) -> Known<Slot> {
        if key.pid.0 == 0 {
            return Err(Why::StartedBeforeBootOfNamespace);
        }
        self.find(key).ok_or(self.why_unseen())
    }

    /// The living leader of a session.
    fn find_leader(&self, state: &State) -> Known<Slot> {
        let pid = Pid(state.sid.0);
        if pid.0 == 0 {
            return Err(Why::StartedBeforeBootOfNamespace);
        }
        let leader = self.living.get(&pid).copied();
        leader
            .filter(|slot| self.process(*slot).is_some_and(Process::is_session_leader))
            .ok_or(Why::ExitedBeforeCapture)
    }

    fn process(&self, slot: Slot) -> Option<&Process> {
        self.arena.get(slot).map(|entry| &entry.process)
    }

    fn known_process(&self, link: Known<Slot>) -> Known<&Process> {
        self.process(link?).ok_or(Why::ExitedBeforeCapture)
    }

    /// Why a process that must exist is not in the table.
    fn why_unseen(&self) -> Why {
        if self.lossy { Why::SensorLostEvents } else { Why::ExitedBeforeCapture }
    }

    fn next_revision(&mut self) -> u64 {
        self.revisions += 1;
        self.revisions
    }

    /// Changes a process through `change`, which says whether it changed anything.
    fn update(&mut self, slot: Slot, change: impl FnOnce(&mut Process) -> bool) {
        let revision = self.revisions + 1;
        if let Some(entry) = self.arena.get_mut(slot)
            && change(&mut entry.process)
        {
            entry.process.revision = revision;
            self.revisions = revision;
        }
    }

    /// Copies the identities of those whom a process names into the process itself, where they
    /// stay when the named ones are gone.
    fn refresh_uuids(&mut self, slot: Slot) {
        let Some(entry) = self.arena.get(slot) else { return };
        let Links { parent, creator, session_leader, .. } = entry.links;
        let parent = self.known_process(parent).map(|process| (process.key, process.uuid));
        let creator = self.known_process(creator).map(Process::uuid);
        let session_leader = self.known_process(session_leader).map(Process::uuid);
        self.update(slot, |process| {
            let before = (
                process.parent,
                process.parent_uuid,
                process.creator_uuid,
                process.session_leader_uuid,
            );
            if let Ok((key, _)) = parent {
                process.parent = key;
            }
            process.parent_uuid = parent.map(|(_, uuid)| uuid);
            process.creator_uuid = creator;
            process.session_leader_uuid = session_leader;
            let after = (
                process.parent,
                process.parent_uuid,
                process.creator_uuid,
                process.session_leader_uuid,
            );
            before != after
        });
    }

    /// Looks at the three criteria for a process that is not user-entered yet, with its parent's
    /// facts as last seen. A parent that has ended is the parent no more: whoever has adopted
    /// the process has no terminal to type at.
    fn evaluate_user_entered(&mut self, slot: Slot) {
        let Some(entry) = self.arena.get(slot) else { return };
        if entry.process.user_entered {
            return;
        }
        let parent = entry.links.parent.ok().and_then(|parent| self.arena.get(parent));
        let Some(parent) = parent.filter(|parent| parent.alive) else { return };
        let parent = &parent.process;
        if entered::is_user_entered(entry.process.state.pgid, &parent.state) {
            self.update(slot, |process| {
                process.user_entered = true;
                true
            });
        }
    }

    /// The nearest user-entered ancestor of a child that `creator` has just made.
    fn last_user_entered_below(&self, creator: Slot) -> Option<Known<Slot>> {
        match self.arena.get(creator) {
            Some(entry) if entry.process.user_entered => Some(Ok(creator)),
            Some(entry) => entry.links.last_user_entered,
            None => Some(Err(self.why_unseen())),
        }
    }

    /// The leader of the session that a child of `creator` is born into.
    fn session_leader_below(&self, creator: Slot) -> Known<Slot> {
        match self.arena.get(creator) {
            Some(entry) if entry.process.is_session_leader() => Ok(creator),
            Some(entry) => entry.links.session_leader,
            None => Err(self.why_unseen()),
        }
    }

    /// Makes a process an inception of its own.
    fn set_inception(&mut self, slot: Slot, inception: Inception) {
        let person = match inception.kind {
            InceptionKind::External => self.person_of_login(slot),
            InceptionKind::Internal => None,
        };
        self.arena.relink(slot, |links| links.inception = Ok(slot));
        if let Some(entry) = self.arena.get_mut(slot) {
            entry.inferred = false;
        }
        self.update(slot, |process| {
            process.inception = Some(inception);
            process.person = person;
            true
        });
    }
}

/// A process of which only the kernel's facts are known yet.
fn newborn(
    key: ProcessKey,
    parent: ProcessKey,
    state: State,
    place: &Place<'_>,
    why: Why,
) -> Process {
    Process {
        slot: 0,
        revision: 0,
        key,
        uuid: crate::identity::ProcessUuid([0; 16]),
        started: WallTime(0),
        state,
        pid_namespace: place.pid_namespace,
        cgroup: place.cgroup,
        container: None,
        image: Err::<Arc<Image>, _>(why),
        cwd: Err(why),
        exec_count: 0,
        user_entered: false,
        parent,
        parent_uuid: Err(why),
        creator_uuid: Err(why),
        session_leader_uuid: Err(why),
        inception: None,
        person: None,
    }
}

fn same_start(one: BootTime, other: BootTime) -> bool {
    let only_to_the_tick = |start: BootTime| start == start.ticks().start();
    one == other
        || (one.ticks() == other.ticks() && (only_to_the_tick(one) || only_to_the_tick(other)))
}
