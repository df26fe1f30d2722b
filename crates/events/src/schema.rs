//! The JSON Schema (draft 2020-12) of an event, from the types.
//!
//! The schema describes what is written. It admits unknown fields and words, as readers must; an
//! event type of a later minor version it does not admit.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value};

use crate::v1::Event;

/// The schema's text, with a newline at its end.
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(schema().as_value()).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema.
pub(crate) fn schema() -> Schema {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Event>();
    RecursiveTransform(only_what_is_written).transform(&mut schema);
    name_branches(&mut schema);
    schema
}

/// An optional field is absent and never null, and a number's width is told by its bounds.
fn only_what_is_written(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::String(description)) = object.get_mut("description") {
        // A doc comment is broken where its source is.
        *description = description.replace('\n', " ");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
        if let [only] = branches.as_slice() {
            let only = only.as_object().cloned().unwrap_or_default();
            object.remove("anyOf");
            object.extend(only);
        }
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    let Some(Value::String(format)) = object.get("format") else { return };
    if format == "int32" {
        object.remove("format");
        object.insert("minimum".to_owned(), i32::MIN.into());
        object.insert("maximum".to_owned(), i32::MAX.into());
        return;
    }
    let maximum = match format.as_str() {
        "uint8" => Some(u64::from(u8::MAX)),
        "uint16" => Some(u64::from(u16::MAX)),
        "uint32" => Some(u64::from(u32::MAX)),
        "uint64" => None,
        _ => return,
    };
    object.remove("format");
    if let Some(maximum) = maximum {
        object.insert("maximum".to_owned(), maximum.into());
    }
}

/// What the schema is comes first, and each event type has a title.
fn name_branches(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let mut rest = std::mem::take(object);
    rest.insert("title".to_owned(), "forebear event, version 1".into());
    for key in ["$schema", "title", "description"] {
        if let Some(value) = rest.remove(key) {
            object.insert(key.to_owned(), value);
        }
    }
    if let Some(Value::Array(branches)) = rest.get_mut("oneOf") {
        for branch in branches.iter_mut().filter_map(Value::as_object_mut) {
            let mut titled = Map::new();
            let name = branch.get("properties").and_then(|it| it.pointer("/event_type/const"));
            titled.extend(name.map(|name| ("title".to_owned(), name.clone())));
            titled.append(branch);
            if let Some(Value::Object(properties)) = titled.get_mut("properties")
                && let Some(Value::Object(tag)) = properties.get_mut("event_type")
            {
                tag.insert("description".to_owned(), "What kind of event it is.".into());
            }
            *branch = titled;
        }
    }
    object.append(&mut rest);
}
