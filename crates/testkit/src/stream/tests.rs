//! A right recording passes, and each way of being wrong is found.

use serde_json::{Value, json};

use super::*;

fn envelope(seq: u64, kind: &str) -> Value {
    json!({
        "event_type": kind,
        "schema_version": "1.0",
        "event_uuid": format!("00000000-0000-8000-8000-{seq:012}"),
        "event_time": "2026-01-02T03:04:05.123456789Z",
        "boot_ns": 1000 + seq,
        "seq": seq,
        "agent": { "version": "1", "mode": "audit", "sensor": "ebpf", "run_uuid": "run" },
        "host": { "id": "h", "name": "n", "boot_id": "b", "kernel": "k", "arch": "a" },
    })
}

fn report(seq: u64, reason: &str) -> Value {
    let mut event = envelope(seq, "AGENT");
    event["reason"] = json!(reason);
    event["config_hash"] = json!("c");
    event["sensor"] = json!({ "hooks": ["exec"], "features": [], "degraded": [] });
    event["counters"] = json!({
        "observed": 3, "emitted": seq, "lost_kernel": 0, "lost_user": 0, "suppressed": 0,
    });
    event
}

fn block(pid: u64, ppid: u64) -> Value {
    json!({
        "uuid": format!("{pid:08}-0000-8000-8000-000000000000"),
        "parent_uuid": format!("{ppid:08}-0000-8000-8000-000000000000"),
        "pid": pid,
        "ppid": ppid,
        "sid": 1,
        "pgid": pid,
        "start_time": "2026-01-02T03:04:05.000000000Z",
        "exec_count": 1,
        "name": "program",
        "argv": ["program", ""],
        "uid": 0,
        "euid": 0,
        "gid": 0,
        "egid": 0,
        "interactive": false,
        "is_session_leader": pid == 1,
        "user_entered": false,
    })
}

/// PID 1 runs program 2, which runs program 3.
fn process_event(seq: u64, kind: &str, pid: u64) -> Value {
    let mut event = envelope(seq, kind);
    event["self"] = block(pid, pid - 1);
    event["parent"] = block(pid - 1, pid.saturating_sub(2));
    event["session_leader"] = block(1, 0);
    let mut inception = block(2, 1);
    inception["kind"] = json!("internal");
    inception["entry"] = json!("service");
    inception["evidence"] = json!(["created_by_init"]);
    event["inception_session"] = inception;
    if kind == "EXEC" {
        event["exec"] = json!({ "filename": "/bin/program" });
    }
    event
}

fn right() -> Vec<Value> {
    vec![
        report(1, "start"),
        process_event(2, "BACKFILL", 2),
        process_event(3, "EXEC", 3),
        report(4, "stop"),
    ]
}

fn problems(events: &[Value]) -> String {
    let events: Vec<Event> =
        events.iter().map(|event| Event::parse(event.to_string().as_bytes())).collect();
    check(&events).err().unwrap_or_default()
}

/// Sets a field of one event (or removes it, with `None`) and demands that this is found.
#[track_caller]
fn found(index: usize, pointer: &str, value: Option<Value>, expected: &str) {
    let mut events = right();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let fields = events[index].pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(fields.insert(name.to_owned(), value)),
        None => drop(fields.remove(name).unwrap()),
    }
    let problems = problems(&events);
    assert!(problems.contains(expected), "{pointer}: {problems}");
}

#[test]
fn a_right_recording_passes() {
    assert_eq!(problems(&right()), "");
}

#[test]
fn an_empty_recording_has_a_problem() {
    assert!(check(&[]).is_err());
}

#[test]
fn gaps_losses_and_a_missing_end_are_found() {
    let mut events = right();
    events.remove(1);
    assert!(problems(&events).contains("seq is"));
    let mut events = right();
    events.pop();
    assert!(problems(&events).contains("the last event is not"));
    found(3, "/counters/lost_kernel", Some(json!(1)), "lost_kernel = Some(1)");
    found(3, "/counters/emitted", Some(json!(3)), "counters.emitted");
    found(0, "/reason", Some(json!("status")), "the first event");
    found(2, "/event_uuid", Some(right()[1]["event_uuid"].clone()), "not unique");
    found(2, "/event_time", Some(json!("2026-01-02T03:04:05Z")), "event_time");
    found(2, "/agent/run_uuid", Some(json!("other")), "another agent.run_uuid");
}

