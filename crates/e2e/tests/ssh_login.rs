//! The worked example of the reference: a login with ssh, and `ls` in its shell.

use forebear_testkit::Expect;
use forebear_testkit::means::{LOGIN, available};
use forebear_testkit::scene::{Scene, device_of};
use forebear_testkit::sshd::Options;
use serde_json::json;

/// "For the EXEC event associated with your login shell, your login shell is both the self process
/// and the inception session, the parent process is sshd, and the session leader is sshd's session
/// leader. For the EXEC event associated with `ls`, the inception session process is the login
/// shell, the parent process is the login shell, the session leader is the login shell and the
/// self process is `ls`."
#[test]
fn the_login_shell_and_ls_after_it_have_all_their_processes_and_device_numbers() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("worked-example");
    login.run(&format!("ls {marker}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    let (account, pts) = (&scene.account, login.pts);
    let log = device_of(&account.folder().join("sshd/log"));

    Expect::of(&login.shell, "the login shell's EXEC")
        .is("self.name", "bash")
        .is("self.argv", json!(["-bash"]))
        .is("self.exe", "/usr/bin/bash")
        .is("self.exec_count", 1)
        .is("self.cwd", account.home().to_str())
        .is("self.uid", account.uid())
        .is("self.euid", account.uid())
        .is("self.user", account.name())
        .is("self.effective_user", account.name())
        .is("self.login_uid", account.uid())
        .is("self.login_user", account.name())
        .present("self.audit_session")
        .is("self.is_session_leader", true)
        .is("self.user_entered", false)
        .on_pts("self", pts)
        .absent("self.container")
        .absent("self.pid_namespace")
        .absent("self.unknown")
        .is("exec.filename", "/bin/bash")
        .is("exec.previous_exe", "/usr/sbin/sshd")
        .absent("exec.interpreter")
        .absent("exec.setuid")
        .is("parent.name", "sshd")
        .is("parent.exe", "/usr/sbin/sshd")
        .is("parent.uid", account.uid())
        .is("parent.is_session_leader", false)
        .no_terminal("parent")
        .stream("parent", "stdin", "char", (1, 3), false)
        .stream("parent", "stdout", "char", (1, 3), false)
        .stream("parent", "stderr", "file", log, false)
        .is("session_leader.name", "sshd")
        .is("session_leader.uid", 0)
        .is("session_leader.is_session_leader", true)
        .same("session_leader.pid", "parent.sid")
        .no_terminal("session_leader")
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "ssh")
        .is("inception_session.source.ip", "127.0.0.1")
        .is("inception_session.source.port", scene.sshd.client_ports().first().copied())
        .on_pts("inception_session", pts)
        .nobody_entered()
        .absent("missing")
        .met();

    Expect::of(&ls, "the EXEC of ls")
        .is("self.name", "ls")
        .is("self.exe", "/usr/bin/ls")
        .is("self.exec_count", 1)
        .is("self.cwd", account.home().to_str())
        .same("self.pgid", "self.pid")
        .same("self.sid", "parent.pid")
        .is("self.uid", account.uid())
        .is("self.login_uid", account.uid())
        .is("self.is_session_leader", false)
        .is("self.user_entered", true)
        .absent("self.creator_uuid")
        .on_pts("self", pts)
        .is("exec.previous_exe", "/usr/bin/bash")
        .process("parent", login.uuid())
        .on_pts("parent", pts)
        .process("session_leader", login.uuid())
        .on_pts("session_leader", pts)
        .process("inception_session", login.uuid())
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "ssh")
        .on_pts("inception_session", pts)
        .nobody_entered()
        .absent("missing")
        .met();
    login.logout();
    scene.finish();
}

