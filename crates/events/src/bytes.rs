//! Text that may not be UTF-8: the rule, and its one implementation.
//!
//! Paths, names and arguments are bytes to the kernel.
//! The rule: where they are UTF-8, the field holds them as they are.
//! Where they are not, the field holds the text with U+FFFD in the place of what is not UTF-8
//! (as [`String::from_utf8_lossy`] places it), and a sibling field, called as the field with
//! `_b64` behind it, holds the exact bytes. A list of arguments has one sibling for the whole
//! list.
//!
//! Invariant: the exact bytes can always be had back, also where the text itself contains U+FFFD.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// Exact bytes; in JSON a string of base64 (RFC 4648 section 4, padded).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

/// Bytes as text, and whether the text says exactly what the bytes say.
pub(crate) fn readable(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let text = String::from_utf8_lossy(bytes);
    // A borrowed text is the bytes themselves: nothing had to be put in their place.
    let is_exact = matches!(text, Cow::Borrowed(_));
    (text, is_exact)
}

/// The base64 of some bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The field and its sibling for some bytes.
pub fn split(bytes: &[u8]) -> (String, Option<Base64>) {
    let (text, is_exact) = readable(bytes);
    (text.into_owned(), (!is_exact).then(|| Base64(bytes.to_vec())))
}

/// The exact bytes of a field and its sibling.
pub fn join<'a>(text: &'a str, exact: Option<&'a Base64>) -> &'a [u8] {
    exact.map_or(text.as_bytes(), |exact| &exact.0)
}

/// The field and its sibling for a list of arguments.
pub fn split_list<'a>(
    list: impl Iterator<Item = &'a [u8]> + Clone,
) -> (Vec<String>, Option<Vec<Base64>>) {
    let is_exact = list.clone().all(|item| readable(item).1);
    let texts = list.clone().map(|item| readable(item).0.into_owned()).collect();
    (texts, (!is_exact).then(|| list.map(|item| Base64(item.to_vec())).collect()))
}

/// The exact bytes of a list of arguments and its sibling.
pub fn join_list<'a>(texts: &'a [String], exact: Option<&'a [Base64]>) -> Vec<&'a [u8]> {
    match exact {
        Some(exact) => exact.iter().map(|item| item.0.as_slice()).collect(),
        None => texts.iter().map(String::as_bytes).collect(),
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text.as_bytes());
        bytes.map(Self).map_err(|error| D::Error::custom(format!("invalid base64: {error}")))
    }
}

impl JsonSchema for Base64 {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Base64".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "contentEncoding": "base64" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_that_is_utf8_has_no_sibling() {
        assert_eq!(split("naïve \u{FFFD}".as_bytes()), ("naïve \u{FFFD}".to_owned(), None));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced_and_told_exactly_beside() {
        let (text, exact) = split(b"a\xffb");
        assert_eq!(text, "a\u{FFFD}b");
        assert_eq!(serde_json::to_string(&exact).unwrap(), r#""Yf9i""#);
    }

    #[test]
    fn one_argument_that_is_not_utf8_brings_the_whole_list() {
        let (texts, exact) = split_list([b"ls".as_slice(), b"", b"\xff"].into_iter());
        assert_eq!(texts, ["ls", "", "\u{FFFD}"]);
        assert_eq!(serde_json::to_string(&exact).unwrap(), r#"["bHM=","","/w=="]"#);
    }

    #[test]
    fn a_sibling_that_is_not_base64_is_refused() {
        let error = serde_json::from_str::<Base64>(r#""a?""#).unwrap_err();
        assert!(error.to_string().contains("invalid base64"), "{error}");
    }

    proptest! {
        #[test]
        fn exact_bytes_survive_the_round_trip(bytes: Vec<u8>, list: Vec<Vec<u8>>) {
            let (text, exact) = split(&bytes);
            prop_assert_eq!(exact.is_none(), std::str::from_utf8(&bytes).is_ok());
            prop_assert_eq!(join(&text, exact.as_ref()), bytes);

            let (texts, exact) = split_list(list.iter().map(Vec::as_slice));
            prop_assert_eq!(texts.len(), list.len());
            prop_assert_eq!(join_list(&texts, exact.as_deref()), list);
        }
    }
}
