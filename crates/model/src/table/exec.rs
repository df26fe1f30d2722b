//! A process runs a program: the moment at which most questions are answered.

use std::sync::Arc;

use super::{Emit, Model, Slot};
use crate::broker::basename;
use crate::facts::Fact;
use crate::ids::Pid;
use crate::inception::{self, Candidate, Verdict};
use crate::known::Known;
use crate::observation::{Argv, Exec, Executable, ParentFacts, TcpPeer};
use crate::process::{Image, KeptArgv};

impl Model {
    pub(super) fn exec(&mut self, exec: &Exec<'_>, emit: Emit<'_>) {
        self.groups.learn(&exec.place);
        let parent = match (self.find(exec.parent), &exec.parent_facts) {
            (Some(slot), Some(facts)) => {
                self.refresh_parent(slot, facts);
                Ok(slot)
            }
            (None, Some(facts)) => Ok(self.recover_parent(exec, facts)),
            (_, None) => self.find_known(exec.parent),
        };
        let slot = match self.find(exec.process) {
            Some(slot) => slot,
            None => self.recover(exec.process, &exec.state, &exec.place),
        };
        let previous = self.process(slot).map_or(Err(self.why_unseen()), |p| p.image.clone());
        self.arena.relink(slot, |links| links.parent = parent);
        self.take_image(slot, exec, parent.ok());
        self.refresh_uuids(slot);
        self.evaluate_user_entered(slot);
        self.decide_external(slot, exec.tcp_peer);
        let line = self.arena.get_mut(slot).and_then(|entry| entry.line.take());
        if let Some(process) = self.process(slot) {
            emit(self, Fact::Executed { process, exec, previous, line });
        }
    }

    fn take_image(&mut self, slot: Slot, exec: &Exec<'_>, parent: Option<Slot>) {
        let image = Arc::new(image(&exec.executable, exec.filename, Ok(exec.argv)));
        let parent = parent.and_then(|slot| self.process(slot));
        let parent_cwd = parent.and_then(|parent| parent.cwd.clone().ok());
        let place = &exec.place;
        let own = self.process(slot).map(|own| (own.cgroup, own.container.clone()));
        let before = own.as_ref().map(|(cgroup, container)| (*cgroup, container));
        let container = self.groups.container(place, before);
        self.update(slot, |process| {
            process.state = exec.state.clone();
            process.parent = exec.parent;
            process.pid_namespace = place.pid_namespace;
            process.cgroup = place.cgroup;
            process.container = container;
            process.image = Ok(image);
            process.cwd = exec.cwd.map(|cwd| match (&process.cwd, &parent_cwd) {
                (Ok(own), _) if **own == *cwd => own.clone(),
                (_, Some(parents)) if **parents == *cwd => parents.clone(),
                _ => cwd.into(),
            });
            process.exec_count += 1;
            true
        });
        if let Some(entry) = self.arena.get_mut(slot) {
            entry.recovered = false;
        }
    }

    fn refresh_parent(&mut self, slot: Slot, facts: &ParentFacts<'_>) {
        self.refresh_state(slot, &facts.state);
        let why = self.why_unseen();
        let place = &facts.place;
        let own = self.process(slot).map(|own| own.cgroup);
        let moved_to = (own != Some(place.cgroup)).then(|| self.groups.container(place, None));
        self.update(slot, |process| {
            let moved = facts.cwd.is_ok() && process.cwd.as_deref() != facts.cwd.as_deref();
            if moved {
                process.cwd = facts.cwd.map(Into::into);
            }
            // The record of an exec was lost if the kernel says that another file runs.
            let known_file = process.image.as_ref().ok().and_then(|image| image.file);
            let stale = known_file.is_some() && facts.file.is_some() && known_file != facts.file;
            if stale {
                process.image = Err(why);
            }
            let regrouped = moved_to.is_some();
            if let Some(container) = moved_to {
                process.cgroup = place.cgroup;
                process.container = container;
            }
            moved || stale || regrouped
        });
        if self.process(slot).is_some_and(|parent| parent.image.is_err())
            && facts.file.is_some()
            && let Some(entry) = self.arena.get_mut(slot)
        {
            entry.recovered = true;
        }
    }

