//! Merging a snapshot of the running processes: nobody missing, nobody twice.
//!
//! A snapshot is collected between [`SnapshotBegin`](crate::Observation::SnapshotBegin) and
//! [`SnapshotEnd`](crate::Observation::SnapshotEnd), while live observations go on. What it
//! shows is older than some of them, therefore
//! - processes that have started since it began are left to their live records,
//! - processes that have ended meanwhile are not brought back.

use std::sync::Arc;

use hashbrown::HashMap;

use super::exec::image;
use super::{Emit, Links, Model, Slot, newborn, same_start};
use crate::broker::{self, Role, basename};
use crate::facts::Fact;
use crate::ids::{AuditSession, Pid, Uid};
use crate::inception::InceptionKind;
use crate::known::{Known, Why};
use crate::observation::{Argv, ProcessKey, Running, TcpPeer};
use crate::process::{Container, Image, Process};
use crate::time::BootTime;

/// The longest command name that cannot have been cut (`TASK_COMM_LEN` is 16 with its NUL).
const LONGEST_WHOLE_COMM: usize = 14;

/// A snapshot that is being collected.
#[derive(Debug)]
pub(super) struct Snapshot {
    began: BootTime,
    found: Vec<Found>,
    /// Who has ended since it began; a pid that was used twice keeps its last end.
    ended: HashMap<Pid, BootTime>,
}

/// One process of the snapshot, with what is not kept in the table afterwards.
#[derive(Debug)]
struct Found {
    process: Process,
    argv: Known<(Box<[u8]>, u64)>,
    tcp_peer: Option<TcpPeer>,
    /// Its control group is the scope that systemd-logind(8) made for a login.
    in_login_scope: bool,
    kernel_thread: bool,
}

impl Snapshot {
    pub(super) fn begin(at: BootTime) -> Self {
        Self { began: at, found: Vec::new(), ended: HashMap::new() }
    }

    /// A process has ended since the snapshot began.
    pub(super) fn ended(&mut self, key: ProcessKey) {
        self.ended.insert(key.pid, key.start);
    }
}

impl Model {
    pub(super) fn running(&mut self, running: &Running<'_>) {
        let Some(snapshot) = &mut self.snapshot else { return };
        // Somebody who is younger than the snapshot has live records of everything.
        if running.process.start <= snapshot.began {
            let container = self.groups.container(&running.place, None);
            snapshot.found.push(found(running, container));
        }
    }

    pub(super) fn snapshot_end(&mut self, emit: Emit<'_>) {
        let Some(Snapshot { began, mut found, ended }) = self.snapshot.take() else { return };
        found.retain(|found| {
            let key = found.process.key;
            !ended.get(&key.pid).is_some_and(|start| same_start(*start, key.start))
        });
        // Creators are older than those they made, so that everybody's elders come first.
        found.sort_by_key(|found| found.process.key.start);
        self.end_those_not_in(&found, began);
        let mut new = Vec::new();
        for found in found {
            let key = found.process.key;
            let (argv, peer) = (found.argv.clone(), found.tcp_peer);
            let announce = !found.kernel_thread;
            match self.find(key) {
                Some(slot) => {
                    if self.complete(slot, found) && announce {
                        new.push((slot, argv));
                    }
                }
                None => {
                    let slot = self.find_running(found);
                    self.decide_external(slot, peer);
                    // Nobody typed the program through which they came in.
                    if self.arena.get(slot).is_some_and(|entry| entry.links.inception != Ok(slot)) {
                        self.evaluate_user_entered(slot);
                    }
                    if announce {
                        new.push((slot, argv));
                    }
                }
            }
        }
        for (slot, argv) in new {
            if let Some(process) = self.process(slot) {
                let argv = argv.as_ref().map_err(|why| *why);
                let argv = argv.map(|(bytes, total)| Argv { bytes, total: *total });
                emit(self, Fact::Found { process, at: began, argv });
            }
        }
    }

