//! tmux and screen: the session leader changes, the inception does not; before, during and after
//! the logout.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::process::Command;

use forebear_testkit::means::{LOGIN, Means, available};
use forebear_testkit::scene::{Login, Scene};
use forebear_testkit::{Event, Expect, account, ssh, wait};

/// Waits for the EXEC of a shell that this multiplexer's server started.
#[track_caller]
fn pane_shell(scene: &mut Scene, multiplexer: &str) -> Event {
    let uid = u64::from(scene.account.uid());
    scene.agent.wait_for("the EXEC of the pane's shell", |event| {
        event.is_exec()
            && event.name() == "bash"
            && event.number("self.uid") == Some(uid)
            && event.text("parent.name") == Some(multiplexer)
    })
}

/// What holds of the shell in a pane.
#[track_caller]
fn check_pane(pane: &Event, login: &Event, login_pts: u32) {
    Expect::of(pane, "the EXEC of the pane's shell")
        .is("self.is_session_leader", true)
        .same("session_leader.uuid", "parent.uuid")
        .is("session_leader.is_session_leader", true)
        .no_terminal("session_leader")
        .process("inception_session", login.uuid("self").unwrap())
        .is("inception_session.entry", "ssh")
        .is("self.tty.major", 136)
        .holds("the pane's terminal is another one", |pane| {
            pane.number("self.tty.minor") != Some(u64::from(login_pts))
        })
        .is("self.audit_session", login.number("self.audit_session"))
        .absent("missing")
        .met();
}

/// What holds of `ls` typed in a pane.
#[track_caller]
fn check_ls(ls: &Event, pane: &Event, login: &Event) {
    let multiplexer = pane.text("parent.name").unwrap();
    let pane_pts = u32::try_from(pane.number("self.tty.minor").unwrap()).unwrap();
    Expect::of(ls, "ls in the pane")
        .is("self.user_entered", true)
        .process("parent", pane.uuid("self").unwrap())
        .process("session_leader", pane.uuid("self").unwrap())
        .process("inception_session", login.uuid("self").unwrap())
        .is("inception_session.entry", "ssh")
        .is("inception_session.source", login.at("inception_session.source").cloned())
        .is("inception_session.argv", login.at("self.argv").cloned())
        .on_pts("self", pane_pts)
        .on_pts("session_leader", pane_pts)
        // Typed in the login and the reason that there is a pane at all: the client, or the server
        // if by the three criteria (a group of its own below the client) it is the nearer one.
        .is("last_user_entered.name", multiplexer)
        .absent("missing")
        .met();
}

/// The tmux server of the test user on its private socket, commanded from outside.
#[track_caller]
fn tmux(socket: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("tmux");
    let output = account::run(command.args(["-S", socket]).args(arguments), "command tmux");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn tmux_socket(scene: &Scene) -> String {
    scene.account.home().join("tmux.socket").display().to_string()
}

/// Starts tmux in a login and gives its first pane's shell.
#[track_caller]
fn start_tmux(scene: &mut Scene, login: &mut Login) -> Event {
    login.terminal.line(&format!("tmux -S {} -f /dev/null new-session", tmux_socket(scene)));
    let pane = pane_shell(scene, "tmux");
    login.terminal.prompt();
    pane
}

#[test]
fn a_tmux_session_keeps_its_inception_through_logout_and_reattachment() {
    if !available(LOGIN) || !available(&[Means::Program("tmux")]) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let first_login = login.shell.clone();
    let pane = start_tmux(&mut scene, &mut login);
    check_pane(&pane, &first_login, login.pts);

    let during = scene.marker("during");
    login.terminal.line(&format!("ls {during}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &during]);
    check_ls(&ls, &pane, &first_login);

    // The network breaks down: client, ssh session and login shell go, the server stays.
    let socket = tmux_socket(&scene);
    login.terminal.hang_up();
    wait::until("tmux to notice that its client has gone", || {
        tmux(&socket, &["list-clients"]).is_empty().then_some(())
    });
    let after = scene.marker("after");
    tmux(&socket, &["send-keys", &format!("ls {after}"), "Enter"]);
    let ls = scene.agent.wait_for_exec_of(&["ls", &after]);
    check_ls(&ls, &pane, &first_login);

    // Somebody comes back: their own shell has a new inception, the pane keeps the old one.
    let mut again = scene.login();
    assert_ne!(again.uuid(), first_login.uuid("self").unwrap());
    again.terminal.line(&format!("tmux -S {socket} attach"));
    again.terminal.prompt();
    let attached = scene.marker("attached");
    again.terminal.line(&format!("ls {attached}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &attached]);
    check_ls(&ls, &pane, &first_login);

    // A new window is made by the server, so it belongs to who started the server.
    tmux(&socket, &["new-window"]);
    let in_window = scene.marker("window");
    tmux(&socket, &["send-keys", &format!("ls {in_window}"), "Enter"]);
    let ls = scene.agent.wait_for_exec_of(&["ls", &in_window]);
    Expect::of(&ls, "ls in the new window")
        .process("inception_session", first_login.uuid("self").unwrap())
        .same("session_leader.uuid", "parent.uuid")
        .is("session_leader.session_leader_uuid", pane.uuid("parent"))
        .met();
    tmux(&socket, &["kill-server"]);
    again.terminal.shows("[server exited]");
    again.terminal.prompt();
    again.logout();
    scene.finish();
}

#[test]
fn a_screen_session_keeps_its_inception_through_logout() {
    if !available(LOGIN) || !available(&[Means::Program("screen")]) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let first_login = login.shell.clone();
    let settings = scene.account.folder().join("screenrc");
    fs_err::write(&settings, "startup_message off\n").unwrap();
    login.run("mkdir -m 700 screens; export SCREENDIR=$PWD/screens");
    login.terminal.line(&format!("screen -c {} -S main", settings.display()));
    let pane = pane_shell(&mut scene, "screen");
    check_pane(&pane, &first_login, login.pts);
    login.terminal.prompt();

    let during = scene.marker("during");
    login.terminal.line(&format!("ls {during}"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &during]);
    check_ls(&ls, &pane, &first_login);

    login.terminal.hang_up();
    let after = scene.marker("after");
    let command = format!("SCREENDIR=$PWD/screens screen -S main -X stuff 'ls {after}\\015'");
    ssh::command(&scene.sshd, &scene.account, &command);
    let ls = scene.agent.wait_for_exec_of(&["ls", &after]);
    check_ls(&ls, &pane, &first_login);
    ssh::command(&scene.sshd, &scene.account, "SCREENDIR=$PWD/screens screen -S main -X quit");
    scene.finish();
}
