//! How the service goes: one document, for `status`, for the metrics, and for programs.
//!
//! Keys are only ever added.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::board::{Board, Progress};
use super::verifications::Verifications;
use crate::quantity::{Size, Span};

/// The document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the agent.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// The run.
    pub run_uuid: String,
    /// The host.
    pub host_id: String,
    /// Seconds since it began.
    pub uptime_s: u64,
    /// The configuration's file.
    pub config: String,
    /// How often it was reloaded.
    pub config_reloads: u64,
    /// What was wrong with it the last time it was reloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_problem: Option<String>,
    /// The counters of AGENT events, about a second old.
    pub counters: BTreeMap<String, u64>,
    /// The spool.
    pub spool: SpoolStatus,
    /// The destinations, as they are configured.
    pub destinations: Vec<DestinationStatus>,
    /// How often people were asked who they are; absent where logins do not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityStatus>,
}

/// How often people were asked who they are, since the service began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityStatus {
    /// Verifications by method, and by outcome as in VERIFY events; the method is `none` of those
    /// that came to no method.
    pub verifications: BTreeMap<String, BTreeMap<String, u64>>,
    /// Answers that were wrong, by method.
    pub failed_attempts: BTreeMap<String, u64>,
    /// Codes that were not looked at, because there had been too many wrong ones for the account.
    pub held_attempts: u64,
}

/// The spool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolStatus {
    /// Its folder.
    pub dir: String,
    /// What it takes on disk.
    pub bytes: u64,
    /// The most that it may take.
    pub max_bytes: u64,
    /// Closed batches that a destination has not confirmed.
    pub segments: u64,
    /// Events dropped to make room, since the spool was made.
    pub dropped_records: u64,
    /// Events for which there was no room at all.
    pub rejected_records: u64,
    /// Events in batches whose file was not there.
    pub missing_records: u64,
    /// Events that were damaged on the disk.
    pub damaged_records: u64,
}

/// One destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationStatus {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// `idle`, `uploading` or `failing`.
    pub state: String,
    /// Batches that wait for it.
    pub backlog_segments: u64,
    /// Events in them.
    pub backlog_records: u64,
    /// Bytes of these events.
    pub backlog_bytes: u64,
    /// Objects that are there since the service began.
    pub uploaded_objects: u64,
    /// Events in them.
    pub uploaded_events: u64,
    /// Bytes of these events before compression.
    pub uploaded_plain_bytes: u64,
    /// Bytes as stored.
    pub uploaded_bytes: u64,
    /// Attempts that failed since the service began.
    pub errors: u64,
    /// Events that were given up because they can never be there.
    pub refused_events: u64,
    /// Events that were dropped before it had them, since it was first named.
    pub dropped_records: u64,
    /// Unix time of the last success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_s: Option<u64>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemStatus>,
}

/// What is wrong with a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemStatus {
    /// In one word.
    pub kind: String,
    /// All of it, with what to do.
    pub text: String,
    /// Unix time since when nothing has succeeded.
    pub since_s: u64,
    /// Attempts that failed in a row.
    pub failures: u64,
    /// Seconds until the next attempt.
    pub retry_in_s: u64,
}

impl Status {
    /// As it is now.
    pub(super) fn of(board: &Board) -> Self {
        let stats = board.spool().stats();
        let totals = stats.totals;
        let reloads = board.reloads();
        let counters = board.published().into_iter().chain(board.counters());
        let destinations = board.destinations();
        let destinations = destinations.iter().map(|progress| {
            let name = &progress.destination.name;
            let consumer = stats.consumers.iter().find(|consumer| consumer.name == *name);
            of_destination(progress, consumer)
        });
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            run_uuid: board.run.clone(),
            host_id: board.host.clone(),
            uptime_s: board.started.elapsed().as_secs(),
            config: board.config_path.display().to_string(),
            config_reloads: reloads.count,
            config_problem: reloads.problem,
            counters: counters.map(|(name, count)| (name.to_owned(), count)).collect(),
            spool: SpoolStatus {
                dir: board.spool_dir.display().to_string(),
                bytes: stats.bytes,
                max_bytes: board.spool_max_bytes,
                segments: stats.segments,
                dropped_records: totals.dropped.records,
                rejected_records: totals.rejected_records,
                missing_records: totals.missing.records,
                damaged_records: totals.damaged_records,
            },
            destinations: destinations.collect(),
            identity: board.verifications.as_ref().map(IdentityStatus::of),
        }
    }

    /// As one line of JSON.
    pub fn to_json(&self) -> String {
        // Only maps with keys that are not strings could fail, and there are none.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether every destination works, as far as is known.
    pub fn is_well(&self) -> bool {
        self.destinations.iter().all(|destination| destination.problem.is_none())
    }

    /// As people read it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let counter = |name: &str| self.counters.get(name).copied().unwrap_or(0);
        let up = time(self.uptime_s);
        let _ = writeln!(text, "forebear-agent {} (process {}), up {up}", self.version, self.pid);
        let _ = writeln!(text, "run        {}", self.run_uuid);
        let reloads = match self.config_reloads {
            0 => String::new(),
            count => format!(", reloaded {count} times"),
        };
        let _ = writeln!(text, "config     {}{reloads}", self.config);
        if let Some(problem) = &self.config_problem {
            let _ = writeln!(text, "           not reloaded: {}", indented(problem));
        }
        let lost =
            counter("lost_kernel") + counter("lost_kernel_forks") + counter("lost_kernel_exits");
        let _ = writeln!(
            text,
            "recorded   {} events; {} processes live; lost by the kernel's buffer: {lost}",
            counter("emitted").saturating_sub(1),
            counter("processes"),
        );
        let SpoolStatus { dir, bytes, max_bytes, segments, .. } = &self.spool;
        let _ = writeln!(
            text,
            "spool      {dir}: {} of {}, {segments} batches wait",
            bytes_text(*bytes),
            bytes_text(*max_bytes)
        );
        let SpoolStatus {
            dropped_records: dropped,
            rejected_records: rejected,
            missing_records: missing,
            damaged_records: damaged,
            ..
        } = self.spool;
        if dropped + rejected + missing + damaged > 0 {
            let _ = writeln!(
                text,
                "           events lost in it since it was made: {dropped} dropped, {rejected} \
                 without room, {missing} missing, {damaged} damaged"
            );
        }
        if let Some(identity) = &self.identity {
            identity.append(&mut text);
        }
        for destination in &self.destinations {
            destination.append(&mut text);
        }
        text
    }
}

