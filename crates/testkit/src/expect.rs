//! Expectations of one event, compared field by field; a failure lists every field that is wrong.

use serde_json::{Value, json};

use crate::event::Event;

/// Expectations of one event; ends with [`met`](Self::met).
#[must_use = "nothing is compared before `met`"]
#[derive(Debug)]
pub struct Expect<'e> {
    event: &'e Event,
    what: String,
    wrong: Vec<String>,
}

impl<'e> Expect<'e> {
    /// Expectations of `event`, which failures call `what`.
    pub fn of(event: &'e Event, what: &str) -> Self {
        Self { event, what: what.to_owned(), wrong: Vec::new() }
    }

    /// The field at `path` has this value.
    pub fn is(mut self, path: &str, wanted: impl Into<Value>) -> Self {
        let wanted = wanted.into();
        let found = self.event.at(path);
        if found != Some(&wanted) {
            let found = found.map_or("absent".to_owned(), Value::to_string);
            self.wrong.push(format!("{path}: expected {wanted}, found {found}"));
        }
        self
    }

    /// The field at `path` is not there.
    pub fn absent(mut self, path: &str) -> Self {
        if let Some(found) = self.event.at(path) {
            self.wrong.push(format!("{path}: expected to be absent, found {found}"));
        }
        self
    }

    /// The field at `path` is there.
    pub fn present(mut self, path: &str) -> Self {
        if self.event.at(path).is_none() {
            self.wrong.push(format!("{path}: expected to be there, found absent"));
        }
        self
    }

    /// Two fields have the same value.
    pub fn same(mut self, one: &str, other: &str) -> Self {
        let (first, second) = (self.event.at(one), self.event.at(other));
        if first.is_none() || first != second {
            self.wrong.push(format!("{one} ({first:?}) and {other} ({second:?}) should be equal"));
        }
        self
    }

    /// The block of `role` is the process with this uuid.
    pub fn process(self, role: &str, uuid: &str) -> Self {
        self.is(&format!("{role}.uuid"), uuid)
    }

    /// A list contains a value.
    pub fn contains(mut self, path: &str, wanted: &str) -> Self {
        let list = self.event.at(path).and_then(Value::as_array);
        if !list.is_some_and(|list| list.contains(&json!(wanted))) {
            let found = self.event.at(path);
            self.wrong.push(format!("{path}: expected to contain {wanted:?}, found {found:?}"));
        }
        self
    }

    /// Any other statement about the event, named for the failure.
    pub fn holds(mut self, statement: &str, true_for: impl FnOnce(&Event) -> bool) -> Self {
        if !true_for(self.event) {
            self.wrong.push(format!("does not hold: {statement}"));
        }
        self
    }

    /// The process in `role` is controlled from the pseudo-terminal `/dev/pts/<number>`, and has
    /// its three streams on it.
    pub fn on_pts(self, role: &str, number: u32) -> Self {
        self.controlled_from_pts(role, number)
            .stream_on_pts(role, "stdin", number)
            .stream_on_pts(role, "stdout", number)
            .stream_on_pts(role, "stderr", number)
    }

    /// The process in `role` is controlled from the pseudo-terminal `/dev/pts/<number>`.
    pub fn controlled_from_pts(self, role: &str, number: u32) -> Self {
        self.is(&format!("{role}.tty.major"), 136)
            .is(&format!("{role}.tty.minor"), number)
            .is(&format!("{role}.tty.kind"), "pseudo")
            .is(&format!("{role}.tty.name"), format!("pts/{number}"))
            .is(&format!("{role}.interactive"), true)
    }

    /// A stream of the process in `role` is its controlling terminal `/dev/pts/<number>`.
    pub fn stream_on_pts(self, role: &str, stream: &str, number: u32) -> Self {
        self.stream(role, stream, "tty", (136, number), true)
    }

    /// A stream of the process in `role` is open on something of this kind, with these numbers.
    pub fn stream(
        self,
        role: &str,
        stream: &str,
        kind: &str,
        device: (u32, u32),
        is_ctty: bool,
    ) -> Self {
        self.is(&format!("{role}.{stream}.kind"), kind)
            .is(&format!("{role}.{stream}.major"), device.0)
            .is(&format!("{role}.{stream}.minor"), device.1)
            .is(&format!("{role}.{stream}.is_ctty"), is_ctty)
    }

    /// The process in `role` has no controlling terminal.
    pub fn no_terminal(self, role: &str) -> Self {
        self.absent(&format!("{role}.tty")).is(&format!("{role}.interactive"), false)
    }

    /// There is no last known user-entered process, and it is not listed as missing either.
    pub fn nobody_entered(self) -> Self {
        self.absent("last_user_entered").absent("missing.last_user_entered")
    }

    /// Panics with everything that is wrong and the whole event.
    #[track_caller]
    pub fn met(self) {
        assert!(
            self.wrong.is_empty(),
            "{} is not as expected:\n  - {}\nthe event:\n{}",
            self.what,
            self.wrong.join("\n  - "),
            self.event
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named() {
        let event = Event::parse(br#"{"event_type":"EXEC","self":{"pid":7}}"#);
        let expect = Expect::of(&event, "it")
            .is("self.pid", 7)
            .is("self.pid", 8)
            .present("parent")
            .absent("self.pid");
        assert_eq!(expect.wrong.len(), 3);
    }
}
