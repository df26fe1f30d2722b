//! One event as a reader of the output sees it: JSON, addressed by dotted paths.

use std::fmt;

use base64::Engine;
use serde_json::Value;

/// The roles in which a process stands in an event.
pub const ROLES: [&str; 5] =
    ["self", "parent", "session_leader", "inception_session", "last_user_entered"];

/// One line of the agent's output.
#[derive(Clone, Debug, PartialEq)]
pub struct Event(Value);

impl Event {
    /// Reads a line; panics if it is no JSON object.
    #[track_caller]
    pub fn parse(line: &[u8]) -> Self {
        match serde_json::from_slice(line) {
            Ok(value @ Value::Object(_)) => Self(value),
            other => panic!(
                "a line of the agent's output is no JSON object ({other:?}): {}",
                String::from_utf8_lossy(line)
            ),
        }
    }

    /// The value at a dotted path such as `self.tty.minor`.
    pub fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.0, |value, key| value.get(key))
    }

    /// The whole object.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The text at a path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// The number at a path.
    pub fn number(&self, path: &str) -> Option<u64> {
        self.at(path)?.as_u64()
    }

    /// `EXEC`, `BUILTIN`, `BACKFILL`, `AGENT`.
    pub fn kind(&self) -> &str {
        self.text("event_type").unwrap_or_default()
    }

    /// Whether a program was run.
    pub fn is_exec(&self) -> bool {
        self.kind() == "EXEC"
    }

    /// Whether a shell ran a builtin.
    pub fn is_builtin(&self) -> bool {
        self.kind() == "BUILTIN"
    }

    /// The words of a builtin, its name first; empty where there are none.
    pub fn builtin(&self) -> Vec<&str> {
        let list = self.at("builtin.argv").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether a process was already running.
    pub fn is_backfill(&self) -> bool {
        self.kind() == "BACKFILL"
    }

    /// The arguments of self as text; empty where there are none.
    pub fn argv(&self) -> Vec<&str> {
        let list = self.at("self.argv").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// The exact bytes of self's arguments.
    pub fn argv_bytes(&self) -> Vec<Vec<u8>> {
        match self.at("self.argv_b64").and_then(Value::as_array) {
            Some(list) => list.iter().map(decoded).collect(),
            None => self.argv().into_iter().map(|text| text.as_bytes().to_vec()).collect(),
        }
    }

    /// The exact bytes of a text field.
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        match self.at(&format!("{path}_b64")) {
            Some(exact) => decoded(exact),
            None => self.text(path).unwrap_or_default().as_bytes().to_vec(),
        }
    }

    /// Whether self was started with exactly these arguments.
    pub fn argv_is(&self, wanted: &[&str]) -> bool {
        self.argv() == wanted
    }

    /// Whether one of self's arguments is, or contains, this text.
    pub fn mentions(&self, text: &str) -> bool {
        self.argv().iter().any(|argument| argument.contains(text))
    }

    /// What self is called.
    pub fn name(&self) -> &str {
        self.text("self.name").unwrap_or_default()
    }

    /// The uuid of the process in a role.
    pub fn uuid(&self, role: &str) -> Option<&str> {
        self.0.get(role)?.get("uuid")?.as_str()
    }

    /// One line for lists of candidates.
    pub fn summary(&self) -> String {
        let text = |path| self.at(path).map_or_else(|| "-".to_owned(), Value::to_string);
        if self.kind() == "AGENT" {
            return format!("AGENT {} {}", text("reason"), text("counters"));
        }
        let argv = cut(&text("self.argv"), 160);
        format!(
            "{} {} pid {} ppid {} uid {} tty {} entry {} argv {argv}",
            self.kind(),
            text("self.name"),
            text("self.pid"),
            text("self.ppid"),
            text("self.uid"),
            text("self.tty.name"),
            text("inception_session.entry"),
        )
    }
}

#[track_caller]
fn decoded(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    match base64::engine::general_purpose::STANDARD.decode(text) {
        Ok(bytes) => bytes,
        Err(error) => panic!("{text:?} is no base64: {error}"),
    }
}

/// One line for each field outside the process blocks, and one line for each block, with the
/// arguments cut: they may be long, and those of other programs are none of a test's business.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Value::Object(fields) = &self.0 else { return write!(f, "{}", self.0) };
        for (name, value) in fields {
            let mut value = value.clone();
            for list in ["argv", "argv_b64"] {
                if let Some(argv) = value.get_mut(list) {
                    *argv = Value::String(cut(&argv.to_string(), 160));
                }
            }
            writeln!(f, "  {name}: {}", cut(&value.to_string(), 1500))?;
        }
        Ok(())
    }
}

/// At most so many characters.
fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_into_blocks() {
        let event =
            Event::parse(br#"{"event_type":"EXEC","self":{"tty":{"minor":3},"argv":["a",""]}}"#);
        assert_eq!(event.number("self.tty.minor"), Some(3));
        assert!(event.argv_is(&["a", ""]));
        assert_eq!(event.at("self.tty.major"), None);
    }
}
