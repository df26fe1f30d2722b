//! Containers: their init, terminals opened in them, and containers that a person starts.

use forebear_model::{Entry, InceptionKind};

use crate::world::{PTS, World};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn a_containers_init_is_an_internal_inception_and_exec_with_a_terminal_an_external_one() {
    let mut world = World::observed();
    let init = world.init();
    let shim = world.fork(init);
    world.setsid(shim);
    world.exec(shim, "/usr/bin/containerd-shim-runc-v2");
    let (runc, _) = world.run_from(shim, "/usr/bin/runc");
    let main = world.fork_into_namespace(runc, 77);
    world.setsid(main);
    world.open_terminal(main, PTS(1));
    world.get_mut(main).cgroup = (50, format!("/docker/{ID}"));
    let told = world.exec(main, "/usr/bin/server");
    assert_eq!(told.inception, Ok(main.pid.0));
    let found = told.door.expect("known");
    assert_eq!((found.kind, found.entry), (InceptionKind::Internal, Entry::Container));
    let container = world.model.living(main).and_then(|p| p.container()).expect("a container");
    assert_eq!((&*container.id, container.runtime), (ID, Some("docker")));

    let (runc, _) = world.run_from(shim, "/usr/bin/runc");
    let entered = world.fork(runc);
    world.setsid(entered);
    world.open_terminal(entered, PTS(5));
    world.get_mut(entered).cgroup = (50, format!("/docker/{ID}"));
    let told = world.exec(entered, "/bin/sh");
    assert_eq!(told.inception, Ok(entered.pid.0));
    let found = told.door.expect("known");
    assert_eq!((found.kind, found.entry), (InceptionKind::External, Entry::ContainerExec));
    let (child, _) = world.run_from(entered, "/bin/ls");
    assert!(world.model.living(child).expect("lives").container().is_some(), "inherited");
}

#[test]
fn exec_into_a_container_without_a_terminal_is_part_of_the_service() {
    let mut world = World::observed();
    let init = world.init();
    let shim = world.fork(init);
    world.setsid(shim);
    world.exec(shim, "/usr/bin/containerd-shim-runc-v2");
    let (runc, _) = world.run_from(shim, "/usr/bin/runc");
    let probe = world.fork(runc);
    world.setsid(probe);
    let told = world.exec(probe, "/bin/healthcheck");
    assert_eq!(told.inception, Ok(shim.pid.0));
}

#[test]
fn a_container_that_a_person_starts_stays_that_persons() {
    let mut world = World::observed();
    let sshd = world.sshd();
    let shell = world.ssh_login(sshd, 3);
    let (unshare, _) = world.type_at(shell, "/usr/bin/unshare");
    let inner = world.fork_into_namespace(unshare, 78);
    let told = world.exec(inner, "/bin/bash");
    assert_eq!(told.inception, Ok(shell.pid.0));
}

#[test]
fn a_child_in_a_group_whose_path_was_told_before_has_its_container() {
    let mut world = World::observed();
    let init = world.init();
    let group = (50, format!("/docker/{ID}"));
    let first = world.fork(init);
    world.get_mut(first).cgroup = group.clone();
    world.exec(first, "/usr/bin/server");
    // This one moves after its exec; only the group's id is told of its child.
    let second = world.fork(init);
    world.exec(second, "/bin/sh");
    world.get_mut(second).cgroup = group;
    let (child, _) = world.run_from(second, "/bin/ls");
    for key in [child, second] {
        assert!(world.model.living(key).expect("lives").container().is_some());
    }
}
