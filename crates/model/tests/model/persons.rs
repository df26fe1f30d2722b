//! Who stands behind a login, once it was verified.

use forebear_model::observation::{Bound, Revoked, Verification};
use forebear_model::{BootTime, Observation, ProcessKey, VerificationOutcome};

use crate::world::{PTS, World};

const ANN: &str = "ann@example.com";
const BEN: &str = "ben@example.com";

impl World {
    /// A person is verified in a process; the pid of the one that is bound.
    fn bind(
        &mut self,
        process: ProcessKey,
        account: &str,
        roles: &[&str],
        until: Option<u64>,
    ) -> Option<u32> {
        let bound = self.model.bound_through(process).map(|process| process.pid().0);
        self.now += 1_000_003;
        self.tell(&Observation::Bound(Bound {
            at: BootTime(self.now),
            process,
            account,
            roles: roles.to_vec(),
            until: until.map(BootTime),
        }));
        bound
    }

    fn revoke(&mut self, account: &str) {
        self.tell(&Observation::Revoked(Revoked { at: BootTime(self.now), account }));
    }

    /// Somebody gave wrong answers; who asked, if it was told, and is there.
    fn attempt(&mut self, process: ProcessKey) -> Option<Option<u32>> {
        let before = self.attempts.len();
        self.tell(&Observation::Verification(Box::new(Verification {
            at: BootTime(self.now),
            process,
            account: None,
            method: None,
            outcome: VerificationOutcome::Refused,
            attempts: 3,
            service: "sshd",
            user: "deploy",
            remote: None,
        })));
        self.attempts.get(before).copied()
    }
}

#[test]
fn sshd_asks_in_a_child_of_the_process_that_makes_the_session() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let monitor = world.ssh_monitor(sshd);
    let asking = world.fork(monitor);
    assert_eq!(world.bind(asking, ANN, &["ops", "db"], None), Some(monitor.pid.0));
    world.exit(asking);
    let child = world.ssh_session(monitor, 7);
    world.open_terminal(child, PTS(3));
    let login = world.exec(child, "/bin/bash");
    assert_eq!(login.person.as_deref(), Some("ann@example.com ops db"));
    let (sudo, told) = world.type_at(child, "/usr/bin/sudo");
    assert_eq!(told.person.as_deref(), Some("ann@example.com ops db"));
    world.become_user(sudo, 0);
    let (_, told) = world.run_from(sudo, "/usr/bin/id");
    assert_eq!(told.person.as_deref(), Some("ann@example.com ops db"));
    // A second session over the same connection is the same person's.
    let child = world.ssh_session(monitor, 8);
    let told = world.exec(child, "/usr/lib/openssh/sftp-server");
    assert_eq!(told.person.as_deref(), Some("ann@example.com ops db"));
}

#[test]
fn two_persons_who_log_in_as_one_user_are_told_apart() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let monitors = [world.ssh_monitor(sshd), world.ssh_monitor(sshd)];
    for (monitor, account) in monitors.into_iter().zip([ANN, BEN]) {
        let asking = world.fork(monitor);
        world.bind(asking, account, &[], None);
    }
    let shells = monitors.map(|monitor| world.ssh_session(monitor, 7));
    for (shell, account) in shells.into_iter().zip([ANN, BEN]) {
        assert_eq!(world.exec(shell, "/bin/bash").person.as_deref(), Some(account));
    }
    // Nobody has proved anything here.
    let shell = world.ssh_login(sshd, 9);
    assert_eq!(world.last_told_of(shell).person, None);
}

#[test]
fn a_program_in_a_session_binds_the_session() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (gate, told) = world.type_at(shell, "/usr/bin/forebear-gate");
    assert_eq!(told.person, None);
    assert_eq!(world.bind(gate, ANN, &[], None), Some(shell.pid.0));
    assert_eq!(world.type_at(shell, "/bin/ls").1.person.as_deref(), Some(ANN));
    // Whoever proves it later is it from then on.
    let (su, _) = world.type_at(shell, "/bin/su");
    world.bind(su, BEN, &[], None);
    assert_eq!(world.type_at(shell, "/bin/ls").1.person.as_deref(), Some(BEN));
}

#[test]
fn a_service_is_nobodys() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let monitor = world.ssh_monitor(sshd);
    world.bind(monitor, ANN, &[], None);
    let (_, told) = world.run_from(sshd, "/usr/bin/id");
    assert_eq!(told.person, None, "the listener has not been bound");
    let (_, told) = world.run_from(monitor, "/usr/bin/id");
    assert_eq!(told.person, None, "what PAM runs before the session is the service's");
}

#[test]
fn a_proof_ends_when_it_was_to_end() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let until = world.now + 10_000_000;
    world.bind(shell, ANN, &[], Some(until));
    assert_eq!(world.type_at(shell, "/bin/ls").1.person.as_deref(), Some(ANN));
    world.now = until;
    assert_eq!(world.type_at(shell, "/bin/ls").1.person, None);
}

#[test]
fn a_revoked_person_stands_behind_nothing() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shells = [world.ssh_login(sshd, 3), world.ssh_login(sshd, 4)];
    let waiting = world.ssh_monitor(sshd);
    world.bind(shells[0], ANN, &[], None);
    world.bind(shells[1], BEN, &[], None);
    world.bind(waiting, ANN, &[], None);
    world.revoke(ANN);
    assert_eq!(world.type_at(shells[0], "/bin/ls").1.person, None);
    assert_eq!(world.type_at(shells[1], "/bin/ls").1.person.as_deref(), Some(BEN));
    let session = world.ssh_session(waiting, 7);
    assert_eq!(world.exec(session, "/bin/bash").person, None);
}

#[test]
fn a_binding_that_is_told_again_after_a_restart_finds_the_sessions() {
    let mut world = World::new();
    world.deaf = true;
    let sshd = world.sshd();
    let monitor = world.ssh_monitor(sshd);
    let shell = world.ssh_session(monitor, 7);
    world.open_terminal(shell, PTS(3));
    world.exec(shell, "/bin/bash");
    world.deaf = false;
    world.snapshot();
    world.bind(monitor, ANN, &[], None);
    assert_eq!(world.type_at(shell, "/bin/ls").1.person.as_deref(), Some(ANN));
}

#[test]
fn nobody_is_bound_through_a_process_that_is_not_there() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let monitor = world.ssh_monitor(sshd);
    world.exit(monitor);
    assert_eq!(world.bind(monitor, ANN, &[], None), None);
    // Its pid is another process's now.
    let other = world.fork_as(sshd, monitor.pid.0);
    assert_eq!(world.bind(monitor, ANN, &[], None), None);
    assert_eq!(world.exec(other, "/bin/bash").person, None);
}

#[test]
fn an_attempt_is_told_even_if_who_asked_is_gone() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let monitor = world.ssh_monitor(sshd);
    assert_eq!(world.attempt(monitor), Some(Some(monitor.pid.0)));
    world.exit(monitor);
    assert_eq!(world.attempt(monitor), Some(None));
}
