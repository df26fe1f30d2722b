//! What a shell does itself, and which typed line it and the programs it runs come from.

use crate::world::World;

#[test]
fn a_builtin_has_the_five_processes_of_its_shell() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let at_exec = world.last_told_of(shell).clone();
    let told = world.builtin(shell, "cd");
    assert_eq!(told.builtin.as_deref(), Some("cd"));
    assert_eq!(told.uuid, at_exec.uuid);
    assert_eq!(told.exec_count, at_exec.exec_count, "no program was run");
    assert_eq!((told.parent, told.session_leader), (at_exec.parent, at_exec.session_leader));
    assert_eq!(told.inception, Ok(shell.pid.0));
    assert_eq!(told.line, None);
}

#[test]
fn a_builtin_of_a_typed_subshell_has_it_as_user_entered() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let subshell = world.fork(shell);
    world.setpgid(subshell, subshell.pid.0);
    let told = world.builtin(subshell, "cd");
    assert!(told.user_entered);
    assert_eq!(told.parent, Ok(shell.pid.0));
    let below = world.fork(subshell);
    assert_eq!(world.builtin(below, "pwd").last_user_entered, Some(Ok(subshell.pid.0)));
}

#[test]
fn a_line_belongs_to_what_its_shell_does_until_it_asks_for_the_next() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    assert_eq!(world.builtin(shell, "alias").line, None, "a start-up file was not typed");
    world.line(shell, Some("cd /tmp; ls"), false);
    assert_eq!(world.builtin(shell, "cd").line.as_deref(), Some("cd /tmp; ls"));
    let (ls, told) = world.type_at(shell, "/bin/ls");
    assert_eq!(told.line.as_deref(), Some("cd /tmp; ls"));
    let (_, below) = world.run_from(ls, "/bin/true");
    assert_eq!(below.line, None, "what a program runs was not typed");
    world.line(shell, None, false);
    assert_eq!(world.builtin(shell, "history").line, None, "the prompt's own commands");
}

#[test]
fn a_child_keeps_the_line_that_it_was_made_for() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    world.line(shell, Some("(sleep 1; ls) &"), false);
    let subshell = world.fork(shell);
    world.line(shell, None, false);
    world.line(shell, Some("cd /"), false);
    let (_, ls) = world.run_from(subshell, "/bin/ls");
    assert_eq!(ls.line.as_deref(), Some("(sleep 1; ls) &"));
    assert_eq!(world.builtin(shell, "cd").line.as_deref(), Some("cd /"));
}

#[test]
fn the_lines_of_one_command_are_told_together() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    world.line(shell, Some("for i in 1 2; do"), false);
    world.line(shell, Some("cd /; done"), true);
    let line = world.builtin(shell, "cd").line;
    assert_eq!(line.as_deref(), Some("for i in 1 2; do\ncd /; done"));
    world.line(shell, Some("pwd"), false);
    assert_eq!(world.builtin(shell, "pwd").line.as_deref(), Some("pwd"));
}

#[test]
fn a_program_that_replaces_the_shell_has_the_line_and_ends_it() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    world.line(shell, Some("exec zsh"), false);
    assert_eq!(world.exec(shell, "/bin/zsh").line.as_deref(), Some("exec zsh"));
    assert_eq!(world.builtin(shell, "cd").line, None);
}

#[test]
fn a_shell_that_was_never_seen_is_taken_in_with_what_its_builtin_tells() {
    let mut world = World::observed();
    let init = world.init();
    world.deaf = true;
    let shell = world.fork(init);
    world.exec(shell, "/bin/bash");
    world.deaf = false;
    let told = world.builtin(shell, "cd");
    assert_eq!(told.pid, shell.pid.0);
    assert_eq!(told.exec_count, 0);
    assert_eq!(told.parent, Ok(1));
    assert_eq!(told.inception, Ok(1), "by its session");
    assert_eq!(world.model.counters().recovered, 1);
}
