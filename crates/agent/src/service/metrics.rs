//! The status as metrics, in the text format of Prometheus (version 0.0.4).
//!
//! Names are `forebear_<noun>_<unit>`, counters end in `_total`. They are only ever added to.

use std::fmt::{Display, Write as _};

use super::status::{DestinationStatus, IdentityStatus, Status};

/// Counters of the recording that are metrics: name, name here, help.
const RECORDED: [(&str, &str, &str); 8] = [
    ("emitted", "forebear_events_total", "Events recorded since the run began."),
    ("observed", "forebear_observations_total", "Observations received from the kernel."),
    ("lost_kernel", "forebear_lost_execs_total", "Executions that the kernel's buffer lost."),
    ("lost_kernel_forks", "forebear_lost_forks_total", "Forks that the kernel's buffer lost."),
    ("lost_kernel_exits", "forebear_lost_exits_total", "Exits that the kernel's buffer lost."),
    ("lost_user", "forebear_lost_observations_total", "Observations that could not be handled."),
    ("argv_incomplete", "forebear_incomplete_arguments_total", "Events without all arguments."),
    ("config_reloads", "forebear_config_reloads_total", "Reloads of the configuration."),
];

/// All metrics.
pub(super) fn text(status: &Status) -> String {
    let mut page = Page::default();
    page.head("forebear_agent_info", "gauge", "The agent; always 1.");
    let labels = [("version", &*status.version), ("run", &*status.run_uuid)];
    page.sample("forebear_agent_info", &labels, 1);
    page.single("forebear_uptime_seconds", "gauge", "Time since it began.", status.uptime_s);
    for (counter, name, help) in RECORDED {
        let mut count = status.counters.get(counter).copied().unwrap_or(0);
        if counter == "emitted" {
            // It counts the AGENT event that would tell it.
            count = count.saturating_sub(1);
        }
        page.single(name, "counter", help, count);
    }
    let living = status.counters.get("processes").copied().unwrap_or(0);
    page.single("forebear_processes", "gauge", "Processes that live.", living);

    let spool = &status.spool;
    page.single("forebear_spool_bytes", "gauge", "What the spool takes on disk.", spool.bytes);
    page.single("forebear_spool_limit_bytes", "gauge", "The most it may take.", spool.max_bytes);
    page.single("forebear_spool_batches", "gauge", "Batches that wait.", spool.segments);
    page.head(
        "forebear_spool_lost_events_total",
        "counter",
        "Events lost in the spool since it was made, by reason.",
    );
    for (reason, count) in [
        ("dropped", spool.dropped_records),
        ("rejected", spool.rejected_records),
        ("missing", spool.missing_records),
        ("damaged", spool.damaged_records),
    ] {
        page.sample("forebear_spool_lost_events_total", &[("reason", reason)], count);
    }
    if let Some(identity) = &status.identity {
        page.identity(identity);
    }
    for (name, kind, help, value) in DESTINATION {
        page.head(name, kind, help);
        for destination in &status.destinations {
            if let Some(value) = value(destination) {
                page.sample(name, &[("destination", &destination.name)], value);
            }
        }
    }
    page.0
}

type OfDestination = fn(&DestinationStatus) -> Option<u64>;

/// Metrics that each destination has: name, type, help, value.
const DESTINATION: [(&str, &str, &str, OfDestination); 11] = [
    ("forebear_destination_up", "gauge", "1 unless the last attempt failed.", |destination| {
        Some(u64::from(destination.problem.is_none()))
    }),
    ("forebear_destination_waiting_batches", "gauge", "Batches that wait for it.", |destination| {
        Some(destination.backlog_segments)
    }),
    ("forebear_destination_waiting_events", "gauge", "Events that wait for it.", |destination| {
        Some(destination.backlog_records)
    }),
    ("forebear_destination_waiting_bytes", "gauge", "Bytes that wait for it.", |destination| {
        Some(destination.backlog_bytes)
    }),
    ("forebear_destination_objects_total", "counter", "Objects uploaded.", |destination| {
        Some(destination.uploaded_objects)
    }),
    ("forebear_destination_events_total", "counter", "Events uploaded.", |destination| {
        Some(destination.uploaded_events)
    }),
    (
        "forebear_destination_plain_bytes_total",
        "counter",
        "Bytes uploaded, before compression.",
        |destination| Some(destination.uploaded_plain_bytes),
    ),
    (
        "forebear_destination_stored_bytes_total",
        "counter",
        "Bytes uploaded, as stored.",
        |destination| Some(destination.uploaded_bytes),
    ),
    ("forebear_destination_errors_total", "counter", "Attempts that failed.", |destination| {
        Some(destination.errors)
    }),
    (
        "forebear_destination_lost_events_total",
        "counter",
        "Events that it will never have: dropped, missing or given up.",
        |destination| Some(destination.dropped_records + destination.refused_events),
    ),
    (
        "forebear_destination_last_success_timestamp_seconds",
        "gauge",
        "Unix time of the last success.",
        |destination| destination.last_success_s,
    ),
];

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    fn identity(&mut self, identity: &IdentityStatus) {
        let name = "forebear_verifications_total";
        self.head(name, "counter", "People who were asked who they are, by method and outcome.");
        for (method, ended) in &identity.verifications {
            for (outcome, count) in ended {
                self.sample(name, &[("method", method), ("outcome", outcome)], count);
            }
        }
        let name = "forebear_verification_failures_total";
        self.head(name, "counter", "Answers that were wrong, by method.");
        for (method, count) in &identity.failed_attempts {
            self.sample(name, &[("method", method)], count);
        }
        let name = "forebear_verification_held_total";
        let help = "Codes not looked at, after too many wrong ones for the account.";
        self.single(name, "counter", help, identity.held_attempts);
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.sample(name, &[], value);
    }
}
