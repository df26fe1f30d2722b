//! A pid namespace and a control group, made like a container's.

#![expect(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use forebear_testkit::means::{self, LOGIN, Means, available};
use forebear_testkit::scene::{Scene, Stage, marker};
use forebear_testkit::sudo::SudoRule;
use forebear_testkit::{Expect, wait};

#[test]
fn the_first_process_of_a_pid_namespace_is_an_inception() {
    if !available(&[Means::Recording, Means::Program("unshare")]) {
        return;
    }
    let mut stage = Stage::new();
    let marker = marker("namespace");
    let script = format!("readlink /proc/self/ns/pid; ls {marker}; :");
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", "sh", "-c", &script])
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let namespace: u64 =
        shown.trim().trim_start_matches("pid:[").trim_end_matches(']').parse().unwrap();
    let shell = stage.agent.wait_for_exec_of(&["sh", "-c", &script]);
    let ls = stage.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&shell, "the first process of the namespace")
        .is("self.pid_namespace", namespace)
        .is("parent.name", "unshare")
        .absent("parent.pid_namespace")
        .holds("pids are those of the host", |event| event.number("self.pid") > Some(1))
        .same("self.ppid", "parent.pid")
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.kind", "internal")
        .is("inception_session.entry", "container")
        .contains("inception_session.evidence", "pid_namespace_init")
        .met();
    Expect::of(&ls, "ls in the namespace")
        .is("self.pid_namespace", namespace)
        .process("parent", shell.uuid("self").unwrap())
        .process("inception_session", shell.uuid("self").unwrap())
        .met();
    stage.finish();
}

/// Nothing nested below an inception replaces it.
#[test]
fn a_pid_namespace_made_in_a_login_is_no_new_inception() {
    let needed = [Means::Program("unshare"), Means::Program("sudo")];
    if !available(LOGIN) || !available(&needed) {
        return;
    }
    let mut scene = Scene::new("bash");
    let _rule = SudoRule::for_everything(&scene.account);
    let mut login = scene.login();
    let marker = scene.marker("nested-namespace");
    login.run(&format!("sudo -n unshare --pid --fork sh -c 'ls {marker}; :'"));
    let ls = scene.agent.wait_for_exec_of(&["ls", &marker]);
    let host = fs_err::metadata("/proc/self/ns/pid").unwrap().ino();
    Expect::of(&ls, "ls in a namespace in a login")
        .present("self.pid_namespace")
        .holds("it is not the host's namespace", |ls| ls.number("self.pid_namespace") != Some(host))
        .process("inception_session", login.uuid())
        .is("inception_session.entry", "ssh")
        .met();
    login.logout();
    scene.finish();
}

/// A control group of its own, removed when dropped.
struct ControlGroup(PathBuf);

impl ControlGroup {
    fn new(name: &str) -> Self {
        let path = means::control_groups().unwrap().join(name);
        fs_err::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // Its last process may still be on its way out.
        let _ = wait::for_at_most(wait::SOON, || fs_err::remove_dir(&self.0).ok());
    }
}

/// The control group's name is how the runtimes of containers write down which one it is.
#[test]
fn a_process_in_a_containers_control_group_names_the_container() {
    if !available(&[Means::Recording, Means::ControlGroups]) {
        return;
    }
    let mut stage = Stage::new();
    // 64 hexadecimal digits as a runtime makes them, and none that it has made.
    let id = format!("{:064x}", u128::from(std::process::id()) << 64 | 0xf0be);
    let group = ControlGroup::new(&format!("docker-{id}.scope"));
    let marker = marker("control-group");
    let join = format!("echo $$ > {}/cgroup.procs", group.0.display());
    // As a runtime does it: the process is put into the group, and then runs the program.
    let script = format!("{join}; exec sh -c 'ls {marker}; :'");
    Command::new("sh").args(["-c", &script]).output().unwrap();
    let outside = stage.agent.wait_for_exec_of(&["sh", "-c", &script]);
    let inside = stage.agent.wait_for_exec_of(&["sh", "-c", &format!("ls {marker}; :")]);
    let ls = stage.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&outside, "the shell before it joins").absent("self.container").met();
    Expect::of(&inside, "the program in the control group")
        .process("self", outside.uuid("self").unwrap())
        .is("self.container.id", id.as_str())
        .is("self.container.runtime", "docker")
        .absent("parent.container")
        .absent("inception_session.container")
        .met();
    Expect::of(&ls, "its child")
        .is("self.container.id", id.as_str())
        .is("parent.container.id", id.as_str())
        .met();
    stage.finish();
}

/// A process that moves itself takes its later children along.
#[test]
fn a_child_of_a_process_that_has_joined_a_container_is_in_it() {
    if !available(&[Means::Recording, Means::ControlGroups]) {
        return;
    }
    let mut stage = Stage::new();
    let id = format!("{:064x}", u128::from(std::process::id()) << 64 | 0xf0bf);
    let group = ControlGroup::new(&format!("docker-{id}.scope"));
    let marker = marker("joined");
    let join = format!("echo $$ > {}/cgroup.procs", group.0.display());
    Command::new("sh").args(["-c", &format!("{join}; ls {marker}; :")]).output().unwrap();
    let ls = stage.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "the child")
        .is("self.container.id", id.as_str())
        .is("parent.container.id", id.as_str())
        .met();
    stage.finish();
}
