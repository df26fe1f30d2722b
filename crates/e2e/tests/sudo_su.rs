//! Changes of user inside a login: who the process acts as changes, who came in does not.

use forebear_testkit::Expect;
use forebear_testkit::means::{LOGIN, Means, available};
use forebear_testkit::scene::Scene;
use forebear_testkit::sudo::SudoRule;

#[test]
fn sudo_changes_the_user_and_not_the_inception() {
    if !available(LOGIN) || !available(&[Means::Program("sudo")]) {
        return;
    }
    let mut scene = Scene::new("bash");
    let _rule = SudoRule::for_everything(&scene.account);
    let mut login = scene.login();
    let uid = scene.account.uid();
    let marker = scene.marker("sudo");
    let script = format!("ls {marker}; :");
    login.run(&format!("sudo -n sh -c '{script}'"));
    let sudo = scene.agent.wait_for_exec_of(&["sudo", "-n", "sh", "-c", &script]);
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&sudo, "the EXEC of sudo")
        .is("exec.setuid", true)
        .is("self.uid", uid)
        .is("self.euid", 0)
        .is("self.user", scene.account.name())
        .is("self.effective_user", "root")
        .is("self.user_entered", true)
        .process("parent", login.uuid())
        .process("inception_session", login.uuid())
        .met();
    Expect::of(&ls, "ls below sudo")
        .is("self.uid", 0)
        .is("self.euid", 0)
        .is("self.user", "root")
        .is("self.login_uid", uid)
        .is("self.login_user", scene.account.name())
        .is("self.audit_session", login.shell.number("self.audit_session"))
        .is("last_user_entered.name", "sudo")
        // With its option use_pty sudo puts a process of its own between, in a group of its own,
        // which by the three criteria is the nearer one.
        .holds("the last typed one is sudo or its child", |ls| {
            [ls.uuid("last_user_entered"), ls.text("last_user_entered.parent_uuid")]
                .contains(&sudo.uuid("self"))
        })
        .process("inception_session", login.uuid())
        .is("inception_session.uid", uid)
        .is("inception_session.entry", "ssh")
        .met();
    login.logout();
    scene.finish();
}

/// Root's own shell, and in it the way back to an ordinary user.
#[test]
fn what_is_typed_in_a_root_shell_still_belongs_to_the_login() {
    if !available(LOGIN) || !available(&[Means::Program("sudo"), Means::Program("su")]) {
        return;
    }
    let mut scene = Scene::new("bash");
    let _rule = SudoRule::for_everything(&scene.account);
    let mut login = scene.login();
    let name = scene.account.name().to_owned();
    let (as_root, as_user) = (scene.marker("as-root"), scene.marker("as-user"));
    login.run("sudo -n env PS1='forebear-ready> ' bash --norc");
    login.run(&format!("ls {as_root}"));
    let script = format!("ls {as_user}; :");
    login.run(&format!("su -s /bin/sh {name} -c '{script}'"));
    login.run("exit");
    let as_root = scene.agent.wait_for_exec_of(&["ls", &as_root]);
    let as_user = scene.agent.wait_for_exec_of(&["ls", &as_user]);
    Expect::of(&as_root, "ls in the root shell")
        .is("self.uid", 0)
        .is("self.user_entered", true)
        .is("parent.name", "bash")
        .process("inception_session", login.uuid())
        .is("self.login_uid", scene.account.uid())
        .present("last_user_entered")
        .met();
    Expect::of(&as_user, "ls below su")
        .is("self.uid", scene.account.uid())
        .is("self.login_uid", scene.account.uid())
        // Where su starts the shell in a new group, the shell is nearer than su.
        .holds("the last typed one is su or its shell", |ls| {
            matches!(ls.text("last_user_entered.name"), Some("su" | "sh"))
        })
        .process("inception_session", login.uuid())
        .met();
    login.logout();
    scene.finish();
}
