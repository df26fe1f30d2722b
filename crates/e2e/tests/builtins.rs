//! What people do in shells without running a program: mode control, on private copies of shells.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use forebear_testkit::means::{LOGIN, Means, available};
use forebear_testkit::scene::{self, Scene, Stage};
use forebear_testkit::shell_copy::ShellCopy;
use forebear_testkit::silent_mount::SilentMount;
use forebear_testkit::terminal::Terminal;
use forebear_testkit::{Event, Expect, account, process};
use serde_json::json;

/// The words and lines of the builtins of one process, in their order.
fn told<'e>(events: &'e [Event], uuid: &str) -> Vec<(Vec<&'e str>, Option<&'e str>)> {
    let of_it = |event: &&Event| event.is_builtin() && event.uuid("self") == Some(uuid);
    let builtins = events.iter().filter(of_it);
    builtins.map(|event| (event.builtin(), event.text("builtin.line"))).collect()
}

#[track_caller]
fn typed(shell: &'static str) {
    if !available(LOGIN) || !available(&[Means::Program(shell)]) {
        return;
    }
    let mut scene = Scene::with_private(shell);
    let mut login = scene.login();
    let marker = scene.marker("typed");
    login.run("cd /tmp");
    login.run(&format!("export A={marker}; ls $A"));
    login.run("cd /usr 2> /dev/null");
    login.run("go() { cd /; }; go");
    login.run(&format!("(umask 077; ls below-{marker})"));
    login.terminal.line("for i in 1 2; do");
    login.run("alias x$i=y; done");
    let cd = scene.agent.wait_for_builtin(&["cd", "/tmp"]);
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    let below = scene.agent.wait_for_exec_of(&["ls", &format!("below-{marker}")]);
    let umask = scene.agent.wait_for_builtin(&["umask", "077"]);

    Expect::of(&cd, "the BUILTIN cd")
        .is("builtin.shell", shell)
        .is("builtin.source", "call")
        .is("builtin.name", "cd")
        .is("builtin.exit_status", 0)
        .is("builtin.line", "cd /tmp")
        .process("self", login.uuid())
        .is("self.cwd", scene.account.home().to_str().unwrap())
        .is("self.exec_count", login.shell.number("self.exec_count"))
        .process("parent", login.shell.uuid("parent").unwrap())
        .process("session_leader", login.shell.uuid("session_leader").unwrap())
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .on_pts("self", login.pts)
        .nobody_entered()
        .absent("missing")
        .met();
    Expect::of(&ls, "the EXEC of ls")
        .is("exec.line", format!("export A={marker}; ls $A"))
        .process("parent", login.uuid())
        .is("parent.cwd", "/tmp")
        .met();
    let line = format!("(umask 077; ls below-{marker})");
    Expect::of(&umask, "the BUILTIN umask in a subshell")
        .is("builtin.line", line.as_str())
        .process("parent", login.uuid())
        .is("self.user_entered", true)
        .met();
    Expect::of(&below, "the EXEC of ls in a subshell").is("exec.line", line).met();

    let uuid = login.uuid().to_owned();
    login.logout();
    let recording = scene.finish();
    let told = told(recording.events(), &uuid);
    let joined = "for i in 1 2; do\nalias x$i=y; done";
    for (words, line) in [
        (vec!["cd", "/usr"], "cd /usr 2> /dev/null"),
        (vec!["cd", "/"], "go() { cd /; }; go"),
        (vec!["alias", "x1=y"], joined),
        (vec!["alias", "x2=y"], joined),
        (vec!["exit"], "exit"),
    ] {
        assert!(told.contains(&(words.clone(), Some(line))), "{words:?} is not in {told:#?}");
    }
    assert_eq!(recording.last_report().number("counters.lost_kernel_builtins"), Some(0));
}

#[test]
fn builtins_typed_at_bash_are_recorded_with_their_lines() {
    typed("bash");
}

#[test]
fn builtins_typed_at_zsh_are_recorded_with_their_lines() {
    typed("zsh");
}

