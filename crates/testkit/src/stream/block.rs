//! What must hold of one process block by itself.

use serde_json::Value;

use crate::event::Event;

/// The fields that every block has.
const ALWAYS: [&str; 9] =
    ["uuid", "pid", "start_time", "sid", "pgid", "uid", "euid", "interactive", "is_session_leader"];

/// All fields of a block, besides [`ALWAYS`].
const SOMETIMES: [&str; 26] = [
    "unknown",
    "ppid",
    "parent_uuid",
    "creator_uuid",
    "session_leader_uuid",
    "exec_count",
    "exe",
    "exe_flags",
    "name",
    "argv",
    "argv_truncated",
    "cwd",
    "gid",
    "egid",
    "user",
    "effective_user",
    "login_uid",
    "login_user",
    "audit_session",
    "tty",
    "stdin",
    "stdout",
    "stderr",
    "user_entered",
    "container",
    "pid_namespace",
];

/// The fields that only the inception has.
const INCEPTION: [&str; 4] = ["kind", "entry", "evidence", "source"];

/// The doors.
const ENTRIES: [&str; 10] = [
    "ssh",
    "ssm",
    "login",
    "serial",
    "container-exec",
    "pty",
    "service",
    "container",
    "kernel",
    "unknown",
];

const STREAM_KINDS: [&str; 8] =
    ["tty", "char", "block", "file", "directory", "pipe", "socket", "anon"];

/// Checks the block of a process that is there.
pub(super) fn check(event: &Event, role: &str, problems: &mut Vec<String>) {
    let at = |field: &str| event.at(&format!("{role}.{field}"));
    let mut wrong = |text: String| problems.push(format!("{role}: {text}"));
    for field in ALWAYS.into_iter().filter(|field| at(field).is_none()) {
        wrong(format!("{field} is absent"));
    }
    let fields = event.at(role).and_then(Value::as_object).into_iter().flatten();
    for (name, value) in fields {
        let plain = name.strip_suffix("_b64").unwrap_or(name);
        let known = ALWAYS.contains(&plain)
            || SOMETIMES.contains(&plain)
            || role == "inception_session" && INCEPTION.contains(&plain);
        if !known {
            wrong(format!("the format has no field {name}"));
        }
        if matches!(value, Value::Null) || value == "" || value == "?" {
            wrong(format!("{name} is filled with {value} instead of being absent"));
        }
    }
    if let Some(uuid) = at("uuid").and_then(Value::as_str)
        && (uuid.len() != 36 || uuid.as_bytes()[14] != b'8')
    {
        wrong(format!("{uuid} is no UUID of version 8"));
    }
    if at("interactive") != Some(&Value::Bool(at("tty").is_some())) {
        wrong("interactive does not say whether there is a tty".to_owned());
    }
    let leads = at("pid").is_some() && at("pid") == at("sid");
    if at("is_session_leader") != Some(&Value::Bool(leads)) {
        wrong("is_session_leader does not say whether pid is sid".to_owned());
    }
    for stream in ["stdin", "stdout", "stderr"].into_iter().filter(|name| at(name).is_some()) {
        let part = |field: &str| at(&format!("{stream}.{field}"));
        for field in ["major", "minor", "kind", "is_ctty"] {
            if part(field).is_none() {
                wrong(format!("{stream}.{field} is absent"));
            }
        }
        if !part("kind").and_then(Value::as_str).is_some_and(|kind| STREAM_KINDS.contains(&kind)) {
            wrong(format!("{stream}.kind is {:?}", part("kind")));
        }
        if part("is_ctty") == Some(&Value::Bool(true)) && at("tty").is_none() {
            wrong(format!("{stream} is a controlling terminal that there is not"));
        }
    }
    for field in ["major", "minor", "kind"] {
        if at("tty").is_some() && at(&format!("tty.{field}")).is_none() {
            wrong(format!("tty.{field} is absent"));
        }
    }
    if role == "inception_session" {
        inception(event, &mut wrong);
    }
}

/// The inception says how it came in, and from what that is known.
fn inception(event: &Event, wrong: &mut impl FnMut(String)) {
    let text = |field: &str| event.text(&format!("inception_session.{field}"));
    let entry = text("entry").unwrap_or_default();
    if !ENTRIES.contains(&entry) {
        wrong(format!("entry is {entry:?}"));
    }
    match text("kind") {
        Some("internal") if matches!(entry, "service" | "container" | "kernel" | "unknown") => {}
        Some("external") if !matches!(entry, "service" | "kernel") => {}
        other => wrong(format!("kind is {other:?} with entry {entry:?}")),
    }
    let evidence = event.at("inception_session.evidence").and_then(Value::as_array);
    if entry != "unknown" && evidence.is_none_or(Vec::is_empty) {
        wrong(format!("entry {entry:?} without evidence"));
    }
}
