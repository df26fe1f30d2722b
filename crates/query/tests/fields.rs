//! Every exported field by its path, with every operator that its type takes: on an event that has
//! the value that is asked for, on one that has another, and on one that has none.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use forebear_events::fields::{Field, catalogue};
use forebear_query::{Code, Kind, Moment, Operator, Query, Truth, render};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

fn moment() -> Moment {
    Moment { now: "2026-11-24T12:00:00Z".parse().unwrap(), zone: TimeZone::UTC }
}

/// What a query asks for, JSON that is it, JSON that is another (and, if they are ordered, more),
/// and the kind whose operators the field takes. `None` for a group.
fn example(field: &Field) -> Option<(String, Value, Value, Kind)> {
    let kind = field.values.as_deref().unwrap_or(&field.kind);
    let item = kind.strip_prefix("array of ").unwrap_or(kind);
    let mut words = field.words.clone();
    if field.path == "event_type" {
        words = field.events.clone();
    }
    let uuids = ["c40d7a19-2e8f-8a5b-9c61-e3b5f0a94109", "d40d7a19-2e8f-8a5b-9c61-e3b5f0a94109"];
    let (asked, one, other, kind) = match item {
        "string" if words.len() > 1 => {
            (words[0].clone(), json!(words[0]), json!(words[1]), Kind::Word)
        }
        "string" => ("a b".to_owned(), json!("a b"), json!("a bc"), Kind::Text),
        "base64" => ("L3Q/".to_owned(), json!("L3Q/"), json!("YQ=="), Kind::Text),
        "uuid" => (uuids[0].to_owned(), json!(uuids[0]), json!(uuids[1]), Kind::Uuid),
        "integer" => ("7".to_owned(), json!(7), json!(8), Kind::Integer),
        "boolean" => ("true".to_owned(), json!(true), json!(false), Kind::Boolean),
        "timestamp" => (
            "2026-11-24".to_owned(),
            json!("2026-11-24T23:59:59.999999999Z"),
            json!("2026-11-25T00:00:00.000000000Z"),
            Kind::Time,
        ),
        _ => return None,
    };
    Some((asked, listed(field, one), listed(field, other), kind))
}

/// Lists hold the value behind something else, if it is a word behind itself.
fn listed(field: &Field, value: Value) -> Value {
    if !field.kind.starts_with("array of ") {
        return value;
    }
    if field.words.is_empty() { json!(["-x", value]) } else { json!([value]) }
}

/// An event with nothing but this field.
fn event(path: &str, value: &Value) -> Vec<u8> {
    let nest = |value: Value, key: &str| json!({ key: value });
    let event = path.rsplit('.').fold(value.clone(), nest);
    serde_json::to_vec(&event).unwrap()
}

#[test]
fn every_exported_field_takes_every_operator_of_its_type() {
    let mut asked = 0;
    for field in catalogue() {
        let path = match field.values {
            Some(_) => format!("{}.key", field.path),
            None => field.path.clone(),
        };
        let Some((value, one, other, kind)) = example(&field) else { continue };
        for operator in Operator::ALL {
            let text = format!("{path} {operator} '{value}'");
            let query = Query::compile(&text, moment());
            if !kind.operators().contains(&operator) {
                let problems = query.unwrap_err();
                assert_eq!(problems[0].code, Code::WrongOperator, "{text}");
                continue;
            }
            let query = query.unwrap_or_else(|problems| panic!("{}", render(&text, &problems)));
            // The other value is the greater one.
            let (on_one, on_other) = match operator {
                Operator::Equal | Operator::In | Operator::AtMost => (true, false),
                Operator::NotEqual | Operator::NotIn | Operator::Greater => (false, true),
                Operator::Less => (false, false),
                Operator::AtLeast => (true, true),
            };
            let on = |line: &[u8]| query.of_line(line).unwrap();
            assert_eq!(on(&event(&path, &one)), Truth::from(on_one), "{text} on {one}");
            assert_eq!(on(&event(&path, &other)), Truth::from(on_other), "{text} on {other}");
            assert_eq!(on(b"{}"), Truth::Unknown, "{text}");
            // Of a type that the field cannot have.
            assert_eq!(on(&event(&path, &json!({"x": 1}))), Truth::Unknown, "{text}");
            assert_eq!(on(&event(&path, &Value::Null)), Truth::Unknown, "{text}");
            asked += 1;
        }
    }
    assert!(asked > 1000, "{asked}");
}

#[test]
fn a_group_of_fields_cannot_be_compared() {
    for field in catalogue() {
        if matches!(field.kind.as_str(), "object" | "process") {
            let text = format!("{} = 'x'", field.path);
            let problems = Query::compile(&text, moment()).unwrap_err();
            assert_eq!(problems[0].code, Code::Group, "{text}");
            assert!(problems[0].help.is_some(), "{text}");
        }
    }
}
