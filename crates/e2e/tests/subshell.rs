//! Subshells: processes that never run a program and still are somebody's ancestor.

use forebear_testkit::Expect;
use forebear_testkit::means::{LOGIN, available};
use forebear_testkit::scene::Scene;

#[test]
fn a_subshell_is_typed_although_it_runs_no_program() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let (one, two) = (scene.marker("one"), scene.marker("two"));
    login.run(&format!("( ls {one}; ls {two}; : )"));
    let first = scene.agent.wait_for_exec_of(&["ls", &one]);
    let second = scene.agent.wait_for_exec_of(&["ls", &two]);
    for ls in [&first, &second] {
        Expect::of(ls, "ls in the subshell")
            .is("self.user_entered", false)
            .same("self.pgid", "parent.pid")
            .is("parent.name", "bash")
            .is("parent.exec_count", 0)
            .is("parent.user_entered", true)
            .is("parent.parent_uuid", login.uuid())
            .on_pts("parent", login.pts)
            .same("last_user_entered.uuid", "parent.uuid")
            .process("session_leader", login.uuid())
            .process("inception_session", login.uuid())
            .met();
    }
    assert_eq!(first.uuid("parent"), second.uuid("parent"));
    assert_ne!(first.uuid("parent"), Some(login.uuid()));
    login.logout();
    scene.finish();
}

/// The shell starts it for itself, in its own group: nobody typed that process.
#[test]
fn a_command_substitution_is_not_typed() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("substituted");
    login.run(&format!("echo $(ls {marker})"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls in a command substitution")
        .is("self.user_entered", false)
        .same("self.pgid", "session_leader.pgid")
        .is("self.stdout.kind", "pipe")
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .nobody_entered()
        .met();
    login.logout();
    scene.finish();
}
