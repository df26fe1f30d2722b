//! What must hold of the same process from event to event.

use std::collections::HashMap;

use serde_json::Value;

use crate::event::{Event, ROLES};

/// What was said of each process so far.
#[derive(Debug, Default)]
pub(super) struct Ancestry {
    /// Pid and start time by uuid.
    known: HashMap<String, (u64, String)>,
    /// The creator by uuid.
    creators: HashMap<String, String>,
    /// The inception's uuid by uuid.
    inceptions: HashMap<String, String>,
    /// Kind, entry and source of each inception; its evidence may grow.
    doors: HashMap<String, Value>,
    /// Of the last EXEC.
    exec_counts: HashMap<String, u64>,
}

impl Ancestry {
    /// Compares an event with what was said before.
    pub(super) fn event(&mut self, event: &Event, problems: &mut Vec<String>) {
        for role in ROLES.iter().filter(|role| event.at(role).is_some()) {
            self.identity(event, role, problems);
            self.creator(event, role, problems);
        }
        self.inception(event, problems);
        self.relations(event, problems);
        self.exec_count(event, problems);
    }

    /// Ends the checks: nobody is their own ancestor.
    pub(super) fn finish(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for start in self.creators.keys() {
            // A chain longer than there are processes has a loop.
            let mut at = start;
            let mut left = self.creators.len() + 1;
            while let Some(creator) = self.creators.get(at).filter(|_| left > 0) {
                at = creator;
                left -= 1;
            }
            if left == 0 {
                problems.push(format!("the ancestors of {start} go in a circle"));
                break;
            }
        }
        problems
    }

    /// A uuid is one process, for ever.
    fn identity(&mut self, event: &Event, role: &str, problems: &mut Vec<String>) {
        let text = |field: &str| event.text(&format!("{role}.{field}")).map(str::to_owned);
        let Some(uuid) = text("uuid") else { return };
        let pid = event.number(&format!("{role}.pid")).unwrap_or_default();
        let start = text("start_time").unwrap_or_default();
        let known = self.known.entry(uuid.clone()).or_insert_with(|| (pid, start.clone()));
        if *known != (pid, start.clone()) {
            problems.push(format!(
                "{role}: {uuid} is pid {pid} started {start}, but was pid {} started {}",
                known.0, known.1
            ));
        }
    }

    /// Creation happened once: the creator of a process never changes.
    fn creator(&mut self, event: &Event, role: &str, problems: &mut Vec<String>) {
        let text = |field: &str| event.text(&format!("{role}.{field}")).map(str::to_owned);
        let (Some(uuid), Some(creator)) =
            (text("uuid"), text("creator_uuid").or_else(|| text("parent_uuid")))
        else {
            return;
        };
        if uuid == creator {
            problems.push(format!("{role}: {uuid} is its own creator"));
            return;
        }
        let known = self.creators.entry(uuid.clone()).or_insert_with(|| creator.clone());
        if *known != creator {
            problems.push(format!("{role}: creator of {uuid} was {known}, is now {creator}"));
        }
    }

    /// An inception is never replaced, except by the process itself becoming one at the exec that
    /// decides it.
    fn inception(&mut self, event: &Event, problems: &mut Vec<String>) {
        let (Some(this), Some(inception)) = (event.uuid("self"), event.uuid("inception_session"))
        else {
            return;
        };
        let known = self.inceptions.insert(this.to_owned(), inception.to_owned());
        if let Some(known) = known
            && known != inception
            && inception != this
        {
            problems.push(format!("the inception of {this} was {known}, is now {inception}"));
        }
        let part = |field| event.at(&format!("inception_session.{field}")).cloned();
        let door = Value::Array(
            ["kind", "entry", "source"].map(|field| part(field).unwrap_or_default()).to_vec(),
        );
        let known = self.doors.entry(inception.to_owned()).or_insert_with(|| door.clone());
        if *known != door {
            problems.push(format!("the door of {inception} was {known}, is now {door}"));
        }
    }

    /// The blocks of one event agree with each other.
    fn relations(&self, event: &Event, problems: &mut Vec<String>) {
        for (one, other) in [
            ("self.parent_uuid", "parent.uuid"),
            ("self.ppid", "parent.pid"),
            ("self.session_leader_uuid", "session_leader.uuid"),
        ] {
            if let (Some(first), Some(second)) = (event.at(one), event.at(other))
                && first != second
            {
                problems.push(format!("{one} is {first}, but {other} is {second}"));
            }
        }
        // For an ordinary process the leader is the one whose pid is the session's id.
        if event.at("self.is_session_leader") == Some(&Value::Bool(false))
            && let (Some(sid), Some(leader)) =
                (event.at("self.sid"), event.at("session_leader.pid"))
            && sid != leader
        {
            problems.push(format!("self.sid is {sid}, but session_leader.pid is {leader}"));
        }
    }

    /// Each EXEC of a process counts one further.
    fn exec_count(&mut self, event: &Event, problems: &mut Vec<String>) {
        let Some(uuid) = event.uuid("self") else { return };
        let count = event.number("self.exec_count");
        let before = self.exec_counts.insert(uuid.to_owned(), count.unwrap_or_default());
        if event.is_exec()
            && let (Some(before), Some(count)) = (before, count)
            && count != before + 1
        {
            problems.push(format!("exec_count of {uuid} goes from {before} to {count}"));
        }
    }
}
