//! The catalogue of fields, taken from the schema and so from the types.
//!
//! Two products: a table for programs ([`tsv`]) and the reference for people ([`markdown`]).
//! A field is since version 1.0 unless its schema says otherwise under `x-since`.

use serde_json::{Map, Value};

use crate::schema;

mod reference;

pub use reference::markdown;

/// One field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it is: keys joined by full stops, such as `self.tty.kind`.
    pub path: String,
    /// What it holds: `string`, `integer`, `boolean`, `uuid`, `timestamp` (RFC 3339), `base64`,
    /// `object`, `process` (a process block), or `array of` one of them.
    pub kind: String,
    /// The event types that have it.
    pub events: Vec<String>,
    /// The version of the format that brought it.
    pub since: String,
    /// What it means.
    pub meaning: String,
    /// For a vocabulary: its words.
    pub words: Vec<String>,
    /// For an object whose keys are not fixed, such as labels: what each value holds.
    pub values: Option<String>,
}

/// Every field of every event type, in the order of the wire.
pub fn catalogue() -> Vec<Field> {
    let schema = Definitions::new();
    let mut fields: Vec<Field> = Vec::new();
    for (event_type, branch) in schema.event_types() {
        let mut found = Vec::new();
        schema.collect(branch, "", true, &mut found);
        for mut field in found {
            match fields.iter_mut().find(|known| known.path == field.path) {
                Some(known) => known.events.push(event_type.clone()),
                None => {
                    field.events.push(event_type.clone());
                    fields.push(field);
                }
            }
        }
    }
    fields
}

/// The catalogue as tab-separated values with a line of headings.
pub fn tsv() -> String {
    let mut text = String::from("path\ttype\tevents\tsince\tmeaning\n");
    for Field { path, kind, events, since, meaning, words, .. } in catalogue() {
        let events = events.join(",");
        text += &format!("{path}\t{kind}\t{events}\t{since}\t{}\n", with_words(&meaning, &words));
    }
    text
}

/// A meaning, and after it the words that the field may hold.
fn with_words(meaning: &str, words: &[String]) -> String {
    if words.is_empty() {
        return meaning.to_owned();
    }
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("{meaning} One of {}.", words.join(", "))
}

/// The schema, with its references followed.
struct Definitions {
    root: Value,
}

impl Definitions {
    fn new() -> Self {
        Self { root: schema::schema().to_value() }
    }

    /// Each event type and its schema.
    fn event_types(&self) -> Vec<(String, &Value)> {
        let branches = self.root.get("oneOf").and_then(Value::as_array);
        branches.into_iter().flatten().map(|branch| (text(branch, "title"), branch)).collect()
    }

    /// The type definition of this name.
    fn named(&self, name: &str) -> &Value {
        self.root.get("$defs").and_then(|definitions| definitions.get(name)).unwrap_or(&Value::Null)
    }

