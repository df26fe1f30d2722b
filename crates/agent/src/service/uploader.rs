//! One destination: its batches in order, each until it is there, however often that takes.
//!
//! Objects are put ahead, several at a time ([`Feed`]); manifests and confirmations come one after
//! the other, each batch's after those of the batch before it. After trouble the next attempt is
//! with one batch, and only when that is there are several put at a time again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use forebear_archive::{
    Access, Archive, Backoff, Environment, Error, Kind, Link, Next, Policy, Receipt,
};
use forebear_spool::SegmentId;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::board::{Board, ProblemNow, Progress, Uploaded};
use super::feed::{Ahead, Batch, Failure, Feed};
use super::packing::Trouble;
use crate::talk::say;

/// The wait after trouble with the own disk.
const AFTER_DISK: Duration = Duration::from_secs(2);

/// What ends a wait early.
pub(super) struct Wakes {
    /// A batch was closed.
    pub(super) sealed: watch::Receiver<()>,
    /// The service is about to end.
    pub(super) ending: watch::Receiver<bool>,
}

/// The task of one destination.
pub(super) struct Uploader {
    progress: Arc<Progress>,
    board: Arc<Board>,
    wakes: Wakes,
    backoff: Backoff,
    archive: Option<Archive>,
    /// The batches on their way.
    feed: Option<Feed>,
    ahead: Ahead,
}

/// Why a batch is not there yet.
enum Delay {
    /// The destination's trouble with a batch of this many events.
    Archive(Error, u64),
    /// The own disk's trouble.
    Disk(String),
    /// It is never going to be there: the reason, and the events in it.
    Never(String, u64),
    /// It is gone; the next one is to be asked for.
    Gone,
}

impl Uploader {
    pub(super) fn new(progress: Arc<Progress>, board: Arc<Board>, wakes: Wakes) -> Self {
        // Any number that differs between destinations and machines.
        let seed = uuid::Uuid::new_v4().as_u64_pair().0;
        let backoff = Backoff::new(Policy::default(), seed);
        Self { progress, board, wakes, backoff, archive: None, feed: None, ahead: Ahead::Not }
    }

    /// Works until the service ends and everything is there.
    pub(super) async fn run(mut self) {
        while let Some(id) = self.next().await {
            self.progress.state().is_uploading = true;
            let outcome = self.deliver(id).await;
            self.progress.state().is_uploading = false;
            if outcome.is_err() {
                self.feed = None;
                self.ahead = Ahead::Not;
            }
            match outcome {
                Ok(()) => self.succeeded(),
                Err(Delay::Gone) => {}
                Err(Delay::Never(reason, events)) => self.refuse(id, &reason, events).await,
                Err(Delay::Disk(reason)) => self.wait("disk", reason, AFTER_DISK).await,
                Err(Delay::Archive(error, events)) => self.failed(id, error, events).await,
            }
        }
    }

    /// The next batch, waited for. `None`: the service ends, and there is none.
    async fn next(&mut self) -> Option<SegmentId> {
        loop {
            self.wakes.sealed.borrow_and_update();
            let is_ending = *self.wakes.ending.borrow_and_update();
            let next = self.board.spool().next_for(self.name());
            if next.is_some() || is_ending {
                return next;
            }
            tokio::select! {
                sealed = self.wakes.sealed.changed() => sealed.ok()?,
                ending = self.wakes.ending.changed() => ending.ok()?,
            }
        }
    }

    fn name(&self) -> &str {
        &self.progress.destination.name
    }

    async fn deliver(&mut self, id: SegmentId) -> Result<(), Delay> {
        let mut batch = self.batch(id).await?;
        let events = batch.prepared.records;
        let placed = batch.placed().await.map_err(|failure| match failure {
            Failure::Destination(error) => Delay::Archive(error, events),
            Failure::Program(text) => Delay::Disk(text),
        })?;
        if self.board.spool().next_for(self.name()) != Some(id) {
            // It was dropped to make room and admitted; those after it belong to another batch.
            return Err(Delay::Gone);
        }
        let receipt = match placed {
            None => None,
            Some(placed) => {
                let archive = self.archive().await?;
                let put = archive.put_manifest(placed).await;
                Some(put.map_err(|error| Delay::Archive(error, events))?)
            }
        };
        let prepared = &batch.prepared;
        let link = prepared.packed.as_ref().map(forebear_archive::Packed::link);
        self.confirm(id, link.or(prepared.previous)).await?;
        if prepared.damaged + prepared.odd > 0 {
            self.board.admit();
        }
        self.count(|uploaded| {
            uploaded.refused_events.fetch_add(prepared.odd, Ordering::Relaxed);
            if let Some(receipt) = &receipt {
                add(uploaded, receipt);
            }
        });
        Ok(())
    }

