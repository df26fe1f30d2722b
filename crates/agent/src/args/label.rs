//! An operator's label: `key=value`.

use std::str::FromStr;

/// Longest key, in bytes. Object stores and log systems take at least this.
const MAX_KEY: usize = 63;

/// Longest value, in bytes: it is repeated in every event.
const MAX_VALUE: usize = 256;

/// A label of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Letters, digits, `_`, `-`, `.` and `/`.
    pub key: String,
    /// Any text.
    pub value: String,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!("a label is key=value, such as {}=...", text.trim()));
        };
        if key.is_empty() {
            return Err("the key before = is empty".to_owned());
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
        if let Some(odd) = key.chars().find(|c| !allowed(*c)) {
            return Err(format!("{odd:?} cannot be in a key: letters, digits, _ - . and / can"));
        }
        if key.len() > MAX_KEY {
            return Err(format!("the key has {} bytes; at most {MAX_KEY} are allowed", key.len()));
        }
        if value.is_empty() {
            return Err(format!("the value after {key}= is empty; leave the label out instead"));
        }
        if value.len() > MAX_VALUE {
            let len = value.len();
            return Err(format!("the value has {len} bytes; at most {MAX_VALUE} are allowed"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}
