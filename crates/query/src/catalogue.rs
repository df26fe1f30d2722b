//! The exported fields as properties: every path of the format, from its types.

use std::sync::OnceLock;

use forebear_events::fields::{self, Field};

use crate::property::Kind;

/// A field that can be compared.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The keys on the way to it.
    pub keys: Vec<String>,
    pub kind: Kind,
    /// For a vocabulary: the words that this version knows.
    pub words: Vec<String>,
}

/// What stands at a path.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    Field(Entry),
    /// An object; the names of the fields in it.
    Group(Vec<String>),
    /// An object with keys of its own choice.
    Map,
}

fn all() -> &'static [Field] {
    static ALL: OnceLock<Vec<Field>> = OnceLock::new();
    ALL.get_or_init(fields::catalogue)
}

/// The paths of all fields, groups too.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    all().iter().map(|field| field.path.as_str())
}

/// What stands at this path.
pub(crate) fn find(path: &str) -> Option<Found> {
    if let Some(field) = all().iter().find(|field| field.path == path) {
        return Some(of(field));
    }
    // A key that somebody has chosen, behind the path of such an object.
    all().iter().find_map(|field| {
        let kind = field.values.as_deref()?;
        let key =
            path.strip_prefix(&field.path)?.strip_prefix('.').filter(|key| !key.is_empty())?;
        let mut keys = keys(&field.path);
        keys.push(key.to_owned());
        Some(Found::Field(Entry { keys, kind: kind_of(kind, field)?, words: field.words.clone() }))
    })
}

fn of(field: &Field) -> Found {
    if field.values.is_some() {
        return Found::Map;
    }
    // The tag of the union has its words elsewhere: they are the types that have it.
    let is_tag = field.path == "event_type";
    let words = if is_tag { field.events.clone() } else { field.words.clone() };
    match kind_of(&field.kind, field) {
        Some(_) if is_tag => {
            Found::Field(Entry { keys: keys(&field.path), kind: Kind::Word, words })
        }
        Some(kind) => Found::Field(Entry { keys: keys(&field.path), kind, words }),
        None => {
            let below = format!("{}.", field.path);
            let direct =
                |path: &&str| path.strip_prefix(&below).is_some_and(|rest| !rest.contains('.'));
            Found::Group(paths().filter(direct).map(str::to_owned).collect())
        }
    }
}

fn keys(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

/// `None` for an object. A list is compared item by item.
fn kind_of(kind: &str, field: &Field) -> Option<Kind> {
    Some(match kind.strip_prefix("array of ").unwrap_or(kind) {
        "string" if !field.words.is_empty() => Kind::Word,
        "integer" => Kind::Integer,
        "boolean" => Kind::Boolean,
        "uuid" => Kind::Uuid,
        "timestamp" => Kind::Time,
        "object" | "process" => return None,
        // Texts, and base64, which is compared as it is written.
        _ => Kind::Text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_a_field_a_group_or_a_map() {
        for path in paths() {
            match find(path) {
                Some(Found::Field(entry)) => assert_eq!(entry.keys.join("."), path),
                Some(Found::Group(fields)) => assert!(!fields.is_empty(), "{path}"),
                Some(Found::Map) => assert!(find(&format!("{path}.x.y")).is_some(), "{path}"),
                None => panic!("{path}"),
            }
        }
        assert!(find("self.nonsense").is_none());
        assert!(find("host.labels.").is_none());
    }

    #[test]
    fn the_type_of_a_chosen_key_is_known() {
        let kind = |path| match find(path) {
            Some(Found::Field(entry)) => Some(entry.kind),
            _ => None,
        };
        assert_eq!(kind("counters.lost_kernel"), Some(Kind::Integer));
        assert_eq!(kind("host.labels.a.b/c"), Some(Kind::Text));
        assert_eq!(kind("missing.parent"), Some(Kind::Word));
        assert_eq!(kind("event_type"), Some(Kind::Word));
        assert_eq!(kind("self.argv"), Some(Kind::Text));
        assert_eq!(kind("self.start_time"), Some(Kind::Time));
    }
}
