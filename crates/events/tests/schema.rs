//! The schema admits what is written, and refuses what is not.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use forebear_events::{samples, schema};
use serde_json::{Value, json};

#[path = "support/machine.rs"]
mod machine;
#[path = "support/validator.rs"]
mod validator;

fn schema() -> Value {
    serde_json::from_str(&schema::json_schema()).unwrap()
}

#[track_caller]
fn check(event: &Value) {
    let errors = validator::errors(&schema(), event);
    assert!(errors.is_empty(), "{errors:#?}");
}

fn sample(wanted: &str) -> Value {
    let (_, event) = samples::all().into_iter().find(|(name, _)| *name == wanted).unwrap();
    serde_json::to_value(event).unwrap()
}

#[test]
fn the_schema_admits_every_sample() {
    for (_, event) in samples::all() {
        check(&serde_json::to_value(event).unwrap());
    }
}

#[test]
fn the_schema_admits_what_the_recorder_writes() {
    let mut machine = machine::Machine::boot();
    machine.log_in();
    machine.type_ls();
    for line in machine.take_lines() {
        check(&serde_json::from_str(&line).unwrap());
    }
}

#[test]
fn the_schema_admits_fields_and_words_of_a_later_minor_version() {
    let mut event = sample("exec-ls");
    event["self"]["colour"] = json!("green");
    event["inception_session"]["entry"] = json!("rdp");
    check(&event);
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let refuses = |change: &dyn Fn(&mut Value)| {
        let mut event = sample("exec-ls");
        change(&mut event);
        assert!(!validator::errors(&schema(), &event).is_empty(), "{event:#}");
    };
    refuses(&|event| event["event_type"] = json!("EXECUTE"));
    refuses(&|event| event["self"]["pid"] = json!("17"));
    refuses(&|event| event["self"]["pid"] = json!(-1));
    refuses(&|event| event["self"]["tty"] = Value::Null);
    refuses(&|event| event["self"]["uuid"] = json!("17"));
    refuses(&|event| event["self"]["argv"] = json!("ls -l"));
    refuses(&|event| event["event_time"] = json!("yesterday"));
    refuses(&|event| {
        event.as_object_mut().unwrap().remove("self");
    });
}