    /// Ends those who should be in the snapshot and are not: their end was lost.
    fn end_those_not_in(&mut self, found: &[Found], began: BootTime) {
        let present: HashMap<Pid, ProcessKey> =
            found.iter().map(|found| (found.process.key.pid, found.process.key)).collect();
        let gone: Vec<Slot> = self
            .living
            .values()
            .copied()
            .filter(|slot| {
                self.process(*slot).is_some_and(|process| {
                    let key = process.key;
                    let same = present
                        .get(&key.pid)
                        .is_some_and(|other| same_start(other.start, key.start));
                    key.start <= began && !same
                })
            })
            .collect();
        for slot in gone {
            self.inferred_exits += 1;
            self.retire(slot);
        }
    }

    /// Fills in what was not known of a process that had been met in others' records only.
    /// Returns whether there was anything to fill in.
    fn complete(&mut self, slot: Slot, found: Found) -> bool {
        let Some(entry) = self.arena.get_mut(slot) else { return false };
        if !std::mem::take(&mut entry.recovered) {
            return false;
        }
        let parent = self.find_known(found.process.parent);
        let image = found.process.image.clone();
        let cwd = found.process.cwd.clone();
        self.arena.relink(slot, |links| links.parent = parent);
        self.update(slot, |process| {
            process.image = image;
            process.cwd = cwd;
            process.container = found.process.container;
            process.exec_count = process.exec_count.max(1);
            true
        });
        self.refresh_uuids(slot);
        self.join_session(slot);
        true
    }

    /// Takes in a process that nothing was known of. Its creator is taken to be its parent,
    /// unless it must have been adopted.
    fn find_running(&mut self, found: Found) -> Slot {
        let Found { process, in_login_scope, kernel_thread, .. } = found;
        let parent = self.find_known(process.parent);
        let parent_pid = process.parent.pid;
        let is_first = matches!(process.key.pid, Pid::INIT | Pid::KTHREADD) && parent_pid.0 == 0;
        let adopted = parent_pid == Pid::INIT && self.is_adopted(&process, in_login_scope);
        let creator = if adopted { Err(Why::ExitedBeforeCapture) } else { parent };
        let links = match creator {
            Ok(creator) => Links {
                parent,
                creator: Ok(creator),
                session_leader: self.session_leader_below(creator),
                inception: self
                    .arena
                    .get(creator)
                    .map_or(Err(Why::ExitedBeforeCapture), |entry| entry.links.inception),
                last_user_entered: self.last_user_entered_below(creator),
            },
            Err(why) => Links {
                parent,
                last_user_entered: (!is_first).then_some(Err(why)),
                ..Links::unknown(why)
            },
        };
        let inferred = creator
            .ok()
            .and_then(|creator| self.arena.get(creator))
            .is_some_and(|entry| entry.inferred);
        let creator_pid = if creator.is_ok() { parent_pid } else { Pid(u32::MAX) };
        let (audit_session, login_uid) = (process.state.audit_session, process.state.login_uid);
        let slot = self.admit(process, links);
        if let Some(entry) = self.arena.get_mut(slot) {
            entry.inferred = inferred;
        }
        self.decide_internal(slot, creator_pid, kernel_thread);
        self.join_session(slot);
        if adopted && self.arena.get(slot).is_some_and(|entry| entry.links.inception.is_err()) {
            self.infer_inception(slot, audit_session, login_uid);
        }
        // Whatever a person typed has that person's inception: nobody above a process that is
        // known to be a service's was typed, also where who made it is not known.
        if self.inherits_internal(slot) {
            self.arena.relink(slot, |links| {
                links.last_user_entered = links.last_user_entered.filter(Result::is_ok);
            });
        }
        self.refresh_uuids(slot);
        slot
    }