#[test]
fn what_hides_a_persons_tracks_is_recorded() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::with_private("bash");
    let mut login = scene.login();
    for line in [
        "history -c",
        "unset HISTFILE",
        "set +o history",
        "trap '' HUP",
        "kill -0 $$",
        "read x < /dev/null",
        "echo s3cret > ~/file",
        "cat > /dev/null <<< \"$(echo here)\"",
        "eval 'un''set A'",
        "echo a | while read b; do umask; done",
    ] {
        login.run(line);
    }
    let pid = login.shell.number("self.pid").unwrap().to_string();
    let wanted: [&[&str]; 10] = [
        &["history", "-c"],
        &["unset", "HISTFILE"],
        &["set", "+o", "history"],
        &["trap", "", "HUP"],
        &["kill", "-0", &pid],
        &["read", "x"],
        &["echo", "s3cret"],
        &["echo", "here"],
        &["unset", "A"],
        &["umask"],
    ];
    for words in wanted {
        let event = scene.agent.wait_for_builtin(words);
        let mut expect = Expect::of(&event, words[0])
            .is("inception_session.uuid", login.uuid())
            .present("builtin.line");
        if words[0] == "echo" && words[1] == "s3cret" {
            // What it writes to is what stands there at that moment.
            expect = expect.is("self.stdout.kind", "file").is("self.stdin.is_ctty", true);
        }
        expect.met();
    }
    login.logout();
    scene.finish();
}

#[test]
fn what_the_prompt_runs_was_not_typed() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::with_private("bash");
    let mut login = scene.login();
    login.run("PROMPT_COMMAND='umask > /dev/null'");
    login.run("cd /tmp");
    login.terminal.line("read -e answer");
    login.run("an answer");
    login.run("export ANSWER=$answer");
    let umask = scene.agent.wait_for_builtin(&["umask"]);
    Expect::of(&umask, "the prompt's command").absent("builtin.line").met();
    let cd = scene.agent.wait_for_builtin(&["cd", "/tmp"]);
    Expect::of(&cd, "the typed command").is("builtin.line", "cd /tmp").met();
    let export = scene.agent.wait_for_builtin(&["export", "ANSWER=an answer"]);
    Expect::of(&export, "after an edited answer").is("builtin.line", "export ANSWER=$answer").met();
    let read = scene.agent.wait_for_builtin(&["read", "-e", "answer"]);
    Expect::of(&read, "the question").is("builtin.line", "read -e answer").met();
    login.logout();
    let recording = scene.finish();
    let umasks =
        recording.events().iter().filter(|it| it.is_builtin() && it.builtin() == ["umask"]);
    assert!(umasks.into_iter().all(|event| event.at("builtin.line").is_none()));
}

#[test]
fn a_shell_in_tmux_is_recorded_with_its_login() {
    if !available(LOGIN) || !available(&[Means::Program("tmux")]) {
        return;
    }
    let mut scene = Scene::with_private("bash");
    let mut login = scene.login();
    let socket = scene.account.home().join("tmux.socket").display().to_string();
    login.terminal.line(&format!("tmux -f /dev/null -S {socket} new-session"));
    let pane = scene.agent.wait_for("the pane's shell", |event| {
        event.is_exec() && event.name() == "bash" && event.text("parent.name") == Some("tmux")
    });
    let keys = |keys: &[&str]| {
        let mut tmux = Command::new("tmux");
        tmux.args(["-S", &socket, "send-keys"]).args(keys);
        account::run(&mut tmux, "type in the pane");
    };
    keys(&["cd /usr", "Enter"]);
    let cd = scene.agent.wait_for_builtin(&["cd", "/usr"]);
    Expect::of(&cd, "the BUILTIN in the pane")
        .process("self", pane.uuid("self").unwrap())
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .met();
    keys(&["exit", "Enter"]);
    login.terminal.shows("[exited]");
    login.logout();
    scene.finish();
}

#[test]
fn mode_audit_records_no_builtin_and_attaches_to_no_shell() {
    if !available(LOGIN) {
        return;
    }
    let copy = ShellCopy::named("bash", "sh");
    let mut stage = Stage::new();
    let script = format!("cd /; export A=1; ls {}; exit", copy.path().display());
    account::run(copy.command().args(["-c", &script]), "run the private shell");
    let path = copy.path().to_str().unwrap();
    stage.agent.wait_for_exec_of(&["ls", path]);
    let recording = stage.finish();
    assert!(!recording.events().iter().any(Event::is_builtin));
    let report = recording.last_report();
    assert_eq!(report.number("counters.shells_attached"), Some(0));
    let hooks = report.at("sensor.hooks").unwrap().to_string();
    assert!(!hooks.contains("uprobe") && !hooks.contains("sys_exit"), "{hooks}");
}

