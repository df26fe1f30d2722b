//! What the standard streams are open on, with the numbers of the devices.

use forebear_testkit::Expect;
use forebear_testkit::means::{LOGIN, available};
use forebear_testkit::scene::{Scene, device_of};

#[test]
fn each_kind_of_redirection_shows_its_device_numbers() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let other = scene.login();
    let (pts, other_pts, port) = (login.pts, other.pts, scene.sshd.port());
    let disk = device_of(scene.account.home());
    let mut typed = |redirection: String| {
        let marker = scene.marker(&format!("redirected-{}", redirection.len()));
        let marker = format!("{marker}-{}", forebear_testkit::scene::marker("r"));
        login.run(&format!("ls {marker} {redirection}"));
        scene.agent.wait_for_exec_of(&["ls", &marker])
    };

    let file = typed("> out 2>> out".to_owned());
    Expect::of(&file, "output to a file shows the disk's numbers")
        .stream_on_pts("self", "stdin", pts)
        .stream("self", "stdout", "file", disk, false)
        .stream("self", "stderr", "file", disk, false)
        .controlled_from_pts("self", pts)
        .on_pts("parent", pts)
        .met();

    let pipe = typed("< /dev/null 2>&1 | cat".to_owned());
    Expect::of(&pipe, "input from /dev/null, output to a pipe")
        .stream("self", "stdin", "char", (1, 3), false)
        .is("self.stdout.kind", "pipe")
        .is("self.stdout.is_ctty", false)
        .same("self.stderr", "self.stdout")
        .is("self.user_entered", true)
        .met();

    let tty = typed("< /dev/tty > /dev/tty".to_owned());
    Expect::of(&tty, "/dev/tty keeps its own numbers and is the controlling terminal")
        .stream("self", "stdin", "tty", (5, 0), true)
        .stream("self", "stdout", "tty", (5, 0), true)
        .stream_on_pts("self", "stderr", pts)
        .controlled_from_pts("self", pts)
        .met();

    let closed = typed("<&-".to_owned());
    Expect::of(&closed, "a closed descriptor is absent")
        .absent("self.stdin")
        .absent("self.unknown")
        .stream_on_pts("self", "stdout", pts)
        .met();
    let all_closed = typed("<&- >&- 2>&-".to_owned());
    Expect::of(&all_closed, "three closed descriptors are absent")
        .absent("self.stdin")
        .absent("self.stdout")
        .absent("self.stderr")
        .controlled_from_pts("self", pts)
        .is("self.user_entered", true)
        .met();

    let socket = typed(format!("<> /dev/tcp/127.0.0.1/{port}"));
    Expect::of(&socket, "a socket")
        .is("self.stdin.kind", "socket")
        .is("self.stdin.is_ctty", false)
        .met();

    let folder = typed("< .".to_owned());
    Expect::of(&folder, "a directory").stream("self", "stdin", "directory", disk, false).met();

    let foreign = typed(format!("< /dev/pts/{other_pts}"));
    Expect::of(&foreign, "a terminal that is not the controlling one")
        .stream("self", "stdin", "tty", (136, other_pts), false)
        .controlled_from_pts("self", pts)
        .met();
    login.logout();
    other.logout();
    scene.finish();
}

/// Criterion 1: the parent's standard input is the controlling terminal.
#[test]
fn what_a_shell_reads_from_a_file_is_not_typed() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("from-a-file");
    login.run(&format!("echo 'set -m; ls {marker}' > commands"));
    login.run("bash --norc < commands");
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls in a shell that reads a file")
        .is("parent.stdin.kind", "file")
        .stream_on_pts("parent", "stderr", login.pts)
        .same("self.pgid", "self.pid")
        .is("self.user_entered", false)
        .same("last_user_entered.uuid", "parent.uuid")
        .met();
    login.logout();
    scene.finish();
}

/// Criterion 2: the parent's standard error is the controlling terminal.
#[test]
fn what_a_shell_that_complains_to_a_file_runs_is_not_typed() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let marker = scene.marker("complains-to-a-file");
    login.run(&format!("bash --norc -c 'set -m; ls {marker}; :' 2> complaints"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls in a shell whose standard error is a file")
        .stream_on_pts("parent", "stdin", login.pts)
        .is("parent.stderr.kind", "file")
        .same("self.pgid", "self.pid")
        .is("self.user_entered", false)
        .met();
    login.logout();
    scene.finish();
}

/// Criterion 3: its process group differs from its parent's.
#[test]
fn what_a_shell_runs_in_its_own_group_is_not_typed() {
    if !available(LOGIN) {
        return;
    }
    let mut scene = Scene::new("bash");
    let mut login = scene.login();
    let (same, own) = (scene.marker("same-group"), scene.marker("own-group"));
    login.run(&format!("bash --norc -c 'ls {same}; set -m; ls {own}; :'"));
    let same = scene.agent.wait_for_exec_of(&["ls", &same]);
    let own = scene.agent.wait_for_exec_of(&["ls", &own]);
    Expect::of(&same, "ls in its parent's group")
        .on_pts("parent", login.pts)
        .same("self.pgid", "parent.pgid")
        .is("self.user_entered", false)
        .met();
    // The shell's streams are the terminal and job control gave it a group: the three criteria.
    Expect::of(&own, "ls in a group of its own")
        .on_pts("parent", login.pts)
        .same("self.pgid", "self.pid")
        .is("self.user_entered", true)
        .same("last_user_entered.uuid", "parent.uuid")
        .met();
    login.logout();
    scene.finish();
}
