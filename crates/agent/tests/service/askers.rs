//! Others than sshd that ask: su and sudo in a login that nobody was asked at, and login at a
//! terminal.

use forebear_testkit::means::{Means, available};
use forebear_testkit::sudo::SudoRule;
use forebear_testkit::terminal::Terminal;
use forebear_testkit::{pam, ssh};

use crate::identity::{Person, Scene, assert_is, can_ask, who};

/// Somebody becomes root by this command, which asks; from then on the session that they came in
/// through is theirs, also outside of what has asked.
#[track_caller]
fn asks_within_a_login(scene: &Scene, command: &str, service: &str) {
    let agent = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = ssh::dial(&scene.sshd, &scene.shared);
    terminal.prompt();
    assert_eq!(who(&scene.run(&mut terminal)).0, None);

    terminal.line(command);
    proves(&mut terminal, &ann);
    terminal.prompt();
    let event = scene.run(&mut terminal);
    assert_is(&event, &ann);
    assert_eq!(event["self"]["user"], "root");
    assert_eq!(event["inception_session"]["entry"], "ssh");
    terminal.run("exit");
    let event = scene.run(&mut terminal);
    assert_is(&event, &ann);
    assert_eq!(event["self"]["user"], scene.shared.name());

    let told = scene.verifications("ann@example.com", 1);
    assert_eq!((&told[0]["outcome"], &told[0]["service"]), (&"verified".into(), &service.into()));
    agent.stop();
}

fn proves(terminal: &mut Terminal, person: &Person) {
    terminal.shows("E-mail: ");
    person.answer(terminal, 1, &person.code());
}

#[test]
fn su_asks_and_the_session_it_is_in_has_the_person() {
    if can_ask() && available(&[Means::Program("su")]) {
        let command = "su root -s /bin/bash -c \"env PS1='forebear-ready> ' bash --norc\"";
        asks_within_a_login(&Scene::where_ask(&["su"]), command, "su");
    }
}

#[test]
fn sudo_asks_and_the_session_it_is_in_has_the_person() {
    if can_ask() && available(&[Means::Program("sudo")]) {
        let scene = Scene::where_ask(&["sudo"]);
        let _rule = SudoRule::for_whom_pam_lets(&scene.shared);
        asks_within_a_login(&scene, "sudo env PS1='forebear-ready> ' bash --norc", "sudo");
    }
}

#[test]
fn whoever_su_cannot_make_sure_of_stays_who_they_are() {
    if !can_ask() || !available(&[Means::Program("su")]) {
        return;
    }
    let scene = Scene::where_ask(&["su"]);
    let agent = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = ssh::dial(&scene.sshd, &scene.shared);
    terminal.prompt();
    terminal.line("su root -s /bin/bash");
    terminal.shows("E-mail: ");
    ann.is_refused(&mut terminal);
    terminal.prompt();
    let event = scene.run(&mut terminal);
    assert_eq!(who(&event).0, None);
    assert_eq!(event["self"]["user"], scene.shared.name());
    let told = scene.verifications("ann@example.com", 1);
    assert_eq!((&told[0]["outcome"], &told[0]["service"]), (&"refused".into(), &"su".into()));
    agent.stop();
}

#[test]
fn login_asks_and_the_session_it_makes_has_the_person() {
    if !can_ask() || !available(&[Means::Program("login")]) {
        return;
    }
    let scene = Scene::where_ask(&["login"]);
    let agent = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut words = pam::words(scene.shared.folder(), &scene.asking);
    words.extend(["login".to_owned(), scene.shared.name().to_owned()]);
    let arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let mut terminal = Terminal::start(&words[0], &arguments);
    proves(&mut terminal, &ann);
    terminal.prompt();
    let event = scene.run(&mut terminal);
    assert_is(&event, &ann);
    // Not at a console, but on a terminal that this test has opened.
    assert_eq!(event["inception_session"]["entry"], "pty");
    assert_eq!(scene.verifications("ann@example.com", 1)[0]["service"], "login");
    terminal.line("exit");
    terminal.ends();
    agent.stop();
}
