//! Logins whose shell is not bash: the rules know no shell by its name.

use forebear_testkit::Expect;
use forebear_testkit::means::{LOGIN, Means, available};
use forebear_testkit::scene::Scene;
use serde_json::json;

#[track_caller]
fn check(shell: &'static str) {
    if !available(LOGIN) || !available(&[Means::Program(shell)]) {
        return;
    }
    let mut scene = Scene::new(shell);
    let mut login = scene.login();
    let marker = scene.marker(shell);
    login.run(&format!("ls {marker}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    login.run(&format!("sh -c 'ls below-{marker}; :'"));
    let below = scene.agent.wait_for_exec_of(&["ls", &format!("below-{marker}")]);

    Expect::of(&login.shell, "the login shell's EXEC")
        .is("self.name", shell)
        .is("self.argv", json!([format!("-{shell}")]))
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.entry", "ssh")
        .is("session_leader.name", "sshd")
        .on_pts("self", login.pts)
        .met();
    Expect::of(&ls, "the EXEC of ls")
        .process("parent", login.uuid())
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .is("self.user_entered", true)
        .on_pts("self", login.pts)
        .on_pts("parent", login.pts)
        .nobody_entered()
        .met();
    Expect::of(&below, "the EXEC of ls below sh")
        .is("parent.name", "sh")
        .is("last_user_entered.name", "sh")
        .same("last_user_entered.uuid", "parent.uuid")
        .is("self.user_entered", false)
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .met();
    login.logout();
    scene.finish();
}

#[test]
fn a_login_with_zsh_has_the_same_five_processes() {
    check("zsh");
}

#[test]
fn a_login_with_dash_has_the_same_five_processes() {
    check("dash");
}

#[test]
fn a_login_with_mksh_has_the_same_five_processes() {
    check("mksh");
}
