//! The few fields that a query needs, taken out of an event's line.
//!
//! Everything else is passed over without being kept. What is not of a type that a field may have
//! is taken as absent: reading a line fails only if it is no JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::source::Value;

/// Values by slot: the place of a path in the query's list of paths.
pub(crate) type Row<'v> = Vec<Option<Value<'v>>>;

/// The needed paths as a tree of keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    slot: Option<usize>,
    children: Vec<(String, Node)>,
}

impl Node {
    /// The tree of these paths; the place of each in the list is its slot.
    pub(crate) fn of(paths: &[Vec<String>]) -> Self {
        let mut root = Self::default();
        for (slot, path) in paths.iter().enumerate() {
            let mut node = &mut root;
            for key in path {
                let known = node.children.iter().position(|(other, _)| other == key);
                let at = known.unwrap_or_else(|| {
                    node.children.push((key.clone(), Self::default()));
                    node.children.len() - 1
                });
                node = &mut node.children[at].1;
            }
            node.slot = Some(slot);
        }
        root
    }

    /// Reads a line into a row.
    pub(crate) fn read<'v>(
        &self,
        line: &'v [u8],
        row: &mut Row<'v>,
    ) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        Object { node: self, row }.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    fn child(&self, key: &str) -> Option<&Self> {
        self.children.iter().find(|(known, _)| known == key).map(|(_, node)| node)
    }
}

/// A line is an object, nothing else.
struct Object<'n, 'r, 'v> {
    node: &'n Node,
    row: &'r mut Row<'v>,
}

impl<'v> DeserializeSeed<'v> for Object<'_, '_, 'v> {
    type Value = ();

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'v> Visitor<'v> for Object<'_, '_, 'v> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'v>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(child) = map.next_key_seed(Key(self.node))? {
            match child {
                Some(node) => map.next_value_seed(Any { node, row: self.row })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key, and what is needed below it.
struct Key<'n>(&'n Node);

impl<'n, 'v> DeserializeSeed<'v> for Key<'n> {
    type Value = Option<&'n Node>;

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'n> Visitor<'_> for Key<'n> {
    type Value = Option<&'n Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.child(key))
    }
}

/// A value of any type; it is kept if its node has a slot.
struct Any<'n, 'r, 'v> {
    node: &'n Node,
    row: &'r mut Row<'v>,
}

impl<'v> Any<'_, '_, 'v> {
    fn keep(self, value: Value<'v>) {
        if let Some(place) = self.node.slot.and_then(|slot| self.row.get_mut(slot)) {
            *place = Some(value);
        }
    }
}

impl<'v> DeserializeSeed<'v> for Any<'_, '_, 'v> {
    type Value = ();

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'v> Visitor<'v> for Any<'_, '_, 'v> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, holds: bool) -> Result<(), E> {
        self.keep(Value::Boolean(holds));
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.keep(Value::Integer(number.into()));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.keep(Value::Integer(number.into()));
        Ok(())
    }

    /// No field is a fraction.
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'v str) -> Result<(), E> {
        self.keep(Value::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.keep(Value::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'v>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = seq.next_element_seed(Item)? {
            texts.extend(item);
        }
        self.keep(Value::Texts(texts));
        Ok(())
    }

    fn visit_map<A: MapAccess<'v>>(self, map: A) -> Result<(), A::Error> {
        Object { node: self.node, row: self.row }.visit_map(map)
    }
}

/// An item of a list: a text, or something that no list of the format has.
struct Item;

impl<'v> DeserializeSeed<'v> for Item {
    type Value = Option<Cow<'v, str>>;

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let mut row = vec![None];
        let node = Node { slot: Some(0), children: Vec::new() };
        Any { node: &node, row: &mut row }.deserialize(deserializer)?;
        Ok(match row.pop().flatten() {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(paths: &[&[&str]], line: &str, expected: &[Option<Value<'_>>]) {
        let paths: Vec<Vec<String>> =
            paths.iter().map(|path| path.iter().map(|key| (*key).to_owned()).collect()).collect();
        let mut row = vec![None; paths.len()];
        Node::of(&paths).read(line.as_bytes(), &mut row).unwrap();
        assert_eq!(row, expected);
    }

    fn text(text: &'static str) -> Option<Value<'static>> {
        Some(Value::from(text))
    }

    #[test]
    fn only_what_is_needed_is_taken() {
        let line = r#"{"a":{"b":"x","c":[{"b":1}]},"b":"y","d":-3,"e":true}"#;
        reads(
            &[&["a", "b"], &["d"], &["e"], &["b"]],
            line,
            &[text("x"), Some(Value::Integer(-3)), Some(Value::Boolean(true)), text("y")],
        );
    }

    #[test]
    fn what_is_not_there_or_of_no_possible_type_is_absent() {
        let line = r#"{"a":null,"b":1.5,"c":{"x":1},"d":"no object"}"#;
        reads(
            &[&["a"], &["b"], &["c"], &["d", "x"], &["e"]],
            line,
            &[None, None, None, None, None],
        );
    }

    #[test]
    fn a_list_keeps_its_empty_texts() {
        let texts = vec![Cow::Borrowed("ls"), Cow::Borrowed(""), Cow::Borrowed("ä\"")];
        reads(&[&["argv"]], r#"{"argv":["ls","","ä\""]}"#, &[Some(Value::Texts(texts))]);
        reads(&[&["argv"]], r#"{"argv":[]}"#, &[Some(Value::Texts(vec![]))]);
    }

    #[test]
    fn a_key_may_hold_a_full_stop_and_escapes() {
        reads(&[&["l", "a.b"]], r#"{"l":{"\u0061.b":"x"}}"#, &[text("x")]);
    }

    #[test]
    fn what_is_no_object_or_goes_on_behind_it_is_refused() {
        for line in ["", "[]", "3", "{", "{} {}", "{\"a\":}"] {
            let mut row = vec![];
            assert!(Node::default().read(line.as_bytes(), &mut row).is_err(), "{line}");
        }
        assert!(Node::default().read(b"{}\n", &mut vec![]).is_ok());
    }
}
