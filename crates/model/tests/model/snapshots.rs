//! The agent started late: nobody missing, nobody twice, and what can be said of lost ancestry.

use forebear_model::{Entry, InceptionKind, Why};

use crate::world::{PTS, World};

#[test]
fn a_late_agent_finds_what_a_live_one_has_seen() {
    let mut live = World::observed();
    let sshd = live.sshd();
    let shell = live.ssh_login(sshd, 3);
    let (make, _) = live.type_at(shell, "/usr/bin/make");
    let (cc, _) = live.run_from(make, "/usr/bin/cc");
    let mut late = World::new();
    late.processes = live.processes.clone();
    late.now = live.now;
    late.snapshot();
    for key in [shell, make, cc] {
        let (seen, found) = (live.last_told_of(key), late.last_told_of(key));
        assert!(found.backfill);
        assert_eq!(seen.uuid, found.uuid);
        assert_eq!(seen.parent, found.parent);
        assert_eq!(seen.session_leader, found.session_leader);
        assert_eq!(seen.inception, found.inception);
        assert_eq!(seen.last_user_entered, found.last_user_entered);
        assert_eq!(seen.user_entered, found.user_entered);
        assert_eq!(seen.door, found.door);
        assert!(!found.inferred);
    }
    let told: Vec<u32> = late.told.iter().map(|told| told.pid).collect();
    let living = late.processes.values().filter(|p| p.alive && !p.kernel_thread).count();
    assert_eq!(told.len(), living, "one each, threads of the kernel left out");
}

fn adopted_server(world: &mut World) -> (forebear_model::ProcessKey, forebear_model::ProcessKey) {
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (client, _) = world.type_at(shell, "/usr/bin/tmux");
    let server = world.fork(client);
    world.setsid(server);
    world.exit(client);
    let pane = world.fork(server);
    world.setsid(pane);
    world.open_terminal(pane, PTS(7));
    world.exec(pane, "/bin/bash");
    (shell, pane)
}

#[test]
fn an_adopted_tmux_server_is_led_back_to_its_login_by_the_audit_session() {
    let mut world = World::observed();
    let (shell, pane) = adopted_server(&mut world);
    let mut late = World::new();
    late.processes = world.processes.clone();
    late.now = world.now;
    late.snapshot();
    let found = late.last_told_of(pane).clone();
    assert_eq!(found.inception, Ok(shell.pid.0));
    assert!(found.inferred);
    let (_, ls) = late.type_at(pane, "/bin/ls");
    assert_eq!((ls.inception, ls.inferred), (Ok(shell.pid.0), true));
    let (_, own) = late.type_at(shell, "/bin/ls");
    assert_eq!((own.inception, own.inferred), (Ok(shell.pid.0), false));
}

#[test]
fn an_adopted_tmux_server_whose_login_is_gone_has_no_known_inception() {
    let mut world = World::observed();
    let (shell, pane) = adopted_server(&mut world);
    world.exit(shell);
    let mut late = World::new();
    late.processes = world.processes.clone();
    late.now = world.now;
    late.snapshot();
    let found = late.last_told_of(pane);
    assert_eq!(found.inception, Err(Why::ExitedBeforeCapture), "not a guess");
    assert_eq!(found.last_user_entered, Some(Err(Why::ExitedBeforeCapture)));
}

#[test]
fn an_orphan_in_a_login_session_belongs_to_that_login() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (parent, _) = world.type_at(shell, "/bin/sh");
    let orphan = world.fork(parent);
    world.exec(orphan, "/bin/sleep");
    world.exit(parent);
    let mut late = World::new();
    late.processes = world.processes.clone();
    late.now = world.now;
    late.snapshot();
    let found = late.last_told_of(orphan);
    assert_eq!((found.parent, found.inception), (Ok(1), Ok(shell.pid.0)));
    assert_eq!(found.session_leader, Ok(shell.pid.0));
    assert_eq!(found.door.as_ref().map(|d| (d.kind, d.entry)), {
        Some((InceptionKind::External, Entry::Ssh))
    });
}

#[test]
fn a_service_and_a_waiting_login_are_not_adopted() {
    let mut world = World::observed();
    let init = world.init();
    let service = world.fork(init);
    world.setsid(service);
    world.exec(service, "/usr/sbin/cron");
    let login = world.fork(init);
    world.setsid(login);
    world.exec(login, "/bin/login");
    world.login(login, 1000, 5);
    let manager = world.fork(init);
    world.setsid(manager);
    world.exec(manager, "/usr/lib/systemd/systemd");
    world.login(manager, 1000, 6);
    let mut late = World::new();
    late.processes = world.processes.clone();
    late.now = world.now;
    late.snapshot();
    for key in [service, login, manager] {
        assert_eq!(late.last_told_of(key).inception, Ok(key.pid.0));
    }
}

#[test]
fn who_ends_while_the_snapshot_is_taken_is_not_brought_back() {
    let mut world = World::observed();
    let init = world.init();
    let short = world.fork(init);
    world.exec(short, "/bin/true");
    world.snapshot_begin();
    world.snapshot_running();
    world.exit(short);
    world.snapshot_end();
    assert!(world.model.living(short).is_none());
    assert_eq!(world.model.counters().inferred_exits, 0);
}

#[test]
fn who_starts_while_the_snapshot_is_taken_is_not_told_twice() {
    let mut world = World::observed();
    let init = world.init();
    world.snapshot_begin();
    let young = world.fork(init);
    world.exec(young, "/bin/sleep");
    world.snapshot_running();
    world.snapshot_end();
    assert_eq!(world.told.iter().filter(|told| told.pid == young.pid.0).count(), 1);
    assert!(world.model.living(young).is_some());
}

#[test]
fn a_second_snapshot_tells_nothing_again() {
    let mut world = World::observed();
    let sshd = world.sshd();
    world.ssh_login(sshd, 3);
    let before = world.told.len();
    world.snapshot();
    assert_eq!(world.told.len(), before);
}
