//! Somebody who has a login attacks the gate: they have its user id, and may start it as they like.

use std::process::Command;

use forebear_testkit::means::{Means, available};
use forebear_testkit::ssh;
use forebear_testkit::sudo::SudoRule;
use forebear_testkit::terminal::Terminal;
use forebear_testkit::wait;

use crate::gate::{dial, login};
use crate::identity::{GATE_GROUP, Scene, assert_is, can_ask_at_gate, who};

/// What anybody may decline, so that there are sessions of nobody.
const OPTIONAL: &str = "[[identity.rule]]\nverify = \"optional\"\n";

/// A session of nobody.
fn login_as_nobody(scene: &Scene) -> Terminal {
    let mut terminal = dial(scene);
    terminal.line("");
    terminal.prompt();
    terminal
}

/// The gate as somebody would start it.
fn by_hand(scene: &Scene) -> String {
    let socket = scene.place.path("run/identity.sock");
    format!("{} socket={}", scene.gate().display(), socket.display())
}

/// A program that says hello at the socket, and prints what comes back.
fn own_program(scene: &Scene) -> String {
    let path = scene.shared.folder().join("attack.py");
    let socket = scene.place.path("run/identity.sock").display().to_string();
    let text = format!(
        "import socket\ns = socket.socket(socket.AF_UNIX)\ntry:\n  s.connect({socket:?})\n  \
         s.sendall(b'\\x03\\x01\\x00\\x08sshd\\0r\\0\\0')\n  print('got', s.recv(4000)[4:])\n\
         except OSError as error:\n  print('got', error)\n"
    );
    fs_err::write(&path, text).unwrap();
    format!("/usr/bin/python3 {}", path.display())
}

#[test]
fn a_program_of_a_users_own_is_turned_away() {
    const MEANS: [Means; 2] = [Means::Program("sudo"), Means::Program("setpriv")];
    if !can_ask_at_gate() || !available(&MEANS) {
        return;
    }
    let scene = Scene::with_gate("", OPTIONAL);
    let service = scene.place.start();
    let attack = own_program(&scene);
    let mut terminal = login_as_nobody(&scene);
    let shown = terminal.run(&attack);
    assert!(shown.contains("got [Errno 13] Permission denied"), "{shown}");
    // Somebody was put into the group: the file is looked at too.
    let _rule = SudoRule::for_everything(&scene.shared);
    let uid = scene.shared.uid();
    let in_group = format!("setpriv --reuid={uid} --regid={GATE_GROUP} --clear-groups {attack}");
    let shown = terminal.run(&format!("sudo -n {in_group}"));
    assert!(shown.contains("this is not a login that is recorded"), "{shown}");
    let talk = scene.place.talk();
    assert!(talk.contains("a program has the gate's group and is not the gate"), "{talk}");
    // Where nobody has logged in nobody is bound, whatever is run: a service, for example.
    let gate = by_hand(&scene);
    let mut setpriv = Command::new("setpriv");
    setpriv.args([&format!("--reuid={uid}"), "--regid=65534", "--clear-groups"]);
    let output = setpriv.args(gate.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("this is not a login that is recorded"), "{output:?}");
    assert!(!output.status.success());
    service.stop();
}

