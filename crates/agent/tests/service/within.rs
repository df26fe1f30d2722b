//! What comes after a proof: sudo, su and tmux in the login, other clients, and people who give up.

use forebear_testkit::means::{Means, available};
use forebear_testkit::ssh;
use forebear_testkit::sudo::SudoRule;

use crate::identity::{Scene, assert_is, assert_outcome, can_ask, who};

const PROMPT: &str = "env PS1='forebear-ready> ' bash --norc";

#[test]
fn each_person_is_kept_through_sudo_su_and_tmux() {
    const MEANS: [Means; 3] =
        [Means::Program("sudo"), Means::Program("su"), Means::Program("tmux")];
    if !can_ask() || !available(&MEANS) {
        return;
    }
    let scene = Scene::new("");
    let _rule = SudoRule::for_everything(&scene.shared);
    let service = scene.place.start();
    let name = scene.shared.name();
    let persons = [scene.person("ann@example.com"), scene.person("ben@example.com")];
    // Both are there at once, as the same Linux user.
    let mut terminals = persons.each_ref().map(|person| scene.login(person));
    for (person, terminal) in persons.iter().zip(&mut terminals) {
        terminal.run(&format!("sudo -n -i {PROMPT}"));
        let event = scene.run(terminal);
        assert_is(&event, person);
        assert_eq!(event["self"]["user"], "root");
        terminal.run(&format!("su -s /bin/bash {name} -c \"{PROMPT}\""));
        let event = scene.run(terminal);
        assert_is(&event, person);
        assert_eq!(event["self"]["user"], name);
        terminal.run("exit");
        terminal.run("exit");
    }
    let mut words = vec![];
    for (number, mut terminal) in terminals.into_iter().enumerate() {
        let (during, after) = (Scene::word(), Scene::word());
        let socket = scene.shared.home().join(format!("tmux-{number}"));
        let pane = format!("/bin/true {during}; sleep 2; /bin/true {after}; :");
        let socket = socket.display();
        terminal.run(&format!("tmux -S {socket} -f /dev/null new-session -d '{pane}'"));
        terminal.line("exit");
        terminal.ends();
        words.push([during, after]);
    }
    for (person, words) in persons.iter().zip(&words) {
        for word in words {
            let event = scene.exec_of(word);
            assert_is(&event, person);
            assert_eq!(event["inception_session"]["entry"], "ssh");
        }
    }
    service.stop();
}

#[test]
fn files_are_copied_by_those_who_answer_and_by_no_others() {
    if !can_ask() || !available(&[Means::Program("scp"), Means::Program("sftp")]) {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let silent = ssh::command(&scene.sshd, &scene.shared, "true");
    assert!(!silent.status.success(), "a client that cannot answer was let in");
    let said = String::from_utf8_lossy(&silent.stderr);
    assert!(said.contains("keyboard-interactive"), "{said}");

    let file = scene.shared.folder().join("sent");
    fs_err::write(&file, "content").unwrap();
    let mut scp = ssh::scp_and_answer(&scene.sshd, &scene.shared, &file, "received");
    scp.shows("E-mail: ");
    ann.answer(&mut scp, 1, &ann.code());
    assert!(scp.ends().success());
    assert_eq!(fs_err::read_to_string(scene.shared.home().join("received")).unwrap(), "content");

    let mut sftp = ssh::sftp_and_answer(&scene.sshd, &scene.shared);
    sftp.shows("E-mail: ");
    // A code works once.
    ann.answer(&mut sftp, 2, ann.backup());
    sftp.shows("sftp> ");
    sftp.line("rename received renamed");
    sftp.shows("sftp> ");
    sftp.line("quit");
    sftp.ends();
    assert!(scene.shared.home().join("renamed").exists());
    let is_server = |event: &&serde_json::Value| {
        event["event_type"] == "EXEC" && event["self"]["name"] == "sftp-server"
    };
    let account = scene.wait_for("both servers of files", |account| {
        account.events.iter().filter(is_server).count() >= 2
    });
    for event in account.events.iter().filter(is_server) {
        assert_is(event, &ann);
    }
    service.stop();
}

#[test]
fn giving_up_is_recorded() {
    if !can_ask() {
        return;
    }
    let scene = Scene::new("");
    let service = scene.place.start();
    let mut terminal = scene.dial();
    terminal.keys("\u{3}");
    assert!(!terminal.ends().success());
    let is_it = |event: &&serde_json::Value| event["event_type"] == "VERIFY";
    let account =
        scene.wait_for("the VERIFY event", |account| account.events.iter().any(|it| is_it(&it)));
    let told = account.events.iter().find(is_it).unwrap();
    assert_outcome(&told["verification"], "abandoned", 0);
    assert_eq!(who(told).0, None);
    service.stop();
}