#[test]
fn every_shells_builtins_are_recorded_if_asked_for() {
    if !available(&[Means::Recording]) {
        return;
    }
    let copy = ShellCopy::named("bash", "renamed");
    let mut stage = Stage::with(&[&copy.control()[..], &["--builtins", "all"]].concat());
    copy.meet(&mut stage.agent);
    let script = "cd /usr; [ a ]; : b; echo c; eval 'export A=b'; exec true marker-of-all";
    account::run(copy.command().args(["-c", script]), "run the private shell");
    let exec = stage.agent.wait_for_exec_of(&["true", "marker-of-all"]);
    let recording = stage.finish();
    let words: Vec<_> = told(recording.events(), exec.uuid("self").unwrap());
    let expected: [&[&str]; 4] = [
        &["cd", "/usr"],
        &["eval", "export A=b"],
        &["export", "A=b"],
        &["exec", "true", "marker-of-all"],
    ];
    assert_eq!(words, expected.map(|words| (words.to_vec(), None)));
    let last = recording.events().iter().rposition(|event| event.builtin() == expected[3]);
    let exec = recording
        .events()
        .iter()
        .position(|event| event.is_exec() && event.argv_is(&["true", "marker-of-all"]));
    assert!(last < exec, "exec comes before the program that it runs");
}

#[test]
fn a_shell_in_another_mount_namespace_is_recorded() {
    if !available(&[Means::Recording, Means::Program("unshare")]) {
        return;
    }
    let copy = ShellCopy::new("bash");
    let mut stage = Stage::with(&[&copy.control()[..], &["--builtins", "all"]].concat());
    let inner = copy.folder().join("inner");
    fs_err::create_dir(&inner).unwrap();
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "sh"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = unshare.spawn().unwrap();
    let mut inside = child.stdin.take().unwrap();
    let (folder, original) = (inner.display(), copy.path().display());
    writeln!(inside, "mount -t tmpfs none {folder} && cp {original} {folder}/other").unwrap();
    // Nobody else has a path to the file, so the agent has to find it while somebody runs it.
    writeln!(inside, "{folder}/other -c 'sleep 1; exit'").unwrap();
    stage.agent.wait_for("the attached shell", |event| {
        event.number("counters.shells_attached") == Some(1)
    });
    writeln!(inside, "{folder}/other -c 'cd /usr; export IN=namespace'").unwrap();
    drop(inside);
    assert!(child.wait().unwrap().success());
    assert!(!inner.join("other").exists());
    let export = stage.agent.wait_for_builtin(&["export", "IN=namespace"]);
    Expect::of(&export, "the BUILTIN in the namespace")
        .is("self.exe", inner.join("other").to_str().unwrap())
        .is("builtin.shell", "bash")
        .met();
    stage.finish();
}

#[test]
fn a_shell_on_a_dead_mount_is_not_touched_and_stops_nothing() {
    if !available(&[Means::Recording, Means::Path("/dev/fuse")]) {
        return;
    }
    let copy = ShellCopy::new("bash");
    let mount = SilentMount::with(copy.path(), "bash");
    let (local, remote) = (copy.folder().to_str().unwrap(), mount.path().to_str().unwrap());
    let shells = ["--shells", &format!("{local},{remote}")];
    let rest = ["--mode", "control", "--builtins", "all", "--status-interval", "1s"];
    let mut stage = Stage::with(&[&shells[..], &rest].concat());
    // Whatever the agent asks of the mount, it waits for until the end of this test.
    mount.ignore(stage.agent.pid());
    copy.meet(&mut stage.agent);
    let marker = scene::marker("dead");
    let silenced = mount.path().to_owned();
    let run = |line: &str| {
        let mut command = Command::new(&silenced);
        command.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::null());
        assert!(command.status().unwrap().success());
    };
    run(&format!("cd /usr; ls {marker}-1 2> /dev/null; :"));
    run(&format!("cd /usr; ls {marker}-2 2> /dev/null; :"));
    stage.agent.wait_for("the shell that is not attached", |event| {
        event.number("counters.shells_refused") == Some(1)
    });
    stage.agent.wait_for_exec_of(&["ls", &format!("{marker}-2")]);

    mount.fall_silent();
    // It waits in execve(2) for the file, and so has to be started by somebody else.
    let mut waits = Command::new("sh");
    waits.args(["-c", &format!("exec {remote} -c :")]).stdin(Stdio::null());
    let mut waits = waits.spawn().unwrap();
    account::run(copy.command().args(["-c", &format!("cd /usr; export A={marker}")]), "run bash");
    let export = stage.agent.wait_for_builtin(&["export", &format!("A={marker}")]);
    Expect::of(&export, "the BUILTIN of the shell beside it").is("builtin.shell", "bash").met();

    assert_eq!(mount.asked(), [""; 0], "the agent touched the mount");
    assert!(waits.try_wait().unwrap().is_none(), "somebody was answered");
    // No signal ends such a wait, but an answer does.
    mount.speak_again();
    waits.wait().unwrap();
    let talk = stage.agent.talk();
    assert_eq!(talk.matches("lies on a file system of type fuse").count(), 1, "{talk}");
    assert!(talk.contains(remote), "{talk}");
    let recording = stage.finish();
    for number in 1..=2 {
        let argv = ["ls", &format!("{marker}-{number}")];
        let by = recording.exec_of(&argv).text("parent.exe").map(str::to_owned);
        assert_eq!(by.as_deref(), Some(remote));
    }
    assert_eq!(recording.last_report().number("counters.shells_refused"), Some(1));
}

