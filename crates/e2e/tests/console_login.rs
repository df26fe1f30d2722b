//! A login at the machine itself, on a virtual console and on a serial line: getty waits, login
//! lets in, and the shell is the inception.
//!
//! The login of the shadow suite (Debian up to 12, Ubuntu) gives the shell no session of its own,
//! the one of util-linux does; either way the shell is where the person came in.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::process::{Command, Stdio};

use forebear_testkit::account::Account;
use forebear_testkit::agent::Agent;
use forebear_testkit::means::{DEED, Means, available};
use forebear_testkit::process::Owned;
use forebear_testkit::scene::shell_path;
use forebear_testkit::{Expect, account, deed, process};
use rustix::process::Signal;

/// The last of the virtual consoles, which no system starts a getty on.
const CONSOLE: &str = "/dev/tty63";

/// Logs in on `terminal` by getty and login, types `ls` there, and checks the five processes.
#[track_caller]
fn check(terminal: &str, entry: &str, device: (u32, u32), kind: &str) {
    let user = Account::new(&shell_path("bash"));
    let type_on = deed::build("type_on", user.folder());
    let mut agent = Agent::start(user.folder());
    let name = terminal.trim_start_matches("/dev/");
    // setsid as init does it; getty asks for nothing, since nobody sits there.
    let getty = Command::new("setsid")
        .args(["agetty", "--noclear", "--local-line", "--autologin", user.name(), name, "linux"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let getty = Owned::new("getty", getty.unwrap());
    let uid = u64::from(user.uid());
    let shell = agent.wait_for("the login shell's EXEC", |event| {
        event.is_exec() && event.name() == "bash" && event.number("self.uid") == Some(uid)
    });
    let marker = format!("console-{}", user.name());
    let line = format!("ls {marker}");
    account::run(Command::new(&type_on).args([terminal, &line]), "type on the terminal");
    let ls = agent.wait_for_exec_of(&["ls", &marker]);

    Expect::of(&shell, "the login shell's EXEC")
        .is("self.tty.major", device.0)
        .is("self.tty.minor", device.1)
        .is("self.tty.kind", kind)
        .is("self.tty.name", name)
        .stream("self", "stdin", "tty", device, true)
        .stream("self", "stdout", "tty", device, true)
        .stream("self", "stderr", "tty", device, true)
        .is("parent.name", "login")
        .is("session_leader.name", "login")
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.kind", "external")
        .is("inception_session.entry", entry)
        .contains("inception_session.evidence", "broker_executable")
        .contains("inception_session.evidence", "login_uid_set")
        .absent("inception_session.source")
        .is("self.login_uid", user.uid())
        .nobody_entered()
        .met();
    let shell_uuid = shell.uuid("self").unwrap();
    let shell_leads = shell.at("self.is_session_leader") == Some(&true.into());
    let leader = if shell_leads { shell_uuid } else { shell.uuid("session_leader").unwrap() };
    Expect::of(&ls, "the EXEC of ls")
        .process("parent", shell_uuid)
        .process("session_leader", leader)
        .process("inception_session", shell_uuid)
        .is("self.user_entered", true)
        .is("self.tty.kind", kind)
        .stream("self", "stdin", "tty", device, true)
        .nobody_entered()
        .met();
    let shell_pid = u32::try_from(shell.number("self.pid").unwrap()).unwrap();
    process::signal_pid(shell_pid, Signal::HUP);
    drop(getty);
    agent.stop();
}

#[test]
fn a_login_on_a_virtual_console_is_an_inception_by_login() {
    let terminal = [Means::Program("agetty"), Means::Program("login"), Means::Terminal(CONSOLE)];
    if available(DEED) && available(&terminal) {
        check(CONSOLE, "login", (4, 63), "console");
    }
}

#[test]
fn a_login_on_a_serial_line_is_an_inception_by_serial() {
    let line = "/dev/ttyS0";
    let terminal = [Means::Program("agetty"), Means::Program("login"), Means::Terminal(line)];
    if available(DEED) && available(&terminal) {
        check(line, "serial", (4, 64), "serial");
    }
}
