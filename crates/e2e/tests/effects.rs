//! What people do in shells that export no symbols: told by its effects, in mode control.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use forebear_testkit::means::{LOGIN, Means, available};
use forebear_testkit::scene::{Scene, Stage};
use forebear_testkit::shell_copy::ShellCopy;
use forebear_testkit::terminal::Terminal;
use forebear_testkit::{Event, Expect, account, wait};

/// The words of the builtins of one process, in their order.
fn told(events: &[Event], uuid: &str) -> Vec<String> {
    let of_it = |event: &&Event| event.is_builtin() && event.uuid("self") == Some(uuid);
    events.iter().filter(of_it).map(|event| event.builtin().join(" ")).collect()
}

/// Types at a copy of a program under this name; it has to be told as this shell.
#[track_caller]
fn typed(program: &'static str, name: &str, shell: &str) {
    if !available(LOGIN) || !available(&[Means::Program(program)]) {
        return;
    }
    let mut scene = Scene::with_private_as(program, name);
    let mut login = scene.login();
    login.run("cd /tmp");
    let cd = scene.agent.wait_for_builtin(&["cd", "/tmp"]);
    Expect::of(&cd, "the BUILTIN cd")
        .is("builtin.shell", shell)
        .is("builtin.source", "effect")
        .is("builtin.name", "cd")
        .absent("builtin.exit_status")
        .absent("builtin.line")
        .process("self", login.uuid())
        .is("self.cwd", "/tmp")
        .process("parent", login.shell.uuid("parent").unwrap())
        .process("session_leader", login.shell.uuid("session_leader").unwrap())
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .on_pts("self", login.pts)
        .nobody_entered()
        .absent("missing")
        .met();

    // Nothing is changed by these.
    login.run("cd /nowhere");
    login.run("umask");
    login.run("ulimit -n");
    login.run("kill -0 $$");
    login.run("umask 077");
    scene.agent.wait_for_builtin(&["umask", "0077"]);
    login.run("ulimit -n 100");
    scene.agent.wait_for_builtin(&["ulimit", "-n", "100"]);
    // ksh has a `sleep` of its own.
    login.run("/bin/sleep 300 &");
    let sleep = scene.agent.wait_for_exec_of(&["/bin/sleep", "300"]);
    let pid = sleep.number("self.pid").unwrap().to_string();
    login.run("kill $!");
    scene.agent.wait_for_builtin(&["kill", "-TERM", &pid]);
    login.run("(cd /usr; umask 033; ls below)");
    let umask = scene.agent.wait_for_builtin(&["umask", "0033"]);
    Expect::of(&umask, "the BUILTIN in a subshell")
        .process("parent", login.uuid())
        .is("self.cwd", "/usr")
        .is("self.user_entered", true)
        .met();
    login.run("ls | cat");
    let uuid = login.uuid().to_owned();
    login.logout();
    let recording = scene.finish();
    let kill = format!("kill -TERM {pid}");
    let told = told(recording.events(), &uuid);
    assert_eq!(told, ["cd /tmp", "umask 0077", "ulimit -n 100", &kill]);
    assert_eq!(recording.last_report().number("counters.lost_kernel_builtins"), Some(0));
}

#[test]
fn effects_of_what_is_typed_at_dash_are_recorded() {
    typed("dash", "dash", "dash");
}

#[test]
fn effects_of_what_is_typed_at_ksh93_are_recorded() {
    typed("ksh93", "ksh", "ksh");
}

#[test]
fn effects_of_what_is_typed_at_mksh_are_recorded() {
    typed("mksh", "mksh", "mksh");
}

#[test]
fn effects_of_what_is_typed_at_busybox_are_recorded() {
    typed("busybox", "ash", "busybox");
}

#[test]
fn effects_of_what_is_typed_at_a_static_bash_are_recorded() {
    typed("bash-static", "bash", "bash");
}

