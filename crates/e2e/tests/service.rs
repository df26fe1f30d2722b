//! Internal inceptions: what the machine itself has started.

use std::process::Command;

use forebear_testkit::means::{DEED, Means, available};
use forebear_testkit::scene::{Stage, marker};
use forebear_testkit::{Expect, Must, deed, process};

/// The ancestor of this test that PID 1 has as a child: the service that runs the tests.
fn own_service() -> u32 {
    let mut pid = std::process::id();
    loop {
        match process::parent(pid).must("walk up the ancestors") {
            0 | 1 => return pid,
            parent => pid = parent,
        }
    }
}

#[test]
fn a_program_of_a_service_has_the_service_as_its_inception() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let marker = marker("service");
    Command::new("ls").arg(&marker).output().unwrap();
    let ls = stage.agent.wait_for_exec_of(&["ls", &marker]);
    Expect::of(&ls, "ls of a service")
        .is("parent.pid", std::process::id())
        .is("inception_session.pid", own_service())
        .is("inception_session.kind", "internal")
        .is("inception_session.entry", "service")
        .contains("inception_session.evidence", "created_by_init")
        .absent("inception_session.source")
        .is("self.user_entered", false)
        .absent("self.login_uid")
        .absent("self.audit_session")
        .nobody_entered()
        .met();
    stage.finish();
}

/// Its parent has ended before it ran its program; it was seen being born, so nothing is missing.
/// The leader of the session that the tests run in may be nobody that can be seen, so the deed has
/// one of its own.
#[test]
fn a_short_lived_parent_leaves_no_gap() {
    if !available(DEED) {
        return;
    }
    let mut stage = Stage::new();
    let deed = deed::build("double_fork", stage.folder());
    let marker = marker("short-lived");
    Command::new("setsid").arg("--wait").arg(&deed).args(["ls", &marker]).status().unwrap();
    let ls = stage.agent.wait_for_exec_of(&["ls", &marker]);
    let started = stage.agent.wait_for_exec_of(&[deed.to_str().unwrap(), "ls", &marker]);
    Expect::of(&ls, "the grandchild")
        .present("self.creator_uuid")
        .is("inception_session.pid", own_service())
        .process("session_leader", started.uuid("self").unwrap())
        .absent("missing")
        .met();
    stage.finish();
}

/// Threads of the kernel are not events, but some are their children (usermode helpers).
#[test]
fn the_process_of_pid_1_is_its_own_inception() {
    if !available(&[Means::Recording]) {
        return;
    }
    let mut stage = Stage::new();
    let init = stage.agent.wait_for("the BACKFILL of PID 1", |event| {
        event.is_backfill() && event.number("self.pid") == Some(1)
    });
    Expect::of(&init, "the BACKFILL of PID 1")
        .same("inception_session.uuid", "self.uuid")
        .is("inception_session.kind", "internal")
        .absent("parent")
        .is("missing.parent", "started_before_boot_of_namespace")
        .met();
    stage.finish();
}
