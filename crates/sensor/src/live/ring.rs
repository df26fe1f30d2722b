//! Taking records out of the ring buffer.
//!
//! Records are copied out in batches and given on afterwards. The copy costs little (a record
//! is some 700 bytes and in the cache already) and buys much: the kernel gets its room back
//! before anything slow happens, and no code of ours runs inside the C library's callback.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libbpf_rs::{MapHandle, RingBuffer, RingBufferBuilder};
use rustix::event::{Timespec, epoll};
use rustix::fd::{AsFd, OwnedFd};

use crate::Error;

/// Few enough to stay in the cache, many enough that a batch costs nothing.
const BATCH_RECORDS: usize = 256;

/// Records one after another.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// The reader's end of the ring buffer.
pub(super) struct Ring {
    ring: RingBuffer<'static>,
    incoming: Arc<Mutex<Batch>>,
    batch: Batch,
    wakeups: OwnedFd,
    capacity: u64,
    /// Keeps the descriptor that `wakeups` watches.
    _map: MapHandle,
}

impl Ring {
    pub(super) fn new(map: MapHandle, capacity: u64) -> Result<Self, Error> {
        let failed = |source| Error::Bpf {
            operation: "open",
            subject: "the ring buffer".to_owned(),
            source,
        };
        let system = |error: rustix::io::Errno| {
            failed(libbpf_rs::Error::from_raw_os_error(error.raw_os_error()))
        };
        let incoming = Arc::new(Mutex::new(Batch::default()));
        let writer = Arc::clone(&incoming);
        let mut builder = RingBufferBuilder::new();
        builder
            .add(&map, move |record| {
                let mut batch = writer.lock().unwrap_or_else(PoisonError::into_inner);
                batch.bytes.extend_from_slice(record);
                let end = batch.bytes.len();
                batch.ends.push(end);
                0
            })
            .map_err(failed)?;
        let ring = builder.build().map_err(failed)?;
        let wakeups = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(system)?;
        // Edge-triggered: the wait ends when the kernel's programs wake it, not because some
        // records are there.
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(&wakeups, map.as_fd(), epoll::EventData::new_u64(0), flags).map_err(system)?;
        Ok(Self { ring, incoming, batch: Batch::default(), wakeups, capacity, _map: map })
    }

    /// Waits until the programs wake the reader, at most that long.
    pub(super) fn wait(&self, timeout: Duration) -> Result<(), Error> {
        let timeout = Timespec::try_from(timeout).ok();
        let mut events = Vec::with_capacity(1);
        let result = epoll::wait(
            &self.wakeups,
            rustix::buffer::spare_capacity(&mut events),
            timeout.as_ref(),
        );
        match result {
            // A signal: whoever gave it wants to be looked after.
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(Error::Bpf {
                operation: "wait for",
                subject: "the ring buffer".to_owned(),
                source: libbpf_rs::Error::from_raw_os_error(error.raw_os_error()),
            }),
        }
    }

    /// Gives on every record that is there, at most about the buffer's capacity, so that a
    /// machine that is faster than the reader cannot keep it in here for ever.
    pub(super) fn take(&mut self, record: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let mut taken = 0;
        while taken < self.capacity {
            let count = self.ring.consume_raw_n(BATCH_RECORDS);
            {
                let mut incoming = self.incoming.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut *incoming, &mut self.batch);
            }
            let mut start = 0;
            for end in self.batch.ends.drain(..) {
                record(self.batch.bytes.get(start..end).unwrap_or_default());
                start = end;
            }
            taken += self.batch.bytes.len() as u64;
            self.batch.bytes.clear();
            match usize::try_from(count) {
                Ok(count) if count >= BATCH_RECORDS => {}
                Ok(_) => break,
                Err(_) => {
                    return Err(Error::Bpf {
                        operation: "read",
                        subject: "the ring buffer".to_owned(),
                        source: libbpf_rs::Error::from_raw_os_error(count.saturating_neg()),
                    });
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
