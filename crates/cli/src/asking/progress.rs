//! How far a scan is, on standard error, when that is a terminal.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use forebear_engine::Report;

use crate::printer;

/// How often it is shown.
pub(super) const EVERY: Duration = Duration::from_millis(200);

/// The line of progress.
pub(super) struct Progress {
    begun: Instant,
    is_shown: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self { begun: Instant::now(), is_shown: false }
    }
}

impl Progress {
    pub(super) fn show(&mut self, report: &Report) {
        let seconds = self.begun.elapsed().as_secs_f64();
        if seconds < EVERY.as_secs_f64() || !std::io::stderr().is_terminal() {
            return;
        }
        self.is_shown = true;
        let Report { done, to_read, stored_bytes, bytes_to_read, lines, matched, .. } = report;
        let mib = |bytes: u64| bytes >> 20;
        let rate = report.plain_bytes as f64 / seconds / f64::from(1 << 20);
        printer::progress(format_args!(
            "{done} of {to_read} pieces, {} of {} MiB, {lines} lines, {matched} taken, {rate:.0} MiB/s",
            mib(*stored_bytes),
            mib(*bytes_to_read)
        ));
    }

    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            printer::progress(format_args!(""));
        }
    }
}
