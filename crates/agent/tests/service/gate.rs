//! Logins that ask by the gate: a real sshd without PAM that runs it as its forced command, real
//! clients, and the events that follow.

use std::process::Output;

use forebear_testkit::means::{Means, available};
use forebear_testkit::ssh;
use forebear_testkit::terminal::Terminal;
use serde_json::Value;

use crate::identity::{Person, Scene, answer, assert_is, can_ask_at_gate, logins, who};

/// A login that has come as far as the question for the e-mail.
pub(crate) fn dial(scene: &Scene) -> Terminal {
    let mut terminal = ssh::dial(&scene.sshd, &scene.shared);
    terminal.shows("E-mail: ");
    terminal
}

/// A login of this person, in their shell.
pub(crate) fn login(scene: &Scene, person: &Person) -> Terminal {
    let mut terminal = dial(scene);
    person.answer(&mut terminal, 1, &person.code());
    terminal.prompt();
    terminal
}

#[track_caller]
pub(crate) fn assert_outcome(told: &Value, outcome: &str, attempts: u64) {
    assert_eq!(told["outcome"], outcome, "{told}");
    assert_eq!(told["attempts"], attempts, "{told}");
    assert_eq!(told["service"], "forebear-gate", "{told}");
    assert_eq!(told["remote"], "127.0.0.1", "{told}");
}

fn both(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

const OF_NOBODY: &str = "You have to say who you are here, and this login has no terminal";

#[test]
fn two_persons_who_share_a_linux_user_are_told_apart_without_pam() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("", "");
    let service = scene.place.start();
    let (ann, ben) = (scene.person("ann@example.com"), scene.person("ben@example.com"));
    let mut of_ann = login(&scene, &ann);
    let mut of_ben = login(&scene, &ben);
    let events = [scene.run(&mut of_ann), scene.run(&mut of_ben), scene.run(&mut of_ann)];
    for (event, person) in events.iter().zip([&ann, &ben, &ann]) {
        assert_is(event, person);
        assert_eq!(event["inception_session"]["entry"], "ssh");
        assert_eq!(event["self"]["user"], scene.shared.name());
        // The shell of the login is the process that has asked, and has its group no more.
        assert_eq!(event["parent"]["uuid"], event["inception_session"]["uuid"]);
        assert_eq!(event["parent"]["argv"][0], "-bash");
        assert_eq!(event["parent"]["egid"], event["parent"]["gid"]);
    }
    let told = &scene.verifications("ann@example.com", 1)[0];
    assert_outcome(told, "verified", 1);
    assert_eq!(told["user"], scene.shared.name());
    let shown =
        of_ann.run("shopt -q login_shell && echo login-shell; echo \"[$SSH_ORIGINAL_COMMAND]\"");
    assert!(shown.contains("login-shell") && shown.contains("[]"), "{shown}");
    let shown = of_ann.run("id -g; ls -l /proc/self/fd | grep -c socket");
    assert!(!shown.contains("4200901") && shown.contains("\n0"), "{shown}");
    // It is as it was before the questions.
    assert!(of_ann.run("stty -a").contains(" echo "));
    drop((of_ann, of_ben));
    service.stop();
}

#[test]
fn whoever_cannot_prove_it_at_the_gate_gets_no_shell() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("", "");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = dial(&scene);
    ann.is_refused(&mut terminal);
    assert!(!terminal.ends().success());
    let mut given_up = dial(&scene);
    given_up.keys("\u{3}");
    assert!(!given_up.ends().success());
    let mut suspended = dial(&scene);
    suspended.keys("\u{1a}");
    assert!(!suspended.ends().success());
    let mut gone = dial(&scene);
    gone.line("ben@example.com");
    gone.shows("Number: ");
    gone.hang_up();
    assert_outcome(&scene.verifications("ann@example.com", 1)[0], "refused", 3);
    let account = scene.wait_for("all attempts", |account| attempts(account).len() == 4);
    for told in &attempts(&account)[1..] {
        assert_outcome(told, "abandoned", 0);
    }
    // Who was refused was still there when it was recorded.
    let refused = |event: &&Value| event["verification"]["outcome"] == "refused";
    let refused = account.events.iter().find(refused).unwrap();
    assert_eq!(refused["self"]["name"], "forebear-gate", "{refused}");
    assert_eq!(refused["inception_session"]["source"]["ip"], "127.0.0.1", "{refused}");
    // Of all of them there is what asked, and nothing after it.
    let shells = account.events.iter().filter(|event| event["self"]["argv"][0] == "-bash");
    assert_eq!(shells.count(), 0);
    assert_eq!(logins(&account).len(), 4 * 2, "the forced command's shell, and the gate");
    service.stop();
}

/// What VERIFY events say, in order.
fn attempts(account: &crate::account::Account) -> Vec<Value> {
    let is_it = |event: &&Value| event["event_type"] == "VERIFY";
    let mut told: Vec<_> = account.events.iter().filter(is_it).collect();
    told.sort_by_key(|event| event["boot_ns"].as_u64());
    told.into_iter().map(|event| event["verification"].clone()).collect()
}

