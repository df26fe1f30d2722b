//! One destination: its batches in order, each until it is there, however often that takes.
//!
//! The next batch is compressed while one is on its way, so at most two compressed batches are in
//! memory.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use forebear_archive::{
    Access, Archive, Backoff, Environment, Error, Kind, Link, Next, Policy, Receipt,
};
use forebear_spool::SegmentId;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::board::{Board, ProblemNow, Progress, Uploaded};
use super::packing::{self, Prepared, Trouble};
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
    /// The batch that is next, if it was read already.
    prepared: Option<Prepared>,
    /// The batch after that, in the making.
    ahead: Option<JoinHandle<Result<Prepared, Trouble>>>,
}

/// Why a batch is not there yet.
enum Delay {
    /// The destination's trouble.
    Archive(Error),
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
        Self { progress, board, wakes, backoff, archive: None, prepared: None, ahead: None }
    }

    /// Works until the service ends and everything is there.
    pub(super) async fn run(mut self) {
        while let Some(id) = self.next().await {
            self.progress.state().is_uploading = true;
            let outcome = self.deliver(id).await;
            self.progress.state().is_uploading = false;
            match outcome {
                Ok(()) => self.succeeded(),
                Err(Delay::Gone) => {}
                Err(Delay::Never(reason, events)) => self.refuse(id, &reason, events).await,
                Err(Delay::Disk(reason)) => self.wait("disk", reason, AFTER_DISK).await,
                Err(Delay::Archive(error)) => self.failed(id, error).await,
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
        let archive = self.archive().await?;
        let note = self.board.spool().note(self.name()).unwrap_or_default();
        let previous = Link::from_bytes(&note);
        let prepared = self.prepare(id, &archive, previous).await?;
        let packed = prepared.packed.clone();
        let link = packed.as_ref().map(forebear_archive::Packed::link).or(previous);
        let (damaged, odd) = (prepared.damaged, prepared.odd);
        self.prepared = Some(prepared);
        let receipt = match &packed {
            None => None,
            Some(packed) => {
                self.look_ahead(id, &archive, packed.link());
                Some(archive.put_batch(packed).await.map_err(Delay::Archive)?)
            }
        };
        self.confirm(id, link).await?;
        self.prepared = None;
        if damaged + odd > 0 {
            self.board.admit();
        }
        self.count(|uploaded| {
            uploaded.refused_events.fetch_add(odd, Ordering::Relaxed);
            if let Some(receipt) = &receipt {
                add(uploaded, receipt);
            }
        });
        Ok(())
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
        let archive = opened.map_err(Delay::Archive)?;
        self.archive = Some(archive.clone());
        Ok(archive)
    }

    /// The batch, read and compressed; it may be so already.
    async fn prepare(
        &mut self,
        id: SegmentId,
        archive: &Archive,
        previous: Option<Link>,
    ) -> Result<Prepared, Delay> {
        let fits = |prepared: &Prepared| prepared.id == id && prepared.previous == previous;
        if let Some(prepared) = self.prepared.take().filter(fits) {
            return Ok(prepared);
        }
        if let Some(ahead) = self.ahead.take()
            && let Ok(Ok(prepared)) = ahead.await
            && fits(&prepared)
        {
            return Ok(prepared);
        }
        let done = self.pack(id, archive, previous).await;
        match done.map_err(|error| Delay::Disk(error.to_string()))? {
            Ok(prepared) => Ok(prepared),
            Err(Trouble::Gone) => Err(Delay::Gone),
            Err(Trouble::Spool(reason)) => Err(Delay::Disk(reason)),
            Err(Trouble::Never { reason, records }) => Err(Delay::Never(reason, records)),
        }
    }

    fn pack(
        &self,
        id: SegmentId,
        archive: &Archive,
        previous: Option<Link>,
    ) -> JoinHandle<Result<Prepared, Trouble>> {
        let (spool, compression) = (self.board.spool().clone(), archive.compression());
        spawn_blocking(move || packing::pack(&spool, id, compression, previous))
    }

    /// Begins to compress the batch after this one, if there is one already.
    fn look_ahead(&mut self, id: SegmentId, archive: &Archive, link: Link) {
        if self.ahead.is_none() {
            self.ahead = Some(self.pack(SegmentId(id.0 + 1), archive, Some(link)));
        }
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
        let mut state = self.progress.state();
        state.last_success = Some(SystemTime::now());
        if let Some(problem) = state.problem.take() {
            let name = &self.progress.destination.name;
            say(format_args!("{name}: works again after {} failures", problem.failures));
        }
    }

    async fn failed(&mut self, id: SegmentId, error: Error) {
        if matches!(error.kind(), Kind::Credentials | Kind::Permission | Kind::Configuration) {
            // Somebody may have corrected a file meanwhile.
            self.archive = None;
        }
        match self.backoff.after(&error) {
            Next::In(time) => self.wait(error.kind().word(), error.to_string(), time).await,
            Next::Never => {
                let records = self.prepared.take().map_or(0, |prepared| prepared.records);
                self.refuse(id, &error.to_string(), records).await;
            }
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