#[test]
fn a_shell_goes_on_untouched_when_the_agent_ends() {
    if !available(&[Means::Recording]) {
        return;
    }
    let copy = ShellCopy::new("bash");
    let mut stage = Stage::with(&copy.control());
    copy.meet(&mut stage.agent);
    let path = copy.path().to_str().unwrap();
    let mut terminal =
        Terminal::start_with(path, &["--norc", "--noediting"], &[("PS1", "ready$ ")]);
    terminal.shows("ready$ ");
    terminal.line("cd /usr; echo one-$((1 + 1))");
    terminal.shows("one-2");
    stage.agent.wait_for_builtin(&["cd", "/usr"]);
    // It waits in `read`, whose return is probed, while the probes go.
    terminal.line("read answer; echo got-$answer");
    stage.agent.wait_for_builtin(&["read", "answer"]);
    stage.finish();
    terminal.line("it");
    terminal.shows("got-it");
    terminal.line("pushd /tmp; cd -; echo two-$((2 + 2))");
    terminal.shows("two-4");
    terminal.line("exit");
    terminal.ends();
}

#[test]
fn an_agent_in_mode_control_keeps_only_what_finds_shells() {
    if !available(&[Means::Recording]) {
        return;
    }
    const DAC_READ_SEARCH: u64 = 1 << 2;
    const SYS_PTRACE: u64 = 1 << 19;
    let copy = ShellCopy::new("bash");
    let stage = Stage::with(&copy.control());
    let value = process::status_line(stage.agent.pid(), "CapPrm").unwrap();
    let held = u64::from_str_radix(&value, 16).unwrap();
    assert_eq!(held & !(DAC_READ_SEARCH | SYS_PTRACE), 0, "CapPrm still holds {held:#x}");
    stage.finish();
}

#[test]
fn only_the_builtins_of_a_list_are_recorded() {
    if !available(&[Means::Recording]) {
        return;
    }
    let copy = ShellCopy::new("bash");
    let mut stage = Stage::with(&[&copy.control()[..], &["--builtins", "cd"]].concat());
    copy.meet(&mut stage.agent);
    account::run(copy.command().args(["-c", "cd /usr; umask 022"]), "run the private shell");
    let cd = stage.agent.wait_for_builtin(&["cd", "/usr"]);
    Expect::of(&cd, "the BUILTIN").is("builtin.argv", json!(["cd", "/usr"])).met();
    let recording = stage.finish();
    assert!(!recording.events().iter().any(|event| event.builtin().first() == Some(&"umask")));
}

#[test]
fn builtins_that_are_held_back_are_admitted_at_once() {
    if !available(&[Means::Recording]) {
        return;
    }
    let copy = ShellCopy::new("bash");
    let mut stage = Stage::with(&[&copy.control()[..], &["--builtins", "all"]].concat());
    copy.meet(&mut stage.agent);
    let script = "for ((i = 0; i < 20000; i++)); do cd /; done";
    account::run(copy.command().args(["-c", script]), "run the private shell");
    stage.agent.wait_for("the AGENT event about it", |event| {
        event.text("reason") == Some("lost") && event.number("counters.suppressed") > Some(0)
    });
    let recording = stage.finish();
    let told = recording.events().iter().filter(|event| event.builtin() == ["cd", "/"]).count();
    let report = recording.last_report();
    let count = |name: &str| report.number(&format!("counters.{name}")).unwrap();
    let missed = count("suppressed") + count("lost_kernel_builtins");
    assert_eq!(told as u64 + missed, 20_000, "each is told or counted");
}