    fn recover_parent(&mut self, exec: &Exec<'_>, facts: &ParentFacts<'_>) -> Slot {
        let slot = self.recover(exec.parent, &facts.state, &facts.place);
        let grandparent = self.find_known(facts.parent);
        self.arena.relink(slot, |links| links.parent = grandparent);
        self.update(slot, |process| {
            process.parent = facts.parent;
            process.cwd = facts.cwd.map(Into::into);
            true
        });
        self.refresh_uuids(slot);
        self.evaluate_user_entered(slot);
        slot
    }

    /// Looks whether a process that now runs a program is where a person came in.
    pub(super) fn decide_external(&mut self, slot: Slot, tcp_peer: Option<TcpPeer>) {
        let Some(entry) = self.arena.get(slot) else { return };
        let (process, links) = (&entry.process, entry.links);
        if entry.decided || !self.inherits_internal(slot) {
            return;
        }
        let Ok(image) = process.image.as_deref() else { return };
        if links.inception == Ok(slot) {
            // A service: only what PID 1 made can still become a login.
            let made_by_init =
                self.known_process(links.creator).is_ok_and(|creator| creator.key.pid == Pid::INIT);
            let found = inception::decide_exec_chain(&process.state, image);
            let may_be = made_by_init && process.is_session_leader();
            if let Some(found) = found.filter(|_| may_be) {
                self.settle(slot);
                self.set_inception(slot, found);
            }
            return;
        }
        let (Ok(creator), Ok(inherited)) =
            (self.known_process(links.creator), self.known_process(links.inception))
        else {
            return;
        };
        let verdict = inception::decide(Candidate {
            leads: process.is_session_leader(),
            state: &process.state,
            image,
            creator: &creator.state,
            creator_image: creator.image.as_deref().ok(),
            inherited: (links.inception != links.creator).then_some(&inherited.state),
            tcp_peer,
        });
        match verdict {
            Verdict::Undecided => {}
            Verdict::Inherits => self.settle(slot),
            Verdict::External(found) => {
                self.settle(slot);
                self.set_inception(slot, found);
            }
        }
    }

    fn settle(&mut self, slot: Slot) {
        if let Some(entry) = self.arena.get_mut(slot) {
            entry.decided = true;
        }
    }
}

/// The image that an executable makes, called by the name under which it was run.
pub(super) fn image(
    executable: &Executable<'_>,
    filename: Known<&[u8]>,
    argv: Known<Argv<'_>>,
) -> Image {
    Image {
        exe: executable.path.map(Into::into),
        // No file system gives out inode 0: a source says so that it could not look.
        file: (executable.file.inode != 0).then_some(executable.file),
        owner: executable.owner,
        mode: executable.mode,
        deleted: executable.deleted,
        memfd: executable.memfd,
        upper_layer: executable.upper_layer,
        name: name(executable, filename).into(),
        argv: argv.map(KeptArgv::keep),
    }
}

/// What the program is called: the last component of the path given to execve, so that a script
/// has its own name. A program run through a bare descriptor (fexecve(3), shown by the kernel as
/// `/dev/fd/<n>`) has none and is called by its file's.
fn name<'a>(executable: &Executable<'a>, filename: Known<&'a [u8]>) -> &'a [u8] {
    let given = filename.ok().filter(|path| !path.is_empty() && !is_bare_descriptor(path));
    given.or(executable.path.ok()).map(basename).unwrap_or_default()
}

fn is_bare_descriptor(path: &[u8]) -> bool {
    let number = path.strip_prefix(b"/dev/fd/").unwrap_or_default();
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}