    /// The batch, which may be on its way already.
    async fn batch(&mut self, id: SegmentId) -> Result<Batch, Delay> {
        let archive = self.archive().await?;
        loop {
            let mut feed = match self.feed.take() {
                Some(feed) => feed,
                None => {
                    let spool = self.board.spool().clone();
                    let previous = Link::from_bytes(&spool.note(self.name()).unwrap_or_default());
                    Feed::start(spool, archive.clone(), id, previous, self.ahead)
                }
            };
            match feed.next().await {
                Some(Ok(batch)) if batch.prepared.id == id => {
                    self.feed = Some(feed);
                    return Ok(batch);
                }
                // It was about batches that are gone, or is at its end: a new one begins here.
                Some(Ok(_)) | None => {}
                Some(Err(Trouble::Gone)) => return Err(Delay::Gone),
                Some(Err(Trouble::Spool(reason))) => return Err(Delay::Disk(reason)),
                Some(Err(Trouble::Never { reason, records })) => {
                    return Err(Delay::Never(reason, records));
                }
            }
        }
    }

    /// The place, opened, with credentials as they are now.
    async fn archive(&mut self) -> Result<Archive, Delay> {
        if let Some(archive) = &self.archive {
            return Ok(archive.clone());
        }
        let destination = self.progress.destination.clone();
        // Files of credentials are read, and a folder is looked at.
        let open = move || Archive::open(&destination, &Environment::of_process(), Access::Write);
        let opened = spawn_blocking(open).await.map_err(|error| Delay::Disk(error.to_string()))?;
        let archive = opened.map_err(|error| Delay::Archive(error, 0))?;
        self.archive = Some(archive.clone());
        Ok(archive)
    }

    async fn confirm(&self, id: SegmentId, link: Option<Link>) -> Result<(), Delay> {
        let (spool, name) = (self.board.spool().clone(), self.name().to_owned());
        let note = link.map(|link| link.to_bytes().to_vec()).unwrap_or_default();
        let confirmed = spawn_blocking(move || spool.confirm(&name, id, &note)).await;
        let disk = |reason: String| Delay::Disk(reason);
        confirmed.map_err(|error| disk(error.to_string()))?.map_err(|error| disk(error.to_string()))
    }

    fn count(&self, count: impl Fn(&Uploaded)) {
        count(&self.progress.uploaded);
        count(&self.board.total);
    }

    fn succeeded(&mut self) {
        self.backoff.reset();
        self.ahead = Ahead::AtOnce;
        let mut state = self.progress.state();
        state.last_success = Some(SystemTime::now());
        if let Some(problem) = state.problem.take() {
            let name = &self.progress.destination.name;
            say(format_args!("{name}: works again after {} failures", problem.failures));
        }
    }

    async fn failed(&mut self, id: SegmentId, error: Error, events: u64) {
        if matches!(error.kind(), Kind::Credentials | Kind::Permission | Kind::Configuration) {
            // Somebody may have corrected a file meanwhile.
            self.archive = None;
        }
        match self.backoff.after(&error) {
            Next::In(time) => self.wait(error.kind().word(), error.to_string(), time).await,
            Next::Never => self.refuse(id, &error.to_string(), events).await,
        }
    }

    /// Notes what is wrong and lets the time pass, or less when the service ends.
    async fn wait(&mut self, kind: &'static str, text: String, time: Duration) {
        self.count(|uploaded| {
            uploaded.errors.fetch_add(1, Ordering::Relaxed);
        });
        {
            let mut state = self.progress.state();
            let before = state.problem.take();
            // Said when it begins and when it becomes another one; status has all of it.
            if before.as_ref().is_none_or(|before| before.kind != kind) {
                say(format_args!("{}: {text}", self.progress.destination.name));
            }
            state.problem = Some(ProblemNow {
                kind,
                text,
                since: before.as_ref().map_or_else(SystemTime::now, |before| before.since),
                retry: Instant::now() + time,
                failures: before.map_or(0, |before| before.failures) + 1,
            });
        }
        let was_ending = *self.wakes.ending.borrow();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = self.wakes.ending.changed(), if !was_ending => self.backoff.reset(),
        }
    }

    /// Gives up a batch that can never be there, aloud, so that those behind it come through.
    async fn refuse(&mut self, id: SegmentId, reason: &str, events: u64) {
        let name = self.name();
        say(format_args!("{name}: batch {id} with {events} events is given up: {reason}"));
        let note = self.board.spool().note(self.name()).unwrap_or_default();
        match self.confirm(id, Link::from_bytes(&note)).await {
            Ok(()) => {
                self.count(|uploaded| {
                    uploaded.refused_events.fetch_add(events, Ordering::Relaxed);
                });
                self.board.admit();
            }
            Err(Delay::Disk(reason)) => self.wait("disk", reason, AFTER_DISK).await,
            Err(_) => {}
        }
    }
}

fn add(uploaded: &Uploaded, receipt: &Receipt) {
    uploaded.objects.fetch_add(1, Ordering::Relaxed);
    uploaded.events.fetch_add(receipt.events, Ordering::Relaxed);
    uploaded.plain_bytes.fetch_add(receipt.plain_bytes, Ordering::Relaxed);
    uploaded.stored_bytes.fetch_add(receipt.stored_bytes, Ordering::Relaxed);
}
