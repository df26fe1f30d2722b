//! The batches of one destination on their way: read, compressed, and their objects put, ahead of the
//! one whose turn it is.
//!
//! What makes a batch part of the chain, its manifest and its confirmation, is not done here but by
//! the uploader, one after the other. So a crash or an error leaves at most [`AT_ONCE`] objects
//! without a manifest; the next attempt makes the same objects again, finds them there, and goes on.
//!
//! Bounded: [`AT_ONCE`] batches at a time, and [`MAX_WAITING`] bytes of them beside the one that was
//! made last. Whoever drops a feed breaks its requests off.

use std::sync::Arc;

use forebear_archive::{AT_ONCE, Archive, Error, Link, Placed};
use forebear_spool::{SegmentId, Spool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio_util::task::AbortOnDropHandle;

use super::packing::{self, Prepared, Trouble};

/// Compressed bytes that may be on their way at a time.
const MAX_WAITING: usize = 16 << 20;

/// How far ahead a feed works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// One batch and no more: nobody knows whether the destination works.
    Not,
    /// [`AT_ONCE`] batches at a time, until no sealed one is left.
    AtOnce,
}

/// A batch on its way.
pub(super) struct Batch {
    pub(super) prepared: Prepared,
    object: Option<AbortOnDropHandle<Result<Placed, Error>>>,
    _slot: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl Batch {
    /// Waits until its object is there. `None`: there is nothing to put.
    pub(super) async fn placed(&mut self) -> Result<Option<Placed>, Failure> {
        let Some(object) = self.object.take() else { return Ok(None) };
        let placed = object.await.map_err(|error| Failure::Program(error.to_string()))?;
        placed.map(Some).map_err(Failure::Destination)
    }
}

/// Why an object is not there.
#[derive(Debug)]
pub(super) enum Failure {
    /// The destination's trouble.
    Destination(Error),
    /// A mistake in this program.
    Program(String),
}

/// The batches in order.
pub(super) struct Feed {
    batches: mpsc::Receiver<Result<Batch, Trouble>>,
    _feeder: AbortOnDropHandle<()>,
}

impl Feed {
    /// Begins with this batch, which comes after `previous` at the destination.
    pub(super) fn start(
        spool: Spool,
        archive: Archive,
        first: SegmentId,
        previous: Option<Link>,
        ahead: Ahead,
    ) -> Self {
        let (out, batches) = mpsc::channel(AT_ONCE);
        let feeder = Feeder { spool, archive, out };
        let feeder = AbortOnDropHandle::new(tokio::spawn(feeder.feed(first, previous, ahead)));
        Self { batches, _feeder: feeder }
    }

    /// The next batch. `None` if there is none; after trouble, too.
    pub(super) async fn next(&mut self) -> Option<Result<Batch, Trouble>> {
        self.batches.recv().await
    }
}

struct Feeder {
    spool: Spool,
    archive: Archive,
    out: mpsc::Sender<Result<Batch, Trouble>>,
}

impl Feeder {
    async fn feed(self, first: SegmentId, mut previous: Option<Link>, ahead: Ahead) {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let bytes = Arc::new(Semaphore::new(MAX_WAITING));
        let mut next = Some(first);
        while let Some(id) = next {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let batch = match self.prepare(id, previous).await {
                Ok(prepared) => {
                    let size = prepared.packed.as_ref().map_or(0, |packed| packed.body().len());
                    // A larger one than may wait goes alone.
                    let size = u32::try_from(size.min(MAX_WAITING)).unwrap_or(u32::MAX);
                    let Ok(bytes) = Arc::clone(&bytes).acquire_many_owned(size).await else {
                        return;
                    };
                    previous =
                        prepared.packed.as_ref().map(forebear_archive::Packed::link).or(previous);
                    Ok(self.begin(prepared, slot, bytes))
                }
                Err(trouble) => Err(trouble),
            };
            let is_over = batch.is_err() || ahead == Ahead::Not;
            if self.out.send(batch).await.is_err() || is_over {
                return;
            }
            next = self.spool.sealed_after(id);
        }
    }

    async fn prepare(&self, id: SegmentId, previous: Option<Link>) -> Result<Prepared, Trouble> {
        let (spool, compression) = (self.spool.clone(), self.archive.compression());
        spawn_blocking(move || packing::pack(&spool, id, compression, previous))
            .await
            .unwrap_or_else(|error| Err(Trouble::Spool(error.to_string())))
    }

    fn begin(
        &self,
        prepared: Prepared,
        slot: OwnedSemaphorePermit,
        bytes: OwnedSemaphorePermit,
    ) -> Batch {
        let object = prepared.packed.clone().map(|packed| {
            let archive = self.archive.clone();
            AbortOnDropHandle::new(tokio::spawn(async move { archive.put_object(&packed).await }))
        });
        Batch { prepared, object, _slot: slot, _bytes: bytes }
    }
}
