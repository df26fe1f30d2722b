//! What must hold of every recording, whatever was recorded: numbering, completeness, ids that
//! agree from event to event, and blocks that contain what the format names and nothing else.
//!
//! The machine-wide recording contains processes that no test has started, so these checks run
//! over more kinds of processes than any test could think of.

use std::collections::HashSet;

use serde_json::Value;

use crate::event::{Event, ROLES};

mod ancestry;
mod block;

/// The reasons that `missing` may give.
const REASONS: [&str; 6] = [
    "exited_before_capture",
    "sensor_lost_events",
    "started_before_boot_of_namespace",
    "permission_denied",
    "not_observable",
    "unreadable",
];

/// The fields of an event outside its process blocks.
const FIELDS: [&str; 19] = [
    "cmd_user",
    "cmd_roles",
    "event_type",
    "schema_version",
    "event_uuid",
    "event_time",
    "boot_ns",
    "seq",
    "agent",
    "host",
    "missing",
    "exec",
    "builtin",
    "verification",
    "self",
    "parent",
    "session_leader",
    "inception_session",
    "last_user_entered",
];

/// How many problems a failure shows.
const SHOWN: usize = 25;

/// Checks a complete recording; gives all problems as text.
pub fn check(events: &[Event]) -> Result<(), String> {
    let mut checker = Checker::default();
    events.iter().for_each(|event| checker.event(event));
    checker.finish(true)
}

/// The BACKFILL events that came after an EXEC had referred to their process, or a second time. In
/// a recording without losses there are none.
pub fn late_backfills(events: &[Event]) -> Vec<String> {
    let mut told = HashSet::new();
    let mut late = Vec::new();
    for event in events {
        let uuid = |role: &&str| event.uuid(role);
        if event.is_exec() {
            told.extend(ROLES.iter().filter_map(uuid));
        } else if let Some(uuid) = event.uuid("self")
            && !told.insert(uuid)
        {
            late.push(event.summary());
        }
    }
    late
}

/// Checks events one by one, so that a recording need not fit into memory.
#[derive(Debug, Default)]
pub struct Checker {
    count: u64,
    run: Option<String>,
    last: Option<Event>,
    event_uuids: HashSet<String>,
    ancestry: ancestry::Ancestry,
    problems: Vec<String>,
    more: usize,
}

impl Checker {
    /// Checks the next event.
    pub fn event(&mut self, event: &Event) {
        self.count += 1;
        let mut problems = Vec::new();
        self.envelope(event, &mut problems);
        if event.kind() != "AGENT" {
            roles(event, &mut problems);
            for role in ROLES.iter().filter(|role| event.at(role).is_some()) {
                block::check(event, role, &mut problems);
            }
            self.ancestry.event(event, &mut problems);
        }
        self.last = (event.kind() == "AGENT").then(|| event.clone());
        for problem in problems {
            self.problem(format!("{problem}\n    in: {}", event.summary()));
        }
    }

    /// Ends the checks; `lossless` demands that nothing was lost.
    pub fn finish(mut self, lossless: bool) -> Result<(), String> {
        self.ancestry.finish().into_iter().for_each(|problem| self.problem(problem));
        match self.last.take() {
            Some(report) if report.text("reason") == Some("stop") => {
                for counter in ["lost_kernel", "lost_user"] {
                    let lost = report.number(&format!("counters.{counter}"));
                    if lost.is_none() || lossless && lost != Some(0) {
                        self.problem(format!("the last report has {counter} = {lost:?}, not 0"));
                    }
                }
            }
            other => self.problem(format!(
                "the last event is not the AGENT event of the stop: {:?}",
                other.map(|event| event.summary())
            )),
        }
        if self.problems.is_empty() {
            return Ok(());
        }
        let more = self.more;
        let shown = self.problems.join("\n  - ");
        Err(format!("  - {shown}\n  ({more} further problems)"))
    }

    fn problem(&mut self, text: String) {
        if self.problems.len() < SHOWN {
            self.problems.push(text);
        } else {
            self.more += 1;
        }
    }

