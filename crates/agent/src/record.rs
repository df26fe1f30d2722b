//! `record`: attach, snapshot, ready; then the loop, on one thread.
//!
//! The order of the stream: the AGENT event of the start, the BACKFILL events, then everything
//! else as the kernel saw it. Attaching comes before the snapshot, so nothing that starts meanwhile
//! is missed; the model merges the two.

use anyhow::Result;

use crate::attached::{self, Attached};
use crate::exit::Exit;
use crate::options::RecordOptions;
use crate::output::Output;
use crate::recording::{Recording, Stream as _, Timing};
use crate::signals::Stop;
use crate::talk::say;
use crate::trace::TraceFile;

/// Runs `record` until it is asked to end.
///
/// # Errors
/// A [`Failure`](crate::failure::Failure) for what a person can mend, anything else for what nobody expected.
pub fn run(options: &RecordOptions) -> Result<Exit> {
    let stop = Stop::on_signals()?;
    let began = forebear_sensor::clock_pair();
    let output = Output::open(&options.target)?;
    let mut trace = options.trace.as_deref().map(TraceFile::create).transpose()?;
    let attached = Attached::new(&options.settings)?;
    if let Some(trace) = &mut trace {
        trace.begin(&attached.run, &options.config_hash());
    }
    let needed = attached.needed;
    let (live, mut pipeline) = attached.into_parts(options.format, options.config_hash());
    if !options.backfill {
        pipeline.without_backfill();
    }
    if let Some(filter) = &options.filter {
        pipeline.filter(filter.query.clone());
    }

    let mut recording =
        Recording::new(live, Box::new(forebear_sensor::clock_pair), pipeline, output, trace);
    recording.start()?;
    attached::give_up_privileges(needed)?;
    recording.output().push();

    let now = forebear_sensor::clock_pair();
    say(format_args!(
        "ready: recording {} processes, ebpf, {} ms",
        recording.living(),
        now.boot.0.saturating_sub(began.boot.0) / 1_000_000
    ));
    // Only a service manager listens; without one, or if it does not hear, recording goes on.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let timing = Timing {
        max_delay: options.settings.max_delay,
        duration: options.duration,
        status_interval: options.settings.status_interval,
    };
    recording.until(&stop, timing)?;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    recording.finish()
}