impl IdentityStatus {
    fn of(counts: &Verifications) -> Self {
        let (mut verifications, mut failed_attempts) = (BTreeMap::new(), BTreeMap::new());
        for (method, of_method) in counts.by_method() {
            let ended = of_method.ended.into_iter().map(|(name, count)| (name.to_owned(), count));
            verifications.insert(method.to_owned(), ended.collect());
            failed_attempts.insert(method.to_owned(), of_method.failed);
        }
        Self { verifications, failed_attempts, held_attempts: counts.held_count() }
    }

    fn append(&self, text: &mut String) {
        let all = |outcome: &str| -> u64 {
            self.verifications.values().filter_map(|of_method| of_method.get(outcome)).sum()
        };
        let failed: u64 = self.failed_attempts.values().sum();
        let _ = writeln!(
            text,
            "people     {} verified, {} refused, {} gave up; {failed} wrong answers, {} held back",
            all("verified"),
            all("refused"),
            all("abandoned") + all("unbound"),
            self.held_attempts,
        );
    }
}

impl DestinationStatus {
    fn append(&self, text: &mut String) {
        let _ = writeln!(text, "\n{} ({}): {}", self.name, self.url, self.state);
        let _ = writeln!(
            text,
            "  uploaded {} events in {} objects, {} as {}",
            self.uploaded_events,
            self.uploaded_objects,
            bytes_text(self.uploaded_plain_bytes),
            bytes_text(self.uploaded_bytes),
        );
        let _ = writeln!(
            text,
            "  waiting  {} events in {} batches, {}",
            self.backlog_records,
            self.backlog_segments,
            bytes_text(self.backlog_bytes)
        );
        if self.dropped_records + self.refused_events > 0 {
            let (dropped, refused) = (self.dropped_records, self.refused_events);
            let _ = writeln!(text, "  lost     {dropped} events dropped, {refused} given up");
        }
        if let Some(problem) = &self.problem {
            let _ = writeln!(
                text,
                "  failing  {} attempts, next one in {}: {}",
                problem.failures,
                time(problem.retry_in_s),
                indented(&problem.text)
            );
        }
    }
}

fn of_destination(
    progress: &Progress,
    consumer: Option<&forebear_spool::ConsumerStats>,
) -> DestinationStatus {
    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let uploaded = &progress.uploaded;
    let state = progress.state().clone();
    let word = match (&state.problem, state.is_uploading) {
        (Some(_), _) => "failing",
        (None, true) => "uploading",
        (None, false) => "idle",
    };
    DestinationStatus {
        name: progress.destination.name.clone(),
        url: progress.destination.url.clone(),
        state: word.to_owned(),
        backlog_segments: consumer.map_or(0, |consumer| consumer.backlog_segments),
        backlog_records: consumer.map_or(0, |consumer| consumer.backlog_records),
        backlog_bytes: consumer.map_or(0, |consumer| consumer.backlog_bytes),
        uploaded_objects: get(&uploaded.objects),
        uploaded_events: get(&uploaded.events),
        uploaded_plain_bytes: get(&uploaded.plain_bytes),
        uploaded_bytes: get(&uploaded.stored_bytes),
        errors: get(&uploaded.errors),
        refused_events: get(&uploaded.refused_events),
        dropped_records: consumer
            .map_or(0, |consumer| consumer.dropped.records + consumer.missing.records),
        last_success_s: state.last_success.map(unix),
        problem: state.problem.map(|problem| ProblemStatus {
            kind: problem.kind.to_owned(),
            text: problem.text,
            since_s: unix(problem.since),
            failures: problem.failures,
            retry_in_s: problem.retry.saturating_duration_since(Instant::now()).as_secs(),
        }),
    }
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn time(seconds: u64) -> String {
    match seconds {
        0..120 => Span(Duration::from_secs(seconds)).to_string(),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A size with three or four digits.
fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => Size(bytes).to_string(),
        _ => format!("{value:.1}{}", UNITS.get(unit).copied().unwrap_or_default()),
    }
}

/// Further lines below the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}