#[test]
fn nothing_gets_into_the_gate() {
    const MEANS: [Means; 3] =
        [Means::Program("strace"), Means::Program("gdb"), Means::Program("cc")];
    if !can_ask_at_gate() || !available(&MEANS) {
        return;
    }
    let scene = Scene::with_gate("", OPTIONAL);
    let service = scene.place.start();
    let gate = by_hand(&scene);
    let folder = scene.shared.folder();
    let (source, library) = (folder.join("in.c"), folder.join("in.so"));
    let text = "#include <stdio.h>\n__attribute__((constructor)) static void in(void) { \
                fputs(\"I am in\\n\", stderr); }\n";
    fs_err::write(&source, text).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
    assert!(cc.status().unwrap().success());

    let mut terminal = login_as_nobody(&scene);
    // The attack itself works, on what is not the gate.
    let shown = terminal.run(&format!("LD_PRELOAD={} /bin/true", library.display()));
    assert!(shown.contains("I am in"), "{shown}");
    terminal.line(&format!("LD_PRELOAD={} {gate}", library.display()));
    let shown = terminal.shows("E-mail: ");
    assert!(!shown.contains("I am in"), "{shown}");

    // Its memory, and its end of the connection, from another login of the same user.
    let pid = wait::until("the gate", || {
        let is_it = |pid: &u32| {
            let exe = std::fs::read_link(format!("/proc/{pid}/exe"));
            exe.is_ok_and(|exe| exe == scene.gate())
        };
        scene.shared.pids().into_iter().find(is_it)
    });
    let mut other = login_as_nobody(&scene);
    // That is not so with any program of theirs.
    let shown = other.run("sleep 60 & head -c 0 /proc/$!/mem; ls /proc/$!/fd; kill $!");
    assert!(!shown.contains("Permission denied"), "{shown}");
    let shown = other.run(&format!("strace -p {pid}"));
    assert!(shown.contains("Operation not permitted"), "{shown}");
    let shown = other.run(&format!("head -c 1 /proc/{pid}/mem; ls /proc/{pid}/fd"));
    assert_eq!(shown.matches("Permission denied").count(), 2, "{shown}");
    terminal.keys("\u{3}");
    terminal.prompt();

    // Who is traced from the beginning has no group.
    for tracer in ["strace -o /dev/null", "gdb -q -batch -ex run --args"] {
        terminal.line(&format!("{tracer} {gate}"));
        let shown = terminal.shows("until that is mended");
        assert!(shown.contains("Permission denied"), "{shown}");
        terminal.prompt();
    }
    assert_eq!(who(&scene.run(&mut terminal)).0, None);
    service.stop();
}

#[test]
fn the_gate_by_hand_binds_the_login_that_it_is_in_and_no_other() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("", OPTIONAL);
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let (mut one, mut two) = (login_as_nobody(&scene), login_as_nobody(&scene));
    assert_eq!(who(&scene.run(&mut one)).0, None);
    // What it is told of itself counts nothing.
    one.line(&format!("SSH_CONNECTION='192.0.2.1 1 192.0.2.2 22' USER=root {}", by_hand(&scene)));
    one.shows("E-mail: ");
    ann.answer(&mut one, 1, &ann.code());
    one.prompt();
    assert_is(&scene.run(&mut one), &ann);
    assert_eq!(who(&scene.run(&mut two)).0, None);
    let told = &scene.verifications("ann@example.com", 1)[0];
    crate::gate::assert_outcome(told, "verified", 1);
    assert_eq!(told["user"], scene.shared.name());
    service.stop();
}

#[test]
fn one_user_cannot_keep_others_from_being_asked() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("fail=open", OPTIONAL);
    let service = scene.place.start();
    let mut terminal = login_as_nobody(&scene);
    let gates: Vec<Terminal> = (0..8).map(|_| dial(&scene)).collect();
    // Turned away, and not let in as if there were no agent.
    let shown = terminal.run(&format!("{} fail=open", by_hand(&scene)));
    assert!(shown.contains("Too many people are being asked"), "{shown}");
    drop(gates);
    let mut later = wait::until("a place", || {
        let mut later = ssh::dial(&scene.sshd, &scene.shared);
        let came = later.shows_one_of(&["E-mail: ", "Too many people"]);
        (came == 0).then_some(later)
    });
    later.line("");
    later.prompt();
    service.stop();
}

/// What the gate cannot do (docs/adr/0010): sshd runs a forced command by the user's own shell, and
/// that reads files which the user may write.
#[test]
fn who_goes_around_the_gate_is_nobody() {
    if !can_ask_at_gate() {
        return;
    }
    let scene = Scene::with_gate("", "");
    let service = scene.place.start();
    let ann = scene.person("ann@example.com");
    let mut terminal = login(&scene, &ann);
    // The file is root's, but the folder is theirs.
    terminal.run("rm -f .bashrc; echo 'exec bash --rcfile .bash_profile -i' > .bashrc");
    let mut around = ssh::dial(&scene.sshd, &scene.shared);
    around.prompt();
    assert_eq!(who(&scene.run(&mut around)).0, None);
    assert_is(&scene.run(&mut terminal), &ann);
    service.stop();
}