    /// The name of the definition that a schema refers to.
    fn reference<'s>(&self, schema: &'s Value) -> Option<&'s str> {
        schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
    }

    fn referred(&self, schema: &Value) -> Option<&Value> {
        self.reference(schema).map(|name| self.named(name))
    }

    /// A schema's own properties, then those of what it refers to.
    fn properties<'s>(
        &'s self,
        schema: &'s Value,
    ) -> impl Iterator<Item = (&'s String, &'s Value)> {
        let own = schema.get("properties").and_then(Value::as_object);
        let referred = self.referred(schema);
        let referred = referred.and_then(|it| it.get("properties")).and_then(Value::as_object);
        own.into_iter().chain(referred).flat_map(Map::iter)
    }

    /// Appends the fields below a schema. `into_processes` says whether those of process blocks
    /// are listed too.
    fn collect(&self, schema: &Value, above: &str, into_processes: bool, found: &mut Vec<Field>) {
        for (name, property) in self.properties(schema) {
            let path = format!("{above}{name}");
            let below = format!("{path}.");
            found.push(Field {
                kind: self.kind(property),
                events: Vec::new(),
                since: property.get("x-since").map_or("1.0".to_owned(), plain),
                meaning: text(property, "description"),
                words: self.words(property).into_iter().map(|(word, _)| word).collect(),
                values: self.values(property),
                path,
            });
            if into_processes || !self.is_process(property) {
                self.collect(property, &below, into_processes, found);
            }
        }
    }

    fn is_process(&self, schema: &Value) -> bool {
        matches!(self.reference(schema), Some("Process" | "InceptionSession"))
    }

    fn kind(&self, schema: &Value) -> String {
        if self.is_process(schema) {
            return "process".to_owned();
        }
        let schema = self.referred(schema).unwrap_or(schema);
        if schema.get("anyOf").is_some() {
            return "string".to_owned();
        }
        let told = |key| schema.get(key).and_then(Value::as_str);
        match (told("type"), told("format"), told("contentEncoding")) {
            (Some("array"), ..) => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                format!("array of {}", self.kind(items))
            }
            (_, Some("uuid"), _) => "uuid".to_owned(),
            (_, Some("date-time"), _) => "timestamp".to_owned(),
            (_, _, Some("base64")) => "base64".to_owned(),
            (Some(kind), ..) => kind.to_owned(),
            (None, ..) => "any".to_owned(),
        }
    }

    /// For an object whose keys are not fixed: what each value holds.
    fn values(&self, schema: &Value) -> Option<String> {
        let values = schema.get("additionalProperties").filter(|values| values.is_object())?;
        Some(self.kind(values))
    }

    /// The words of a vocabulary, each with its meaning; also of an array or an object of them.
    fn words(&self, schema: &Value) -> Vec<(String, String)> {
        let schema = self.referred(schema).unwrap_or(schema);
        for inner in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(inner).filter(|inner| inner.is_object()) {
                return self.words(inner);
            }
        }
        let branches = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        let words = branches.filter_map(|branch| Some((branch, branch.get("const")?)));
        words.map(|(branch, word)| (plain(word), text(branch, "description"))).collect()
    }
}

fn text(schema: &Value, key: &str) -> String {
    schema.get(key).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_fields_have_the_same_path_and_every_field_has_a_meaning() {
        let mut seen = HashSet::new();
        for field in catalogue() {
            assert!(seen.insert(field.path.clone()), "{} is there twice", field.path);
            assert!(field.meaning.ends_with('.'), "{field:?} has no meaning");
            assert_ne!(field.kind, "any", "{field:?}");
            assert!(!field.meaning.contains(['\t', '\n']), "{field:?}");
        }
    }

    #[test]
    fn names_are_snake_case() {
        for field in catalogue() {
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
            assert!(field.path.chars().all(is_plain), "{}", field.path);
        }
    }

    #[test]
    fn a_field_of_a_process_is_there_for_each_role() {
        let fields = catalogue();
        let field = |path: &str| fields.iter().find(|field| field.path == path).unwrap();
        for role in ["self", "parent", "session_leader", "inception_session", "last_user_entered"] {
            assert_eq!(
                field(&format!("{role}.tty.major")).events,
                ["EXEC", "BUILTIN", "BACKFILL", "VERIFY"]
            );
        }
        assert_eq!(field("exec.filename").events, ["EXEC"]);
        assert_eq!(field("builtin.argv").events, ["BUILTIN"]);
        assert_eq!(field("seq").events, ["EXEC", "BUILTIN", "BACKFILL", "VERIFY", "AGENT"]);
        assert!(field("inception_session.entry").words.contains(&"container-exec".to_owned()));
    }

    #[test]
    fn an_object_whose_keys_are_not_fixed_says_what_its_values_are() {
        let fields = catalogue();
        let values = |path: &str| {
            let field = fields.iter().find(|field| field.path == path);
            field.and_then(|field| field.values.as_deref())
        };
        assert_eq!(values("counters"), Some("integer"));
        assert_eq!(values("host.labels"), Some("string"));
        assert_eq!(values("self.unknown"), Some("string"));
        assert_eq!(values("self.tty"), None);
    }
}
