//! A reader of our own with unknown fields denied: a field that is written without being meant to
//! be part of the format fails here.
//!
//! These types are written by hand and on purpose apart from the types of the crate.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]
#![allow(dead_code, reason = "the fields are here to be read, not to be used")]

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

#[path = "support/machine.rs"]
mod machine;

type Reasons = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "event_type")]
enum Event {
    #[serde(rename = "EXEC")]
    Exec(Box<Exec>),
    #[serde(rename = "BUILTIN")]
    Builtin(Box<Builtin>),
    #[serde(rename = "BACKFILL")]
    Backfill(Box<Backfill>),
    #[serde(rename = "VERIFY")]
    Verify(Box<Verify>),
    #[serde(rename = "AGENT")]
    Agent(Box<Report>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exec {
    schema_version: String,
    event_uuid: String,
    event_time: String,
    boot_ns: u64,
    seq: u64,
    agent: Agent,
    host: Host,
    cmd_user: Option<String>,
    cmd_roles: Option<Vec<String>>,
    #[serde(rename = "self")]
    this: Process,
    parent: Option<Process>,
    session_leader: Option<Process>,
    inception_session: Option<Inception>,
    last_user_entered: Option<Process>,
    missing: Option<Reasons>,
    exec: Execution,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Builtin {
    schema_version: String,
    event_uuid: String,
    event_time: String,
    boot_ns: u64,
    seq: u64,
    agent: Agent,
    host: Host,
    cmd_user: Option<String>,
    cmd_roles: Option<Vec<String>>,
    #[serde(rename = "self")]
    this: Process,
    parent: Option<Process>,
    session_leader: Option<Process>,
    inception_session: Option<Inception>,
    last_user_entered: Option<Process>,
    missing: Option<Reasons>,
    builtin: Call,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    shell: String,
    source: String,
    name: String,
    name_b64: Option<String>,
    argv: Vec<String>,
    argv_b64: Option<Vec<String>>,
    argv_truncated: Option<u64>,
    exit_status: Option<i32>,
    line: Option<String>,
    line_b64: Option<String>,
    line_truncated: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backfill {
    schema_version: String,
    event_uuid: String,
    event_time: String,
    boot_ns: u64,
    seq: u64,
    agent: Agent,
    host: Host,
    cmd_user: Option<String>,
    cmd_roles: Option<Vec<String>>,
    #[serde(rename = "self")]
    this: Process,
    parent: Option<Process>,
    session_leader: Option<Process>,
    inception_session: Option<Inception>,
    last_user_entered: Option<Process>,
    missing: Option<Reasons>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    schema_version: String,
    event_uuid: String,
    event_time: String,
    boot_ns: u64,
    seq: u64,
    agent: Agent,
    host: Host,
    cmd_user: Option<String>,
    cmd_roles: Option<Vec<String>>,
    #[serde(rename = "self")]
    this: Option<Process>,
    parent: Option<Process>,
    session_leader: Option<Process>,
    inception_session: Option<Inception>,
    last_user_entered: Option<Process>,
    missing: Option<Reasons>,
    verification: Verification,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verification {
    account: Option<String>,
    method: Option<String>,
    outcome: String,
    attempts: u32,
    service: String,
    user: String,
    remote: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    schema_version: String,
    event_uuid: String,
    event_time: String,
    boot_ns: u64,
    seq: u64,
    agent: Agent,
    host: Host,
    reason: String,
    counters: BTreeMap<String, u64>,
    config_hash: String,
    sensor: Sensor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agent {
    version: String,
    mode: String,
    sensor: String,
    run_uuid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Host {
    id: String,
    name: String,
    boot_id: String,
    kernel: String,
    arch: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sensor {
    hooks: Vec<String>,
    features: Vec<String>,
    degraded: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Execution {
    filename: Option<String>,
    filename_b64: Option<String>,
    interpreter: Option<String>,
    interpreter_b64: Option<String>,
    previous_exe: Option<String>,
    previous_exe_b64: Option<String>,
    setuid: Option<bool>,
    setgid: Option<bool>,
    line: Option<String>,
    line_b64: Option<String>,
    line_truncated: Option<u64>,
    exe_sha256: Option<String>,
    unknown: Option<Reasons>,
}

macro_rules! process {
    ($name:ident { $($own:tt)* }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            uuid: String,
            pid: u32,
            ppid: Option<u32>,
            sid: u32,
            pgid: u32,
            start_time: String,
            parent_uuid: Option<String>,
            creator_uuid: Option<String>,
            session_leader_uuid: Option<String>,
            exec_count: u32,
            exe: Option<String>,
            exe_b64: Option<String>,
            exe_flags: Option<Vec<String>>,
            name: Option<String>,
            name_b64: Option<String>,
            argv: Option<Vec<String>>,
            argv_b64: Option<Vec<String>>,
            argv_truncated: Option<u64>,
            cwd: Option<String>,
            cwd_b64: Option<String>,
            uid: u32,
            euid: u32,
            gid: u32,
            egid: u32,
            user: Option<String>,
            effective_user: Option<String>,
            login_uid: Option<u32>,
            login_user: Option<String>,
            audit_session: Option<u32>,
            tty: Option<Terminal>,
            stdin: Option<Stream>,
            stdout: Option<Stream>,
            stderr: Option<Stream>,
            interactive: bool,
            is_session_leader: bool,
            user_entered: bool,
            container: Option<Container>,
            pid_namespace: Option<u32>,
            unknown: Option<Reasons>,
            $($own)*
        }
    };
}

process! { Process {} }
process! {
    Inception {
        kind: String,
        entry: String,
        evidence: Option<Vec<String>>,
        source: Option<Source>,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Terminal {
    major: u32,
    minor: u32,
    kind: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stream {
    major: u32,
    minor: u32,
    kind: String,
    is_ctty: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Container {
    id: String,
    runtime: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    ip: String,
    port: u16,
}

#[track_caller]
fn check(line: &str) {
    if let Err(error) = serde_json::from_str::<Event>(line) {
        panic!("{error}: {line}");
    }
}

#[test]
fn the_recorder_writes_no_field_that_is_not_meant() {
    let mut machine = machine::Machine::boot();
    machine.log_in();
    machine.type_ls();
    machine.type_cd();
    machine.take_lines().iter().for_each(|line| check(line));
}

#[test]
fn the_samples_have_no_field_that_is_not_meant() {
    for (_, event) in forebear_events::samples::all() {
        check(&serde_json::to_string(&event).unwrap());
    }
}

#[test]
fn the_history_has_no_field_that_is_not_meant() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/history/v1");
    for entry in std::fs::read_dir(folder).unwrap() {
        std::fs::read_to_string(entry.unwrap().path()).unwrap().lines().for_each(check);
    }
}

#[test]
fn no_field_is_null() {
    fn has_null(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Null => true,
            serde_json::Value::Array(items) => items.iter().any(has_null),
            serde_json::Value::Object(fields) => fields.values().any(has_null),
            _ => false,
        }
    }
    let mut machine = machine::Machine::boot();
    machine.log_in();
    for line in machine.take_lines() {
        assert!(!has_null(&serde_json::from_str(&line).unwrap()), "{line}");
    }
}
