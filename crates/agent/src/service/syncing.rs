//! The thread that makes durable what was appended: at most a second of events can be lost to a
//! power cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use forebear_spool::Spool;

use crate::privileges;
use crate::talk::say;

/// The pause between two syncs; with the time that one takes, less than a second as a rule.
const EVERY: Duration = Duration::from_millis(800);

/// The thread.
#[derive(Debug)]
pub(super) struct Syncing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Syncing {
    pub(super) fn start(spool: Spool) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        let work = move || {
            if let Err(error) = privileges::drop_all() {
                say(format_args!("sync: giving up privileges: {error:#}"));
            }
            let mut is_failing = false;
            loop {
                let is_last = is_over.load(Ordering::Relaxed);
                sync(&spool, &mut is_failing);
                if is_last {
                    return;
                }
                std::thread::park_timeout(EVERY);
            }
        };
        let named = std::thread::Builder::new().name("sync".to_owned());
        let thread = named.spawn(work).context("starting the thread that syncs the spool")?;
        Ok(Self { stop, thread })
    }

    /// Syncs a last time.
    pub(super) fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        // It has said what went wrong, if so.
        let _ = self.thread.join();
    }
}

/// Says a failure once, and that it is over.
fn sync(spool: &Spool, is_failing: &mut bool) {
    match spool.sync() {
        Ok(()) if *is_failing => {
            *is_failing = false;
            say(format_args!("spool: syncing works again"));
        }
        Ok(()) => {}
        Err(error) => {
            if !*is_failing {
                say(format_args!("{error}; a power cut now would lose what is not synced"));
            }
            *is_failing = true;
        }
    }
}