/// Every kind of evidence that a login through PAM leaves, the broker's identity first.
#[test]
fn a_login_through_pam_has_every_kind_of_evidence() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let login = scene.login();
    Expect::of(&login.shell, "the login shell's EXEC")
        .holds("the broker's executable is the best evidence", |event| {
            event.at("inception_session.evidence").and_then(|list| list.get(0))
                == Some(&json!("broker_executable"))
        })
        .contains("inception_session.evidence", "login_uid_set")
        .contains("inception_session.evidence", "audit_session_set")
        .contains("inception_session.evidence", "tcp_peer")
        .contains("inception_session.evidence", "controlling_terminal")
        .met();
    login.logout();
    scene.finish();
}

/// Without PAM nobody sets a login uid, and the door is known all the same.
#[test]
fn a_login_without_pam_is_a_login_by_ssh_too() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::with("bash", Options { pam: false, ..Options::default() });
    let login = scene.login();
    Expect::of(&login.shell, "the login shell's EXEC")
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "ssh")
        .is("inception_session.source.port", scene.sshd.client_ports().first().copied())
        .absent("self.login_uid")
        .absent("self.login_user")
        .absent("self.audit_session")
        .met();
    login.logout();
    scene.finish();
}

/// Two people at the same time, each with an inception of their own.
#[test]
fn two_logins_are_two_inceptions() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut first = scene.login();
    let mut second = scene.login();
    assert_ne!(first.uuid(), second.uuid());
    let ports = scene.sshd.client_ports();
    for (login, port) in [(&mut first, ports[0]), (&mut second, ports[1])] {
        let marker = scene.marker(&format!("login-{port}"));
        login.run(&format!("ls {marker}"));
        let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
        Expect::of(&ls, "the EXEC of ls")
            .process("inception_session", login.uuid())
            .is("inception_session.source.port", port)
            .on_pts("self", login.pts)
            .met();
    }
    first.logout();
    second.logout();
    scene.finish();
}

/// "sshd's listener, monitor, `sshd-session` and `sshd-auth` are one broker: none of them is
/// anybody's inception."
#[test]
fn the_parts_of_sshd_belong_to_the_service() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let login = scene.login();
    let listener = u64::from(scene.sshd.pid());
    let part = scene.agent.wait_for("the EXEC of sshd's part for the connection", |event| {
        event.is_exec()
            && event.text("self.exe").is_some_and(|exe| exe.contains("sshd"))
            && event.number("self.ppid") == Some(listener)
    });
    Expect::of(&part, "sshd's part for the connection")
        .is("inception_session.kind", "internal")
        .is("inception_session.entry", "service")
        .is("self.uid", 0)
        .absent("self.login_uid")
        .no_terminal("self")
        .nobody_entered()
        .met();
    login.logout();
    scene.finish();
}

/// The inner login came through the door as well: the server, not the shell, created it.
#[test]
fn a_login_from_within_a_login_is_an_inception_of_its_own() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let key = scene.account.home().join("key");
    fs_err::copy(scene.sshd.user_key(), &key).unwrap();
    std::os::unix::fs::chown(&key, Some(scene.account.uid()), None).unwrap();
    let (outer, inner) = (scene.marker("outer"), scene.marker("inner"));
    let options = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
    let port = scene.sshd.port();
    login.run(&format!("ssh {options} -tt -q -i key -p {port} 127.0.0.1"));
    login.run(&format!("ls {inner}"));
    login.run("exit");
    login.run(&format!("ls {outer}"));
    let inner = scene.agent.wait_for_exec_of(&["ls", &inner]);
    let outer = scene.agent.wait_for_exec_of(&["ls", &outer]);
    let ports = scene.sshd.client_ports();
    Expect::of(&inner, "ls in the inner login")
        .same("inception_session.uuid", "parent.uuid")
        .is("inception_session.entry", "ssh")
        .is("inception_session.source.port", ports[1])
        .holds("it is another inception", |ls| ls.uuid("inception_session") != Some(login.uuid()))
        .nobody_entered()
        .met();
    Expect::of(&outer, "ls in the outer login")
        .process("inception_session", login.uuid())
        .is("inception_session.source.port", ports[0])
        .met();
    login.logout();
    scene.finish();
}
