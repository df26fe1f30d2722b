//! A recorded trace through the process model again: the same events with the same ids.

use std::collections::BTreeSet;
use std::process::Command;

use forebear_testkit::means::{LOGIN, available};
use forebear_testkit::scene::{Scene, readable_folder};
use forebear_testkit::{Event, account, agent};
use serde_json::{Map, Value};

/// What a trace does not hold (names of users, which the name service gives), and what counts
/// lines of which a replay has fewer (it makes no AGENT events).
const NOT_IN_A_TRACE: [&str; 5] = ["user", "effective_user", "login_user", "seq", "event_uuid"];

/// The events about processes, without what a trace cannot tell.
fn comparable(events: &[Event]) -> Vec<Value> {
    fn strip(value: &mut Value) {
        if let Value::Object(fields) = value {
            NOT_IN_A_TRACE.iter().for_each(|name| drop(fields.remove(*name)));
            fields.values_mut().for_each(strip);
        }
    }
    let about_processes = events.iter().filter(|event| event.kind() != "AGENT");
    let mut values: Vec<Value> = about_processes.map(|event| event.json().clone()).collect();
    values.iter_mut().for_each(strip);
    values
}

/// The paths at which two values differ, with what stands there.
fn differences(one: &Value, other: &Value, path: &str, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(first), Value::Object(second)) => {
            let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
            for name in names {
                let part = |fields: &Map<String, Value>| fields.get(name).cloned();
                let (one, other) = (part(first), part(second));
                let path = format!("{path}.{name}");
                differences(&one.unwrap_or_default(), &other.unwrap_or_default(), &path, found);
            }
        }
        (one, other) if one != other => found.push(format!("{path}: {one} and {other}")),
        _ => {}
    }
}

#[test]
fn a_replayed_trace_gives_the_events_of_the_recording() {
    if !available(LOGIN) {
        return;
    }
    let folder = readable_folder();
    let trace = folder.path().join("trace.txt");
    let mut scene = Scene::with_agent(&["--trace", trace.to_str().unwrap()]);
    let mut login = scene.login();
    let marker = scene.marker("replayed");
    login.run(&format!("( ls {marker} | cat ) & wait; sh -c 'ls below-{marker}; :'"));
    scene.agent.wait_for_exec_of(&["ls", &marker]);
    login.logout();
    let recording = scene.finish();

    let mut replay = Command::new(agent::tool());
    replay.arg("replay").arg(&trace).args(["--format", "ndjson"]);
    let output = account::run(&mut replay, "replay the trace");
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let replayed: Vec<Event> = lines.map(Event::parse).collect();
    let (recorded, replayed) = (comparable(recording.events()), comparable(&replayed));
    for (number, (recorded, replayed)) in recorded.iter().zip(&replayed).enumerate() {
        let mut differing = Vec::new();
        differences(recorded, replayed, "", &mut differing);
        assert!(differing.is_empty(), "event {number} about a process: {}", differing.join("; "));
    }
    assert_eq!(recorded.len(), replayed.len());
    assert!(recorded.iter().any(|event| event.to_string().contains(&marker)));
}