#[test]
fn absent_processes_need_a_reason() {
    for role in ["parent", "session_leader", "inception_session"] {
        found(2, &format!("/{role}"), None, &format!("{role} is absent and not listed"));
    }
    found(2, "/missing", Some(json!({ "parent": "unreadable" })), "is there and listed");
    found(2, "/missing", Some(json!({ "last_user_entered": "?" })), "unknown reason");
    found(2, "/missing", Some(json!({})), "names nobody");
    found(2, "/last_user_entered", Some(block(3, 2)), "its own last known");
    found(2, "/last_user_entered", Some(block(2, 1)), "is not user-entered");
}

#[test]
fn fillers_and_unknown_fields_are_found() {
    found(2, "/self/user", Some(json!("")), "filled with");
    found(2, "/self/exe", Some(json!("?")), "filled with");
    found(2, "/self/cwd", Some(json!(null)), "filled with");
    found(2, "/self/invented", Some(json!(1)), "no field invented");
    found(2, "/self/entry", Some(json!("ssh")), "no field entry");
    found(2, "/invented", Some(json!(1)), "no field invented");
    found(2, "/self/uid", None, "uid is absent");
    found(2, "/self/interactive", Some(json!(true)), "interactive does not say");
    found(2, "/self/is_session_leader", Some(json!(true)), "is_session_leader does not say");
    found(2, "/inception_session/evidence", Some(json!([])), "without evidence");
    found(2, "/inception_session/kind", Some(json!("external")), "kind is");
    let stream = json!({ "major": 136, "minor": 0, "kind": "tty", "is_ctty": true });
    found(2, "/self/stdin", Some(stream), "a controlling terminal that there is not");
}

#[test]
fn ids_that_do_not_agree_are_found() {
    found(2, "/parent/pid", Some(json!(9)), "is pid 9");
    found(2, "/self/ppid", Some(json!(9)), "self.ppid is 9");
    found(2, "/self/sid", Some(json!(2)), "self.sid is 2");
    let own = right()[2]["self"]["uuid"].clone();
    found(2, "/self/parent_uuid", Some(own.clone()), "is its own creator");
    found(2, "/parent/parent_uuid", Some(own), "creator of");
    found(1, "/self/uuid", Some(json!("00000002-0000-4000-8000-000000000000")), "version 8");
}

#[test]
fn a_circle_of_ancestors_is_found() {
    let mut events = right();
    let (first, second) = (right()[2]["self"]["uuid"].clone(), right()[1]["self"]["uuid"].clone());
    for event in &mut events[1..3] {
        for role in ["self", "parent", "inception_session"] {
            if event[role]["uuid"] == second {
                event[role]["creator_uuid"] = first.clone();
            }
        }
    }
    assert!(problems(&events).contains("in a circle"));
}

#[test]
fn a_process_is_told_once_and_before_anybody_refers_to_it() {
    let mut events = right();
    events.swap(1, 2);
    events[1]["seq"] = json!(2);
    events[2]["seq"] = json!(3);
    let parse = |event: &Value| Event::parse(event.to_string().as_bytes());
    let late: Vec<Event> = events.iter().map(parse).collect();
    assert_eq!(late_backfills(&late).len(), 1);
    let in_time: Vec<Event> = right().iter().map(parse).collect();
    assert!(late_backfills(&in_time).is_empty());
}

#[test]
fn a_program_that_was_not_told_of_is_found() {
    let mut events = right();
    let mut again = process_event(4, "EXEC", 3);
    again["self"]["exec_count"] = json!(3);
    events.insert(3, again);
    events[4] = report(5, "stop");
    assert!(problems(&events).contains("exec_count of"));
}

#[test]
fn a_time_has_nine_digits_and_ends_in_z() {
    assert!(is_utc_with_nanoseconds("2026-01-02T03:04:05.123456789Z"));
    assert!(!is_utc_with_nanoseconds("2026-01-02T03:04:05.123Z"));
    assert!(!is_utc_with_nanoseconds("2026-01-02T03:04:05.123456789+00:00"));
}