#[test]
fn a_command_is_run_as_it_was_asked_for_by_those_who_can_be_asked() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("", "");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let word = Scene::word();
    let command = format!("/bin/true {word}; printf '<%s>' 'a  b' \"c'd\" '$HOME' \\*; exit 7");
    let mut terminal = ssh::command_on_terminal(&scene.sshd, &scene.shared, &command);
    terminal.shows("E-mail: ");
    ann.answer(&mut terminal, 1, &ann.code());
    terminal.shows("<a  b><c'd><$HOME><*>");
    assert_eq!(terminal.ends().code(), Some(7));
    assert_is(&scene.exec_of(&word), &ann);

    let word = Scene::word();
    let silent = ssh::command(&scene.sshd, &scene.shared, &format!("/bin/true {word}; echo in"));
    let (out, err) = both(&silent);
    assert!(!silent.status.success());
    assert_eq!(out, "");
    assert!(err.contains(OF_NOBODY) && err.contains("add -t"), "{err}");
    service.stop();
}

#[test]
fn where_a_rule_does_not_ask_files_are_copied() {
    if !can_ask_at_gate() || !available(&[Means::Program("scp"), Means::Program("sftp")]) {
        return;
    }
    let by_ssh = "when = \"session_how_connected = 'ssh' and session_ip_type = 'internal'\"\n";
    for (rule, sftp) in [
        ("verify = \"exempt\"", "/usr/lib/openssh/sftp-server"),
        ("verify = \"optional\"", "internal-sftp"),
        ("on_failure = \"allow\"", "internal-sftp -l ERROR"),
    ] {
        let rules = format!("[[identity.rule]]\n{by_ssh}{rule}\n");
        let scene = Scene::with_gate_and_sftp("", &rules, sftp);
        let service = scene.place.start();
        let file = scene.shared.folder().join("sent");
        fs_err::write(&file, rule).unwrap();
        for old_protocol in [false, true] {
            ssh::scp(&scene.sshd, &scene.shared, &file, "received", old_protocol);
            let received = scene.shared.home().join("received");
            assert_eq!(fs_err::read_to_string(&received).unwrap(), rule);
            fs_err::remove_file(received).unwrap();
        }
        ssh::sftp(&scene.sshd, &scene.shared, "mkdir made");
        assert!(scene.shared.home().join("made").exists());
        let output = ssh::command(&scene.sshd, &scene.shared, "cat; echo done");
        assert_eq!(both(&output).0, "done\n", "{output:?}");
        service.stop();
    }
}

#[test]
fn without_an_agent_the_options_of_the_gate_decide() {
    if !can_ask_at_gate() {
        return;
    }
    let closed = Scene::with_gate("", "");
    let mut terminal = ssh::dial(&closed.sshd, &closed.shared);
    terminal.shows("no agent answers at");
    terminal.shows("nobody is let in until that is mended");
    assert!(!terminal.ends().success());
    let open = Scene::with_gate("fail=open", "");
    let mut terminal = ssh::dial(&open.sshd, &open.shared);
    terminal.shows("going on without knowing who you are");
    terminal.prompt();
    let wrong = Scene::with_gate("fail=maybe", "");
    let mut terminal = ssh::dial(&wrong.sshd, &wrong.shared);
    terminal.shows("write fail=closed or fail=open");
    assert!(!terminal.ends().success());
    // sshd_config(5): $USER is the shell's, which knows it from sshd.
    let excepted = Scene::with_gate("except=root,$USER", "");
    let mut terminal = ssh::dial(&excepted.sshd, &excepted.shared);
    terminal.prompt();
}

#[test]
fn whoever_only_waits_is_not_let_in_although_a_missing_agent_would_let_them() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("fail=open", "timeout = \"10s\"\n");
    let service = scene.place.start();
    let mut terminal = dial(&scene);
    scene.wait_for("the end of the agent's patience", |account| attempts(account).len() == 1);
    terminal.line("ann@example.com");
    terminal.shows("No answer came in time. Access is refused.");
    assert!(!terminal.ends().success());
    service.stop();
}

#[test]
fn a_session_that_was_proved_at_the_gate_outlives_the_agent() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("", "");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = login(&scene, &ann);
    let mut asked = dial(&scene);
    service.kill();
    let service = scene.place.start();
    assert_is(&scene.run(&mut terminal), &ann);
    // Who was being asked meanwhile has to begin anew.
    answer_to_nobody(&mut asked);
    service.stop();
}

fn answer_to_nobody(terminal: &mut Terminal) {
    terminal.line("ann@example.com");
    terminal.shows("the agent: ");
    terminal.shows("nobody is let in until that is mended");
}

#[test]
fn who_is_nobody_by_a_rule_is_nobody_in_events() {
    if !can_ask_at_gate() {
        return;
    }
    let rules = "[[identity.rule]]\non_failure = \"alert\"\n";
    let scene = Scene::with_gate("", rules);
    let service = scene.place.start();
    let mut terminal = dial(&scene);
    for attempt in 1..=3 {
        answer(&mut terminal, "ann@example.com", 1, "000000");
        if attempt < 3 {
            terminal.shows("E-mail [ann@example.com]: ");
        }
    }
    terminal.shows("You are let in without being known.");
    terminal.prompt();
    assert_eq!(who(&scene.run(&mut terminal)).0, None);
    assert_outcome(&scene.verifications("ann@example.com", 1)[0], "refused", 3);
    service.stop();
}