    /// Whether a child of PID 1 was not created by it but adopted.
    ///
    /// A service leads its own session or stays in PID 1's, and nobody has logged in to it;
    /// what else PID 1 starts with an audit session of its own (login on a terminal, a user's
    /// service manager) is recognised by its program. The unit of a service proves nothing:
    /// where logins get no scope of their own, they stay in the broker's.
    fn is_adopted(&self, process: &Process, in_login_scope: bool) -> bool {
        let init = self.living.get(&Pid::INIT).and_then(|slot| self.process(*slot));
        let inits_session = init.is_some_and(|init| init.state.sid == process.state.sid);
        if !process.is_session_leader() && !inits_session {
            return true;
        }
        if in_login_scope {
            return true;
        }
        let image = process.image.as_deref().ok();
        let is_manager = init.is_some_and(|init| {
            let inits_file = init.image.as_deref().ok().and_then(|image| image.file);
            inits_file.is_some() && image.and_then(|image| image.file) == inits_file
        });
        let is_login = image.and_then(broker::role) == Some(Role::Login);
        process.state.audit_session.is_some() && !is_manager && !is_login
    }

    /// Finds the login whose audit session and login uid an adopted process carries.
    fn infer_inception(
        &mut self,
        slot: Slot,
        audit_session: Option<AuditSession>,
        login_uid: Option<Uid>,
    ) {
        if audit_session.is_none() {
            return;
        }
        let Some(start) = self.process(slot).map(|process| process.key.start) else { return };
        let is_the_login = |process: &Process| {
            process.inception().is_some_and(|found| found.kind == InceptionKind::External)
                && process.state.audit_session == audit_session
                && process.state.login_uid == login_uid
                && process.key.start <= start
        };
        let logins = self.living.values().copied();
        let login = logins
            .filter(|candidate| *candidate != slot)
            .filter(|candidate| self.process(*candidate).is_some_and(is_the_login))
            .min_by_key(|candidate| self.process(*candidate).map(|process| process.key.start));
        if let Some(login) = login {
            self.arena.relink(slot, |links| links.inception = Ok(login));
            if let Some(entry) = self.arena.get_mut(slot) {
                entry.inferred = true;
                entry.decided = true;
            }
        }
    }
}

fn found(running: &Running<'_>, container: Option<Arc<Container>>) -> Found {
    let Running { place, executable, comm, argv, .. } = running;
    let why = Why::NotObservable;
    let mut process = newborn(running.process, running.parent, running.state.clone(), place, why);
    process.container = container;
    process.image = Ok(Arc::new(match executable {
        Some(executable) => {
            let image = image(executable, executable.path, *argv);
            Image { name: name(&image, comm).into(), ..image }
        }
        None => kernel_thread(comm),
    }));
    if executable.is_some() {
        process.exec_count = 1;
        process.cwd = running.cwd.map(Into::into);
    }
    Found {
        process,
        argv: argv.map(|argv| (argv.bytes.into(), argv.total)),
        tcp_peer: running.tcp_peer,
        in_login_scope: is_login_scope(place.cgroup_path.unwrap_or_default()),
        kernel_thread: executable.is_none(),
    }
}

/// What a thread of the kernel runs: no file, only a name.
fn kernel_thread(comm: &[u8]) -> Image {
    Image {
        exe: Err(Why::NotObservable),
        file: None,
        owner: Uid(0),
        mode: 0,
        deleted: false,
        memfd: false,
        upper_layer: false,
        name: comm.into(),
        argv: Err(Why::NotObservable),
    }
}

/// A running program is called by its command name where that was not cut: that is the name
/// under which it was run, unless it has renamed itself.
fn name<'a>(image: &'a Image, comm: &'a [u8]) -> &'a [u8] {
    if comm.len() <= LONGEST_WHOLE_COMM && !comm.is_empty() {
        return comm;
    }
    image.exe.as_deref().map_or(comm, basename)
}

/// systemd.scope(5): a login's processes are in `session-<id>.scope`.
fn is_login_scope(cgroup_path: &[u8]) -> bool {
    let name = basename(cgroup_path);
    name.starts_with(b"session-") && name.ends_with(b".scope")
}
