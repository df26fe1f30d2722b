//! What is absent: because there is no such thing, or because it is not known and why.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use forebear_events::{ndjson, v1};
use forebear_model::observation::{Fork, Running};
use forebear_model::{Observation, Pid, Uid, Why};

#[path = "support/machine.rs"]
mod machine;

use machine::{INIT, Machine, SHELL};

#[track_caller]
fn last(machine: &mut Machine) -> v1::Event {
    let line = machine.take_lines().pop().unwrap();
    ndjson::read(line.as_bytes()).unwrap().unwrap()
}

#[test]
fn a_thread_of_the_kernel_has_no_program_and_nothing_of_it_is_unknown() {
    let mut machine = Machine::boot();
    let (kthreadd, worker, helper) = (Pid::KTHREADD, Pid(40), Pid(5000));
    machine.apply(&Observation::SnapshotBegin(machine::after(worker, 1)));
    let init = machine::running(INIT, Pid(0), b"/usr/lib/systemd/systemd", b"/sbin/init\0");
    machine.apply(&Observation::Running(Box::new(init)));
    for (pid, parent) in [(kthreadd, Pid(0)), (worker, kthreadd)] {
        let thread = Running {
            executable: None,
            argv: Err(Why::NotObservable),
            cwd: Err(Why::NotObservable),
            ..machine::running(pid, parent, b"", b"")
        };
        machine.apply(&Observation::Running(Box::new(thread)));
    }
    machine.apply(&Observation::SnapshotEnd);
    let state = machine::state_of_service(helper);
    // The kernel makes a usermode helper as one of its threads, which then runs a program.
    let born = Fork { kernel_thread: true, ..machine::fork(worker, helper, state.clone()) };
    machine.apply(&Observation::Fork(born));
    let ran = machine::exec(
        helper,
        state.clone(),
        worker,
        machine::state_of_service(worker),
        b"/sbin/modprobe",
        b"/sbin/modprobe\0-q\0",
    );
    machine.apply(&Observation::Exec(Box::new(ran)));
    let v1::Event::Exec(exec) = last(&mut machine) else { panic!("not an EXEC") };
    let parent = exec.parent.unwrap();
    assert_eq!((parent.exe, parent.argv), (None, None), "{:?}", parent.name);
    for field in ["exe", "argv", "stdin"] {
        assert!(!parent.unknown.contains_key(field), "{:?}", parent.unknown);
    }
    assert_eq!(exec.exec.previous_exe, None);
    assert!(exec.exec.unknown.is_empty(), "{:?}", exec.exec.unknown);
}

#[test]
fn a_user_without_a_name_has_none() {
    let mut machine = Machine::boot();
    machine.log_in();
    let mut state = machine::state_of_alice(SHELL, Pid(5000));
    machine.apply(&Observation::Fork(machine::fork(SHELL, Pid(5000), state.clone())));
    state.credentials.euid = Uid(4242);
    let shell = machine::state_of_alice(SHELL, SHELL);
    let ran = machine::exec(Pid(5000), state, SHELL, shell, b"/usr/bin/id", b"id\0");
    machine.apply(&Observation::Exec(Box::new(ran)));
    let v1::Event::Exec(exec) = last(&mut machine) else { panic!("not an EXEC") };
    assert_eq!((exec.this.user.as_deref(), exec.this.effective_user), (Some("alice"), None));
    assert_eq!(exec.this.euid, 4242);
}

#[test]
fn what_was_never_seen_is_missing_or_unknown_with_a_reason() {
    let mut machine = Machine::boot();
    let (creator, child) = (Pid(6000), Pid(6001));
    let state = machine::state_of_service(child);
    let orphan =
        Fork { parent: machine::key(INIT), ..machine::fork(creator, child, state.clone()) };
    machine.apply(&Observation::Fork(orphan));
    let mut ran = machine::exec(child, state.clone(), creator, state, b"/usr/bin/true", b"true\0");
    ran.parent_facts = None;
    machine.apply(&Observation::Exec(Box::new(ran)));
    let v1::Event::Exec(exec) = last(&mut machine) else { panic!("not an EXEC") };
    let known = exec.missing.get("session_leader");
    assert_eq!((exec.session_leader, known), (None, Some(&v1::Why::ExitedBeforeCapture)));
    assert_eq!(exec.missing.get("inception_session"), Some(&v1::Why::ExitedBeforeCapture));
    // What the fork told of the creator is there, the rest is unknown and not 0.
    let parent = exec.parent.unwrap();
    assert_eq!((parent.pid, parent.ppid), (6000, None));
    for field in ["ppid", "parent_uuid", "exe", "argv"] {
        assert_eq!(parent.unknown.get(field), Some(&v1::Why::ExitedBeforeCapture), "{field}");
    }
}

#[test]
fn an_error_of_reading_says_what_and_where() {
    let mut machine = Machine::boot();
    let line = machine.take_lines().pop().unwrap();
    let error = ndjson::read(line.replace(r#""seq":2"#, r#""seq":"2""#).as_bytes()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("BACKFILL") && text.contains("invalid type: string"), "{text}");
    assert_eq!(error.column(), line.find(r#""seq":2"#).unwrap() + r#""seq":"2""#.len());
    assert!(ndjson::read(b"{}").unwrap_err().to_string().contains("event_type"));
    assert_eq!(ndjson::read(br#"{"event_type":"ALERT"}"#).unwrap(), None);
}
