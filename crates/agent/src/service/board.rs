//! What the threads of the service tell each other: how far uploads are, what was counted, what a
//! reload has changed. Everything here is quick to read and to write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use forebear_archive::{BatchLimits, Destination};
use forebear_events::Run;
use forebear_spool::Spool;

use super::verifications::Verifications;
use crate::config::Config;

/// Counts since the run began.
#[derive(Debug, Default)]
pub(super) struct Uploaded {
    /// Objects that are at a destination.
    pub(super) objects: AtomicU64,
    /// Events in them.
    pub(super) events: AtomicU64,
    /// Their bytes before compression.
    pub(super) plain_bytes: AtomicU64,
    /// Their bytes as stored.
    pub(super) stored_bytes: AtomicU64,
    /// Attempts that failed.
    pub(super) errors: AtomicU64,
    /// Events that a destination can never have, and that were given up.
    pub(super) refused_events: AtomicU64,
}

/// One destination.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) destination: Destination,
    pub(super) uploaded: Uploaded,
    state: Mutex<State>,
}

/// What a destination does now.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Whether a batch is being put.
    pub(super) is_uploading: bool,
    /// The last success.
    pub(super) last_success: Option<SystemTime>,
    /// What is wrong, since the last success.
    pub(super) problem: Option<ProblemNow>,
}

/// What is wrong with a destination.
#[derive(Clone, Debug)]
pub(super) struct ProblemNow {
    /// The kind, in one word.
    pub(super) kind: &'static str,
    /// All of it.
    pub(super) text: String,
    /// Since when nothing has succeeded.
    pub(super) since: SystemTime,
    /// When the next attempt is made.
    pub(super) retry: Instant,
    /// Attempts that failed in a row.
    pub(super) failures: u64,
}

