//! Process identity: never twice, never changed.

use std::collections::HashSet;

use crate::world::World;

#[test]
fn a_reused_pid_is_a_new_process() {
    let mut world = World::observed();
    let init = world.init();
    let first = world.fork_as(init, 500);
    let one = world.exec(first, "/bin/true");
    world.exit(first);
    let second = world.fork_as(init, 500);
    let two = world.exec(second, "/bin/true");
    assert_ne!(one.uuid, two.uuid);
    assert_eq!(world.model.counters().inferred_exits, 0);
}

#[test]
fn a_pid_reused_within_one_tick_is_a_new_process_and_counted() {
    let mut world = World::observed();
    let init = world.init();
    world.now = 20_000_000_000;
    let mut seen = HashSet::new();
    for _ in 0..4 {
        world.now += 1000;
        let process = world.fork_now(init, 600, init);
        seen.insert(world.model.living(process).expect("lives").uuid());
        world.now -= 1_000_003;
        world.exit(process);
    }
    assert_eq!(seen.len(), 4);
    assert_eq!(world.model.counters().uuid_collisions, 3);
}

#[test]
fn an_exec_keeps_the_identity_and_counts_the_images() {
    let mut world = World::observed();
    let init = world.init();
    let process = world.fork(init);
    let one = world.exec(process, "/bin/sh");
    let two = world.exec(process, "/bin/ls");
    assert_eq!(one.uuid, two.uuid);
    assert_eq!((one.exec_count, two.exec_count), (1, 2));
}

#[test]
fn a_lost_exit_is_noticed_when_the_pid_comes_again() {
    let mut world = World::observed();
    let init = world.init();
    let first = world.fork_as(init, 700);
    let one = world.exec(first, "/bin/true");
    world.deaf = true;
    world.exit(first);
    world.hear_again();
    let second = world.fork_as(init, 700);
    let two = world.exec(second, "/bin/true");
    assert_ne!(one.uuid, two.uuid);
    assert_eq!(world.model.counters().inferred_exits, 1);
}

#[test]
fn live_and_backfilled_have_the_same_identity() {
    let mut live = World::observed();
    let init = live.init();
    let process = live.fork(init);
    let told = live.exec(process, "/usr/sbin/cron");
    // A second run of the agent sees the same machine for the first time.
    let mut late = World::new();
    late.processes = live.processes.clone();
    late.now = live.now;
    late.snapshot();
    assert_eq!(late.last_told_of(process).uuid, told.uuid);
}