    /// Numbering, ids and times, and the fields outside the blocks.
    fn envelope(&mut self, event: &Event, problems: &mut Vec<String>) {
        let seq = event.number("seq");
        if seq != Some(self.count) {
            problems.push(format!("seq is {seq:?}, expected {}", self.count));
        }
        if self.count == 1 && event.text("reason") != Some("start") {
            problems.push("the first event is not the AGENT event of the start".to_owned());
        }
        let run = event.text("agent.run_uuid");
        if self.run.get_or_insert_with(|| run.unwrap_or_default().to_owned()) != run.unwrap_or("?")
        {
            problems.push(format!("another agent.run_uuid: {run:?}"));
        }
        match event.text("event_uuid") {
            Some(uuid) if self.event_uuids.insert(uuid.to_owned()) => {}
            other => problems.push(format!("event_uuid is absent or not unique: {other:?}")),
        }
        if !event.text("event_time").is_some_and(is_utc_with_nanoseconds) {
            problems.push(format!("event_time is {:?}", event.at("event_time")));
        }
        for (path, wanted) in [("schema_version", "1.0"), ("agent.sensor", "ebpf")] {
            if event.text(path) != Some(wanted) {
                problems.push(format!("{path} is {:?}, not {wanted:?}", event.at(path)));
            }
        }
        for path in ["boot_ns", "agent.version", "agent.mode"].into_iter().chain([
            "host.id",
            "host.name",
            "host.boot_id",
            "host.kernel",
            "host.arch",
        ]) {
            if event.at(path).is_none() {
                problems.push(format!("{path} is absent"));
            }
        }
        if !matches!(event.kind(), "EXEC" | "BUILTIN" | "BACKFILL" | "VERIFY" | "AGENT") {
            problems.push(format!("event_type is {:?}", event.at("event_type")));
        }
        if event.kind() != "AGENT" {
            let fields = event.json().as_object().into_iter().flatten().map(|(name, _)| name);
            for name in fields.filter(|name| !FIELDS.contains(&name.as_str())) {
                problems.push(format!("the format has no field {name}"));
            }
        }
        if event.kind() == "AGENT" {
            report(event, problems);
        }
        if event.is_exec() != event.at("exec").is_some() {
            problems.push("exec is there exactly in EXEC events, but not here".to_owned());
        }
        if event.is_builtin() != event.at("builtin").is_some() {
            problems.push("builtin is there exactly in BUILTIN events, but not here".to_owned());
        }
        if event.is_builtin() {
            builtin(event, problems);
        }
    }
}

/// What every builtin tells.
fn builtin(event: &Event, problems: &mut Vec<String>) {
    let first = event.at("builtin.argv").and_then(|argv| argv.get(0)).and_then(Value::as_str);
    if first.is_none() || first != event.text("builtin.name") {
        problems.push("builtin.argv does not begin with builtin.name".to_owned());
    }
    for path in ["builtin.shell", "builtin.source"] {
        if event.text(path).is_none() {
            problems.push(format!("{path} is absent"));
        }
    }
    if event.text("agent.mode") != Some("control") {
        problems.push("a builtin is recorded in another mode than control".to_owned());
    }
}

/// The stream's words about itself.
fn report(event: &Event, problems: &mut Vec<String>) {
    for counter in ["observed", "emitted", "lost_kernel", "lost_user", "suppressed"] {
        if event.number(&format!("counters.{counter}")).is_none() {
            problems.push(format!("counters.{counter} is absent"));
        }
    }
    if event.number("counters.emitted") != event.number("seq") {
        problems.push("counters.emitted differs from seq".to_owned());
    }
    let hooks = event.at("sensor.hooks").and_then(Value::as_array);
    if hooks.is_none_or(Vec::is_empty) {
        problems.push("sensor.hooks names no hook".to_owned());
    }
    if event.at("config_hash").is_none() || event.at("self").is_some() {
        problems.push("config_hash is absent, or there are process blocks".to_owned());
    }
}

/// Each of the four processes is there, or named as missing with a reason, and never both.
fn roles(event: &Event, problems: &mut Vec<String>) {
    let missing = event.at("missing").and_then(Value::as_object);
    let reason = |role: &str| missing.and_then(|missing| missing.get(role)).and_then(Value::as_str);
    for role in ROLES {
        let there = event.at(role).is_some();
        match reason(role) {
            Some(_) if there => problems.push(format!("{role} is there and listed as missing")),
            Some(reason) if !REASONS.contains(&reason) => {
                problems.push(format!("{role} is missing for an unknown reason: {reason:?}"));
            }
            None if !there && role != "last_user_entered" => {
                problems.push(format!("{role} is absent and not listed as missing"));
            }
            _ => {}
        }
    }
    if event.at("self").is_none() {
        problems.push("self is absent".to_owned());
    }
    if missing.is_some_and(serde_json::Map::is_empty) {
        problems.push("missing is there but names nobody".to_owned());
    }
    if let Some(missing) = missing {
        for role in missing.keys().filter(|role| !ROLES.contains(&role.as_str())) {
            // Fields of a block may be named too, by their path.
            let block = role.split('.').next().unwrap_or_default();
            if !ROLES.contains(&block) {
                problems.push(format!("missing names an unknown role {role}"));
            }
        }
    }
    if event.uuid("last_user_entered").is_some_and(|uuid| event.uuid("self") == Some(uuid)) {
        problems.push("self is its own last known user-entered process".to_owned());
    }
    if event.at("last_user_entered").is_some()
        && event.at("last_user_entered.user_entered") != Some(&Value::Bool(true))
    {
        problems.push("last_user_entered is not user-entered".to_owned());
    }
}

/// `2026-01-02T03:04:05.123456789Z`.
fn is_utc_with_nanoseconds(text: &str) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:dd.dddddddddZ";
    text.len() == shape.len()
        && text.bytes().zip(shape).all(|(found, wanted)| match wanted {
            b'd' => found.is_ascii_digit(),
            other => found == *other,
        })
}

#[cfg(test)]
mod tests;
