//! The service manager: told how it goes, where there is one (sd_notify(3)).

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The watchdog of the main thread.
#[derive(Debug)]
pub(super) struct Notify {
    every: Option<Duration>,
    last: Instant,
}

impl Notify {
    pub(super) fn new() -> Self {
        // sd_watchdog_enabled(3): half of the time is recommended; a third survives a slow round.
        Self { every: sd_notify::watchdog_enabled().map(|limit| limit / 3), last: Instant::now() }
    }

    /// Tells that the main thread is alive, when it is time.
    pub(super) fn attend(&mut self) {
        if self.every.is_some_and(|every| self.last.elapsed() >= every) {
            self.last = Instant::now();
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }

    /// Tells that a reload begins.
    pub(super) fn reloading() {
        let now = NotifyState::monotonic_usec_now();
        let _ = match now {
            Ok(now) => sd_notify::notify(&[NotifyState::Reloading, now]),
            Err(_) => sd_notify::notify(&[NotifyState::Reloading]),
        };
    }

    /// Tells that a reload is over.
    pub(super) fn reloaded() {
        let _ = sd_notify::notify(&[NotifyState::Ready]);
    }
}
