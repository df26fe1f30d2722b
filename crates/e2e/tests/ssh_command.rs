//! ssh without a terminal: a command, sftp and scp are entries like a login.

use std::path::Path;

use forebear_testkit::means::{LOGIN, available};
use forebear_testkit::scene::Scene;
use forebear_testkit::{Event, Expect, ssh};

/// The facts that every session without a terminal shares; `event` is its first EXEC.
#[track_caller]
fn check_entry(scene: &Scene, event: &Event, what: &str) {
    Expect::of(event, what)
        .is("self.uid", scene.account.uid())
        .is("self.login_uid", scene.account.uid())
        .is("self.is_session_leader", true)
        .is("self.user_entered", false)
        .no_terminal("self")
        .is("parent.name", "sshd")
        .is("session_leader.name", "sshd")
        .is("session_leader.is_session_leader", true)
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.kind", "external")
        .is("inception_session.entry", "ssh")
        .contains("inception_session.evidence", "broker_executable")
        .is("inception_session.source.ip", "127.0.0.1")
        .is("inception_session.source.port", scene.sshd.client_ports().last().copied())
        .nobody_entered()
        .met();
}

#[test]
fn a_command_without_a_terminal_is_an_inception() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let marker = scene.marker("command");
    let line = format!("ls {marker}; :");
    ssh::command(&scene.sshd, &scene.account, &line);
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    let shell = scene.agent.wait_for_exec_of(&["bash", "-c", &line]);
    check_entry(&scene, &shell, "the EXEC of the shell that sshd started");
    let shell = shell.uuid("self").unwrap();
    Expect::of(&ls, "the EXEC of ls")
        .process("parent", shell)
        .process("session_leader", shell)
        .process("inception_session", shell)
        .is("inception_session.entry", "ssh")
        .is("self.user_entered", false)
        .no_terminal("self")
        .nobody_entered()
        .met();
    scene.finish();
}

/// A shell that has nothing more to do than one command runs it in its own place.
#[test]
fn a_command_that_replaces_the_shell_keeps_its_inception() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let marker = scene.marker("replaced");
    ssh::command(&scene.sshd, &scene.account, &format!("exec ls {marker}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    check_entry(&scene, &ls, "the EXEC of ls in the shell's place");
    Expect::of(&ls, "the EXEC of ls in the shell's place")
        .is("self.exec_count", 2)
        .is("exec.previous_exe", "/usr/bin/bash")
        .is("inception_session.name", "ls")
        .met();
    scene.finish();
}

#[test]
fn sftp_is_an_inception() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let server = "/usr/lib/openssh/sftp-server";
    ssh::sftp(&scene.sshd, &scene.account, "mkdir made-by-sftp");
    let uid = u64::from(scene.account.uid());
    let exec = scene.agent.wait_for("the EXEC of sftp-server", |event| {
        event.is_exec() && event.argv_is(&[server]) && event.number("self.uid") == Some(uid)
    });
    check_entry(&scene, &exec, "the EXEC of sftp-server");
    scene.finish();
}

#[test]
fn scp_is_an_inception_by_either_protocol() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let uid = u64::from(scene.account.uid());
    let file = Path::new("/etc/hostname");
    ssh::scp(&scene.sshd, &scene.account, file, "by-sftp", false);
    let exec = scene.agent.wait_for("the EXEC of sftp-server", |event| {
        event.is_exec() && event.name() == "sftp-server" && event.number("self.uid") == Some(uid)
    });
    check_entry(&scene, &exec, "the EXEC of sftp-server");

    let target = scene.marker("by-scp");
    ssh::scp(&scene.sshd, &scene.account, file, &target, true);
    let exec = scene.agent.wait_for_exec_of(&["scp", "-t", &target]);
    check_entry(&scene, &exec, "the EXEC of scp on the server's side");
    scene.finish();
}