/// fish changes to a folder that it has opened, so the folder is told as it was found; its `kill`
/// is a program.
#[test]
fn effects_of_what_is_typed_at_fish_are_recorded() {
    if !available(LOGIN) || !available(&[Means::Program("fish")]) {
        return;
    }
    let mut scene = Scene::with_private("fish");
    let mut login = scene.login();
    login.terminal.line("cd /usr/../tmp");
    let cd = scene.agent.wait_for_builtin(&["cd", "/tmp"]);
    Expect::of(&cd, "the BUILTIN cd")
        .is("builtin.shell", "fish")
        .is("builtin.source", "effect")
        .process("self", login.uuid())
        .is("self.cwd", "/tmp")
        .process("inception_session", login.uuid())
        .met();
    login.terminal.line("umask");
    login.terminal.line("umask 077");
    scene.agent.wait_for_builtin(&["umask", "0077"]);
    login.terminal.line("ulimit -n 100");
    scene.agent.wait_for_builtin(&["ulimit", "-n", "100"]);
    let uuid = login.uuid().to_owned();
    login.logout();
    let recording = scene.finish();
    assert_eq!(told(recording.events(), &uuid), ["cd /tmp", "umask 0077", "ulimit -n 100"]);
}

/// Whether an agent's program runs after every system call of the machine (bpf links in
/// proc_pid_fdinfo(5)).
fn is_on_system_calls(stage: &Stage) -> bool {
    let folder = format!("/proc/{}/fdinfo", stage.agent.pid());
    let files = fs_err::read_dir(folder).unwrap();
    files.into_iter().any(|file| {
        let text = fs_err::read_to_string(file.unwrap().path()).unwrap_or_default();
        text.lines().any(|line| line.starts_with("tp_name:") && line.ends_with("sys_exit"))
    })
}

#[test]
fn busybox_is_a_shell_only_where_it_is_called_as_one() {
    if !available(&[Means::Recording, Means::Program("busybox")]) {
        return;
    }
    let copy = ShellCopy::new("busybox");
    let mut stage = Stage::with(&copy.control());
    account::run(copy.command().arg("true"), "run the private busybox");
    stage
        .agent
        .wait_for("the watched file", |event| event.number("counters.shells_watched") == Some(1));
    let path = copy.path().to_str().unwrap();
    let mut terminal = Terminal::start_with(path, &["sh"], &[("PS1", "ready$ ")]);
    terminal.shows("ready$ ");
    terminal.line(&format!("{path} env -C /usr umask; cd /"));
    let cd = stage.agent.wait_for_builtin(&["cd", "/"]);
    Expect::of(&cd, "the BUILTIN").is("builtin.shell", "busybox").met();
    terminal.line("exit");
    terminal.ends();
    let recording = stage.finish();
    let builtins: Vec<_> = recording.events().iter().filter(|it| it.is_builtin()).collect();
    assert_eq!(builtins.len(), 1, "{builtins:#?}");
}

#[test]
fn scripts_and_shells_without_a_terminal_have_no_effects() {
    if !available(&[Means::Recording]) {
        return;
    }
    let copy = ShellCopy::new("dash");
    let mut stage = Stage::with(&[&copy.control()[..], &["--builtins", "all"]].concat());
    copy.meet(&mut stage.agent);
    account::run(copy.command().args(["-c", "cd /usr; umask 033"]), "run the private shell");
    let path = copy.path().to_str().unwrap();
    let terminal = Terminal::start(path, &["-c", "cd /usr; ls marker-of-the-script; exit"]);
    terminal.ends();
    stage.agent.wait_for_exec_of(&["ls", "marker-of-the-script"]);
    assert!(!is_on_system_calls(&stage), "for nobody");
    let recording = stage.finish();
    assert!(!recording.events().iter().any(Event::is_builtin));
}

#[test]
fn a_shell_that_runs_already_is_told_of_and_let_go_of() {
    if !available(&[Means::Recording]) {
        return;
    }
    let copy = ShellCopy::new("dash");
    let path = copy.path().to_str().unwrap();
    let mut terminal = Terminal::start_with(path, &[], &[("PS1", "ready$ ")]);
    terminal.shows("ready$ ");
    let mut stage = Stage::with(&copy.control());
    terminal.line("cd /usr");
    let cd = stage.agent.wait_for_builtin(&["cd", "/usr"]);
    Expect::of(&cd, "the BUILTIN").is("builtin.shell", "dash").is("self.cwd", "/usr").met();
    assert!(is_on_system_calls(&stage));
    terminal.line("exit");
    terminal.ends();
    let gone = wait::for_at_most(wait::SOON, || (!is_on_system_calls(&stage)).then_some(()));
    assert!(gone.is_some(), "nobody is there any more");
    stage.finish();
}