impl Progress {
    fn new(destination: Destination) -> Self {
        Self { destination, uploaded: Uploaded::default(), state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The board.
pub(super) struct Board {
    /// Where the configuration is.
    pub(super) config_path: PathBuf,
    /// The run, as text.
    pub(super) run: String,
    /// The host's id, as text.
    pub(super) host: String,
    pub(super) started: Instant,
    pub(super) spool_dir: PathBuf,
    pub(super) spool_max_bytes: u64,
    spool: Spool,
    /// All destinations together, also those that are gone.
    pub(super) total: Uploaded,
    /// How often people were asked who they are; `None` where logins do not ask.
    pub(super) verifications: Option<Verifications>,
    destinations: Mutex<Vec<Arc<Progress>>>,
    counters: Mutex<BTreeMap<&'static str, u64>>,
    has_lost: AtomicBool,
    news: Mutex<Option<News>>,
    has_news: AtomicBool,
    reloads: Mutex<Reloads>,
}

/// What a reload has changed for the main thread.
#[derive(Debug)]
pub(super) struct News {
    pub(super) limits: BatchLimits,
    pub(super) config_hash: String,
}

/// Reloads so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Reloads {
    /// How many.
    pub(super) count: u64,
    /// What was wrong with the last one.
    pub(super) problem: Option<String>,
}

impl Board {
    pub(super) fn new(config_path: &Path, config: &Config, run: &Run, spool: Spool) -> Self {
        let board = Self {
            config_path: config_path.to_owned(),
            run: uuid::Uuid::from_bytes(run.run_uuid).to_string(),
            host: uuid::Uuid::from_bytes(run.host.id.0).to_string(),
            started: Instant::now(),
            spool_dir: config.spool.dir.clone(),
            spool_max_bytes: config.spool.max_bytes,
            spool,
            total: Uploaded::default(),
            verifications: config.identity.enabled.then(Verifications::default),
            destinations: Mutex::default(),
            counters: Mutex::default(),
            has_lost: AtomicBool::new(false),
            news: Mutex::default(),
            has_news: AtomicBool::new(false),
            reloads: Mutex::default(),
        };
        board.set_destinations(&config.destinations);
        board
    }

    pub(super) fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Makes these the destinations; one whose name stays keeps its counts.
    pub(super) fn set_destinations(&self, wanted: &[Destination]) -> Vec<Arc<Progress>> {
        let mut destinations = lock(&self.destinations);
        let before = std::mem::take(&mut *destinations);
        *destinations = wanted
            .iter()
            .map(|destination| {
                let same = |old: &&Arc<Progress>| old.destination == *destination;
                before.iter().find(same).cloned().unwrap_or_else(|| {
                    let new = Progress::new(destination.clone());
                    let old = before.iter().find(|old| old.destination.name == destination.name);
                    if let Some(old) = old {
                        for (to, from) in new.uploaded.all().into_iter().zip(old.uploaded.all()) {
                            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
                        }
                    }
                    Arc::new(new)
                })
            })
            .collect();
        destinations.clone()
    }

    pub(super) fn destinations(&self) -> Vec<Arc<Progress>> {
        lock(&self.destinations).clone()
    }

    /// Events were lost; an AGENT event is to say so.
    pub(super) fn admit(&self) {
        self.has_lost.store(true, Ordering::Relaxed);
    }

    pub(super) fn take_admission(&self) -> bool {
        self.has_lost.load(Ordering::Relaxed) && self.has_lost.swap(false, Ordering::Relaxed)
    }

    /// Tells the main thread what a reload has changed.
    pub(super) fn reconfigure(&self, limits: BatchLimits, config_hash: String) {
        *lock(&self.news) = Some(News { limits, config_hash });
        self.has_news.store(true, Ordering::Release);
    }

    pub(super) fn take_news(&self) -> Option<News> {
        let has_news =
            self.has_news.load(Ordering::Relaxed) && self.has_news.swap(false, Ordering::Acquire);
        if has_news { lock(&self.news).take() } else { None }
    }

    pub(super) fn reloaded(&self, problem: Option<String>) {
        let mut reloads = lock(&self.reloads);
        reloads.count += 1;
        reloads.problem = problem;
    }

    pub(super) fn reloads(&self) -> Reloads {
        lock(&self.reloads).clone()
    }

    /// Takes note of the counters of the recording.
    pub(super) fn publish(&self, counters: BTreeMap<&'static str, u64>) {
        *lock(&self.counters) = counters;
    }

    /// The counters of the recording, as they were a second ago at most.
    pub(super) fn published(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.counters).clone()
    }

    /// What AGENT events tell about the spool and the uploads. Losses in the spool count since the
    /// spool was made, so that what a kill kept from being told is told by the next run.
    pub(super) fn counters(&self) -> [(&'static str, u64); 13] {
        let stats = self.spool.stats();
        let totals = stats.totals;
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("spool_bytes", stats.bytes),
            ("spool_segments", stats.segments),
            ("spool_dropped_records", totals.dropped.records),
            ("spool_rejected_records", totals.rejected_records),
            ("spool_missing_records", totals.missing.records),
            ("spool_damaged_records", totals.damaged_records),
            ("uploaded_objects", get(&self.total.objects)),
            ("uploaded_events", get(&self.total.events)),
            ("uploaded_bytes", get(&self.total.stored_bytes)),
            ("uploaded_plain_bytes", get(&self.total.plain_bytes)),
            ("upload_errors", get(&self.total.errors)),
            ("upload_refused_events", get(&self.total.refused_events)),
            ("config_reloads", lock(&self.reloads).count),
        ]
    }
}

impl Uploaded {
    fn all(&self) -> [&AtomicU64; 6] {
        let Self { objects, events, plain_bytes, stored_bytes, errors, refused_events } = self;
        [objects, events, plain_bytes, stored_bytes, errors, refused_events]
    }
}

/// Nothing is left half done under these locks, so a panic elsewhere does no harm.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
