//! A JSON Schema validator for the keywords that our schema uses, and no others.
//!
//! The published validators bring some seventy packages and minutes of compilation, for a
//! schema of fourteen keywords. A keyword that is not known here is an error, so nothing is ever
//! admitted because it was not looked at.

use serde_json::{Map, Value};

/// What is wrong with `value`, each with its place; empty if the schema admits it.
pub(crate) fn errors(root: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    Validator { root }.check(root, value, "", &mut errors);
    errors
}

struct Validator<'s> {
    root: &'s Value,
}

impl Validator<'_> {
    fn check(&self, schema: &Value, value: &Value, place: &str, errors: &mut Vec<String>) {
        let Some(keywords) = schema.as_object() else {
            return errors.push(format!("{place}: the schema {schema} is no object"));
        };
        for (keyword, rule) in keywords {
            if let Err(error) = self.keyword(keyword, rule, keywords, value, place, errors) {
                errors.push(format!("{place}: {error}"));
            }
        }
    }

    fn admits(&self, schema: &Value, value: &Value) -> bool {
        let mut errors = Vec::new();
        self.check(schema, value, "", &mut errors);
        errors.is_empty()
    }

    fn keyword(
        &self,
        keyword: &str,
        rule: &Value,
        beside: &Map<String, Value>,
        value: &Value,
        place: &str,
        errors: &mut Vec<String>,
    ) -> Result<(), String> {
        let wrong = || Err(format!("{value} is refused by {keyword} {rule}"));
        let branches = || rule.as_array().into_iter().flatten();
        let is_right = match keyword {
            // Said for readers, not for validators.
            "$schema" | "$defs" | "title" | "description" | "contentEncoding" | "x-since" => true,
            "$ref" => {
                let pointer = rule.as_str().and_then(|it| it.strip_prefix('#'));
                let referred = pointer.and_then(|it| self.root.pointer(it));
                let referred = referred.ok_or(format!("nothing is at {rule}"))?;
                self.check(referred, value, place, errors);
                true
            }
            "oneOf" => branches().filter(|branch| self.admits(branch, value)).count() == 1,
            "anyOf" => branches().any(|branch| self.admits(branch, value)),
            "const" => value == rule,
            "type" => match rule.as_str() {
                Some("object") => value.is_object(),
                Some("array") => value.is_array(),
                Some("string") => value.is_string(),
                Some("boolean") => value.is_boolean(),
                Some("integer") => value.is_u64() || value.is_i64(),
                _ => return Err(format!("the type {rule} is not known")),
            },
            "minimum" => number(value) >= number(rule),
            "maximum" => number(value) <= number(rule),
            "format" => match (rule.as_str(), value.as_str()) {
                (Some("uuid"), Some(text)) => uuid::Uuid::try_parse(text).is_ok(),
                (Some("date-time"), Some(text)) => text.parse::<jiff::Timestamp>().is_ok(),
                (Some("uuid" | "date-time"), None) => true,
                _ => return Err(format!("the format {rule} is not known")),
            },
            "required" => branches().filter_map(Value::as_str).all(|key| value.get(key).is_some()),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.check(rule, item, &format!("{place}/{index}"), errors);
                }
                true
            }
            "properties" => {
                for (key, property) in rule.as_object().into_iter().flatten() {
                    if let Some(inner) = value.get(key) {
                        self.check(property, inner, &format!("{place}/{key}"), errors);
                    }
                }
                true
            }
            "additionalProperties" if !beside.contains_key("properties") => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    self.check(rule, inner, &format!("{place}/{key}"), errors);
                }
                true
            }
            _ => return Err(format!("the keyword {keyword} is not known")),
        };
        if is_right { Ok(()) } else { wrong() }
    }
}

fn number(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or(value.as_u64().map(i128::from))
}
