//! Which processes a person typed, and whose last user-entered process they are.

use forebear_model::{Device, Stream, StreamKind};

use crate::world::World;

fn null() -> Option<Stream> {
    let device = Device { major: 1, minor: 3 };
    Some(Stream { device, kind: StreamKind::Char, is_ctty: false })
}

fn shell(world: &mut World) -> forebear_model::ProcessKey {
    let sshd = world.sshd();
    world.ssh_login(sshd, 3)
}

#[test]
fn every_program_of_a_typed_pipeline_is_the_answer_for_its_own_descendants() {
    let mut world = World::observed();
    let shell = shell(&mut world);
    let first = world.fork(shell);
    let group = first.pid.0;
    world.setpgid(first, group);
    assert!(world.exec(first, "/bin/cat").user_entered);
    for exe in ["/bin/grep", "/usr/bin/wc"] {
        let member = world.fork(shell);
        world.setpgid(member, group);
        let told = world.exec(member, exe);
        assert!(told.user_entered);
        assert_eq!(told.last_user_entered, None);
        let (_, below) = world.run_from(member, "/bin/true");
        assert!(!below.user_entered);
        assert_eq!(below.last_user_entered, Some(Ok(member.pid.0)));
    }
}

#[test]
fn the_nearest_typed_ancestor_counts_and_never_self() {
    let mut world = World::observed();
    let shell = shell(&mut world);
    let (inner, told) = world.type_at(shell, "/bin/bash");
    assert_eq!((told.user_entered, told.last_user_entered), (true, None));
    let (make, told) = world.type_at(inner, "/usr/bin/make");
    assert_eq!(told.last_user_entered, Some(Ok(inner.pid.0)));
    let (cc, told) = world.run_from(make, "/usr/bin/cc");
    assert_eq!(told.last_user_entered, Some(Ok(make.pid.0)));
    let (_, told) = world.run_from(cc, "/usr/bin/as");
    assert_eq!(told.last_user_entered, Some(Ok(make.pid.0)));
}

#[test]
fn each_of_the_three_criteria_is_needed() {
    let mut world = World::observed();
    let shell = shell(&mut world);
    assert!(world.type_at(shell, "/bin/ls").1.user_entered);
    assert!(!world.run_from(shell, "/bin/ls").1.user_entered, "same process group");
    world.redirect(shell, 1, null());
    assert!(world.type_at(shell, "/bin/ls").1.user_entered, "standard output does not matter");
    for descriptor in [0, 2] {
        let mut world = World::observed();
        let shell = self::shell(&mut world);
        world.redirect(shell, descriptor, null());
        assert!(!world.type_at(shell, "/bin/ls").1.user_entered);
        world.redirect(shell, descriptor, None);
        assert!(!world.type_at(shell, "/bin/ls").1.user_entered);
    }
}

#[test]
fn a_stream_that_is_the_terminal_under_another_number_counts() {
    let mut world = World::observed();
    let shell = shell(&mut world);
    let stream = Stream { device: Device::DEV_TTY, kind: StreamKind::Tty, is_ctty: true };
    world.redirect(shell, 0, Some(stream));
    assert!(world.type_at(shell, "/bin/ls").1.user_entered);
}

#[test]
fn a_subshell_that_never_execs_is_judged_when_it_makes_a_child() {
    let mut world = World::observed();
    let shell = shell(&mut world);
    let subshell = world.fork(shell);
    world.setpgid(subshell, subshell.pid.0);
    let (_, told) = world.run_from(subshell, "/bin/ls");
    assert!(!told.user_entered, "it shares the subshell's group");
    assert_eq!(told.last_user_entered, Some(Ok(subshell.pid.0)));
    world.exit(shell);
    let (_, told) = world.run_from(subshell, "/bin/ls");
    assert_eq!(told.last_user_entered, Some(Ok(subshell.pid.0)), "once true it stays true");
}

#[test]
fn a_shell_that_makes_its_own_group_after_its_exec_was_not_typed() {
    let mut world = World::observed();
    let shell = shell(&mut world);
    let (sudo, _) = world.type_at(shell, "/usr/bin/sudo");
    let (inner, told) = world.run_from(sudo, "/bin/bash");
    assert!(!told.user_entered);
    world.setpgid(inner, inner.pid.0);
    let (_, told) = world.type_at(inner, "/bin/ls");
    assert_eq!(told.last_user_entered, Some(Ok(sudo.pid.0)));
}

#[test]
fn the_answer_survives_the_death_of_the_typed_process() {
    let mut world = World::observed();
    let shell = shell(&mut world);
    let (script, _) = world.type_at(shell, "/bin/sh");
    let background = world.fork(script);
    world.exit(script);
    let told = world.exec(background, "/bin/sleep");
    assert_eq!(told.last_user_entered, Some(Ok(script.pid.0)));
}

#[test]
fn nothing_of_a_service_is_user_entered() {
    let mut world = World::observed();
    let init = world.init();
    let cron = world.fork(init);
    world.setsid(cron);
    world.exec(cron, "/usr/sbin/cron");
    let (_, told) = world.type_at(cron, "/bin/sh");
    assert_eq!((told.user_entered, told.last_user_entered), (false, None));
}
