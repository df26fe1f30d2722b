//! Records that never arrived: what is said then, and how the table recovers.

use forebear_model::Why;

use crate::world::World;

#[test]
fn a_process_whose_fork_was_lost_still_has_its_parent_and_its_sessions_inception() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    world.deaf = true;
    let child = world.fork(shell);
    world.setpgid(child, child.pid.0);
    world.hear_again();
    let told = world.exec(child, "/bin/ls");
    assert_eq!(told.parent, Ok(shell.pid.0));
    assert_eq!(told.session_leader, Ok(shell.pid.0));
    assert_eq!(told.inception, Ok(shell.pid.0), "everybody in a session has its inception");
    assert!(told.user_entered);
    assert_eq!(told.last_user_entered, Some(Err(Why::SensorLostEvents)));
}

#[test]
fn a_session_leader_whose_fork_was_lost_has_no_guessed_inception() {
    let mut world = World::observed();
    let sshd = world.sshd();
    world.deaf = true;
    let child = world.ssh_child(sshd, 8);
    world.hear_again();
    let told = world.exec(child, "/bin/bash");
    assert_eq!(told.inception, Err(Why::SensorLostEvents));
    assert_eq!(told.session_leader, Err(Why::SensorLostEvents));
    assert!(told.parent.is_ok());
}

#[test]
fn an_unseen_parent_is_taken_in_and_completed_by_the_next_snapshot() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    world.deaf = true;
    let (script, _) = world.type_at(shell, "/home/u/script");
    world.hear_again();
    let (_, told) = world.run_from(script, "/bin/ls");
    assert_eq!(told.parent, Ok(script.pid.0));
    assert!(world.model.living(script).expect("taken in").image().is_err());
    let before = world.told.len();
    world.snapshot();
    let found = world.told[before..].iter().find(|told| told.pid == script.pid.0);
    assert_eq!(found.map(|told| (told.backfill, &*told.name)), Some((true, "script")));
}

#[test]
fn a_parents_lost_exec_is_noticed_by_the_file_that_it_runs() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (script, _) = world.type_at(shell, "/bin/sh");
    world.deaf = true;
    world.exec(script, "/usr/bin/make");
    world.hear_again();
    world.run_from(script, "/usr/bin/cc");
    let parent = world.model.living(script).expect("lives");
    assert_eq!(parent.image().map(|_| ()), Err(Why::SensorLostEvents));
}

#[test]
fn no_entry_stays_for_ever_after_lost_exits() {
    let mut world = World::observed();
    let init = world.init();
    let children: Vec<_> = (0..100).map(|_| world.fork(init)).collect();
    world.deaf = true;
    for child in children {
        world.exit(child);
    }
    world.hear_again();
    let before = world.model.counters();
    world.snapshot();
    let after = world.model.counters();
    assert_eq!(before.living - after.living, 100);
    assert_eq!(after.inferred_exits, 100);
    assert_eq!(after.retained, 0);
}

#[test]
fn a_second_snapshot_does_not_tell_again_of_a_program_that_cannot_be_looked_at() {
    let mut world = World::new();
    let init = world.init();
    world.get_mut(init).exe_hidden = true;
    world.snapshot();
    let child = world.fork(init);
    world.exec(child, "/usr/sbin/cron");
    world.snapshot();
    assert_eq!(world.told.iter().filter(|told| told.pid == 1).count(), 1);
}
