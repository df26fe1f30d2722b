//! Background jobs, new sessions and orphans: who the parent is changes, who stands behind does
//! not.

use forebear_testkit::Expect;
use forebear_testkit::deed;
use forebear_testkit::means::{DEED, LOGIN, Means, available};
use forebear_testkit::scene::Scene;

#[test]
fn a_background_job_is_typed() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("background");
    login.run(&format!("ls {marker} & wait"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "the background job")
        .is("self.user_entered", true)
        .same("self.pgid", "self.pid")
        .process("parent", login.uuid())
        .process("inception_session", login.uuid())
        .nobody_entered()
        .met();
    login.logout();
    scene.finish();
}

/// It leads a session of its own and has no terminal any more; the session that encloses it is
/// the login's.
#[test]
fn a_new_session_in_a_login_is_no_new_inception() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("setsid");
    let script = format!("ls {marker}; :");
    login.run(&format!("setsid --fork --wait sh -c '{script}'"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    let shell = scene.agent.wait_for_exec_of(&["sh", "-c", &script]);
    Expect::of(&shell, "the leader of the new session")
        .is("self.is_session_leader", true)
        .no_terminal("self")
        .stream("self", "stdin", "tty", (136, login.pts), false)
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .is("last_user_entered.name", "setsid")
        .met();
    Expect::of(&ls, "ls in the new session")
        .same("session_leader.uuid", "parent.uuid")
        .same("self.sid", "parent.pid")
        .no_terminal("self")
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .is("self.user_entered", false)
        .met();
    login.logout();
    scene.finish();
}

/// A terminal inside a login is somebody's tool, not a door.
#[test]
fn a_terminal_opened_in_a_login_is_no_new_inception() {
    if !available(LOGIN) || !available(&[Means::Program("script")]) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("script");
    login.run(&format!("script -q -c 'ls {marker}; :' /dev/null"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls on the terminal that script opened")
        .is("self.interactive", true)
        .holds("it is another terminal", |ls| {
            ls.number("self.tty.minor") != Some(u64::from(login.pts))
        })
        .same("session_leader.uuid", "parent.uuid")
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .absent("missing")
        .met();
    login.logout();
    scene.finish();
}

/// `setsid` in the shell's own group does not fork: the session begins after an exec.
#[test]
fn a_session_may_begin_after_the_exec() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("late-setsid");
    login.run(&format!("(setsid ls {marker}; :) | cat"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls that replaced setsid")
        .is("self.is_session_leader", true)
        .is("self.exec_count", 2)
        .is("exec.previous_exe", "/usr/bin/setsid")
        .no_terminal("self")
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .met();
    login.logout();
    scene.finish();
}

/// PID 1 or a subreaper is the parent; the creator is remembered, and through it everything else.
#[test]
fn an_orphan_is_adopted_and_keeps_who_stands_behind_it() {
    if !available(LOGIN) || !available(DEED) {
        return;
    }
    let mut scene = Scene::new("bash");
    let deed = deed::build("double_fork", scene.account.folder());
    let mut login = scene.login();
    let marker = scene.marker("orphan");
    login.run(&format!("{} ls {marker}", deed.display()));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    let typed = scene.agent.wait_for_exec_of(&[deed.to_str().unwrap(), "ls", &marker]);
    Expect::of(&ls, "the orphan")
        .same("self.ppid", "parent.pid")
        .present("self.creator_uuid")
        .holds("its creator is not its parent", |ls| {
            ls.text("self.creator_uuid") != ls.uuid("parent")
        })
        .holds("the typed program is not its creator either", |ls| {
            ls.text("self.creator_uuid") != typed.uuid("self")
        })
        .holds("the parent is none of the login's", |ls| ls.uuid("parent") != Some(login.uuid()))
        .process("last_user_entered", typed.uuid("self").unwrap())
        .is("last_user_entered.name", "double_fork")
        .process("session_leader", login.uuid())
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .on_pts("self", login.pts)
        .absent("missing")
        .met();
    login.logout();
    scene.finish();
}

/// The whole login has gone when its last process speaks.
#[test]
fn a_process_outlives_its_login_and_keeps_its_inception() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let (go, marker) = (scene.marker("go"), scene.marker("survivor"));
    let script = format!("until [ -e {go} ]; do sleep 0.02; done; ls {marker}; :");
    login.run(&format!("setsid --fork sh -c '{script}'"));
    scene.agent.wait_for_exec_of(&["sh", "-c", &script]);
    let shell = login.shell.clone();
    login.logout();
    fs_err::write(scene.account.home().join(&go), "").unwrap();
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls after the logout")
        .process("inception_session", shell.uuid("self").unwrap())
        .is("inception_session.argv", shell.at("self.argv").cloned())
        .is("inception_session.entry", "ssh")
        .is("inception_session.source.port", scene.sshd.client_ports().first().copied())
        .is("self.login_uid", scene.account.uid())
        .absent("missing")
        .met();
    scene.finish();
}
