//! `record`: attach, snapshot, ready; then the loop, on one thread.
//!
//! The order of the stream: the AGENT event of the start, the BACKFILL events, then everything
//! else as the kernel saw it. Attaching comes before the snapshot, so nothing that starts meanwhile
//! is missed; the model merges the two.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use forebear_events::{Mode, Reason, Recorder, SensorDetails, SensorKind};
use forebear_model::{ClockPair, Model, Observation};
use forebear_sensor::{Live, LiveOptions};

use crate::args::ModeArg;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::names::NssNames;
use crate::options::RecordOptions;
use crate::output::Output;
use crate::pipeline::Pipeline;
use crate::privileges;
use crate::run;
use crate::signals::Stop;
use crate::source::Source;
use crate::talk::say;
use crate::trace::TraceFile;

use self::pace::{LossPace, StatusPace, has_passed};

mod pace;
#[cfg(test)]
mod tests;

/// How long a stuck reader is waited for when the program has to end.
const GRACE: Duration = Duration::from_secs(2);

/// How many of a snapshot's problems are said; they tend to be of one kind.
const PROBLEMS_SAID: usize = 5;

/// What mode control lacks in this version.
const NO_BUILTINS: &str = "mode control: shell builtins are not recorded by this version";

/// Runs `record` until it is asked to end.
///
/// # Errors
/// A [`Failure`] for what a person can mend, anything else for what nobody expected.
pub fn run(options: &RecordOptions) -> Result<Exit> {
    let stop = Stop::on_signals()?;
    let began = forebear_sensor::clock_pair();
    let output = Output::open(&options.target)?;
    let machine = run::machine()?;
    let mut trace = options.trace.as_deref().map(TraceFile::create).transpose()?;
    let live = attach(options)?;

    let description = live.description();
    let mut degraded = description.degraded;
    if options.mode == ModeArg::Control {
        degraded.push(NO_BUILTINS.to_owned());
    }
    for sentence in &degraded {
        say(format_args!("degraded: {sentence}"));
    }
    let has_iterator = description.hooks.iter().any(|hook| hook.starts_with("iter"));
    let sensor =
        SensorDetails { hooks: description.hooks, features: description.features, degraded };

    let model = Model::new(machine.host_id, machine.boot_id);
    let details = run::details(machine, mode(options.mode), SensorKind::Ebpf, &options.labels);
    if let Some(trace) = &mut trace {
        trace.begin(&details, &options.config_hash());
    }
    let recorder = Recorder::new(details, Box::new(NssNames::new()));
    let mut pipeline = Pipeline::new(model, recorder, options.format);
    pipeline.describe(options.config_hash(), sensor);
    if !options.backfill {
        pipeline.without_backfill();
    }

    let mut recording =
        Recording::new(live, Box::new(forebear_sensor::clock_pair), pipeline, output, trace);
    recording.start()?;
    privileges::drop_except(privileges::needed_after_attach(has_iterator))
        .context("giving up privileges that are not needed any more")?;
    privileges::hide_memory()?;
    recording.output.push();

    let now = forebear_sensor::clock_pair();
    say(format_args!(
        "ready: recording {} processes, ebpf, {} ms",
        recording.pipeline.living(),
        now.boot.0.saturating_sub(began.boot.0) / 1_000_000
    ));
    // Only a service manager listens; without one, or if it does not hear, recording goes on.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let timing = Timing {
        max_delay: options.max_delay,
        duration: options.duration,
        status_interval: options.status_interval,
    };
    recording.until(&stop, timing)?;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    recording.finish()
}

fn attach(options: &RecordOptions) -> Result<Live> {
    let live = LiveOptions {
        buffer_bytes: options.buffer_bytes,
        max_argv: options.max_argv,
        max_delay: options.max_delay,
    };
    Live::attach(&live).map_err(|error| {
        let (what, remedy) = match &error {
            forebear_sensor::Error::Requirement(need) => (
                format!("cannot record: {}: {}", need.name, need.outcome.detail()),
                format!("why: {}\n  do:  {}", need.why, need.remedy.replace('\n', "\n       ")),
            ),
            // The loader's own words are in the sources.
            other => (
                format!("cannot record: {}", failure::chain(other)),
                "`forebear-agent doctor` lists everything that recording needs".to_owned(),
            ),
        };
        Failure::environment(what).remedy(remedy).into()
    })
}

fn mode(arg: ModeArg) -> Mode {
    match arg {
        ModeArg::Audit => Mode::Audit,
        ModeArg::Control => Mode::Control,
    }
}

/// The loop's times.
#[derive(Clone, Copy, Debug)]
struct Timing {
    max_delay: Duration,
    duration: Option<Duration>,
    status_interval: Option<Duration>,
}

/// A recording that goes on.
struct Recording<S> {
    source: S,
    /// Reads both clocks.
    clock: Box<dyn Fn() -> ClockPair>,
    pipeline: Pipeline,
    output: Output,
    trace: Option<TraceFile>,
    losses: LossPace,
}

impl<S: Source> Recording<S> {
    fn new(
        source: S,
        clock: Box<dyn Fn() -> ClockPair>,
        pipeline: Pipeline,
        output: Output,
        trace: Option<TraceFile>,
    ) -> Self {
        Self { source, clock, pipeline, output, trace, losses: LossPace::new() }
    }

    /// Writes the first AGENT event and what was already running.
    fn start(&mut self) -> Result<()> {
        self.observe_clock();
        self.report(Reason::Start);
        // Nothing that has happened since attaching is looked at before this, so that everybody
        // is told of before the first event that refers to them.
        let problems = self.look()?;
        self.take(&Observation::SnapshotEnd);
        for problem in problems.iter().take(PROBLEMS_SAID) {
            say(format_args!("snapshot: {problem}"));
        }
        if problems.len() > PROBLEMS_SAID {
            say(format_args!("snapshot: and {} more", problems.len() - PROBLEMS_SAID));
        }
        Ok(())
    }

    /// The loop: until somebody asks, the time is over or nobody reads any more.
    fn until(&mut self, stop: &Stop, timing: Timing) -> Result<()> {
        let began = (self.clock)().boot;
        let mut status = StatusPace::new(timing.status_interval, began);
        while !stop.is_asked() && !self.output.has_ended() {
            let now = (self.clock)().boot;
            if timing.duration.is_some_and(|duration| has_passed(began, duration, now)) {
                break;
            }
            if self.output.is_settled() {
                self.drain(timing.max_delay)?;
                if self.losses.is_time_to_tell(now) {
                    self.report(Reason::Lost);
                }
                if self.losses.is_time_to_resync(now) {
                    self.resync()?;
                }
                if status.is_time(now) {
                    self.report(Reason::Status);
                }
            } else {
                // Nothing more is consumed: the kernel's buffer holds what happens meanwhile, and
                // counts what does not fit.
                self.output.wait(timing.max_delay);
            }
            self.output.push();
            self.output.look_for_reader();
        }
        Ok(())
    }

    /// Writes what has happened until now, the last AGENT event, and the rest of the output.
    fn finish(mut self) -> Result<Exit> {
        if !self.output.has_ended() {
            self.drain(Duration::ZERO)?;
            self.report(Reason::Stop);
        }
        if let Some(trace) = self.trace {
            trace.finish();
        }
        let deadline = Instant::now() + GRACE;
        self.output.conclude(&mut || Instant::now() < deadline)
    }

    /// Takes in everything that is there, waiting for something for `timeout` at most.
    ///
    /// The clocks are read after the wait and before the first record: their pair gives the
    /// records their wall time, and the wall clock may have been stepped during the wait.
    fn drain(&mut self, timeout: Duration) -> Result<()> {
        let Self { source, clock, pipeline, output, trace, losses } = self;
        let mut is_first = true;
        source.drain(timeout, &mut |observation| {
            if std::mem::take(&mut is_first) {
                take(&Observation::Clock(clock()), pipeline, trace, output);
            }
            if matches!(observation, Observation::Lost(_)) {
                losses.lost();
            }
            take(observation, pipeline, trace, output);
        })?;
        Ok(())
    }

    /// Looks at what runs; processes that were not known become BACKFILL events. Returns the
    /// problems.
    fn resync(&mut self) -> Result<Vec<String>> {
        self.drain(Duration::ZERO)?;
        self.observe_clock();
        let problems = self.look()?;
        // What happened while the snapshot was taken is in the kernel's buffer.
        self.drain(Duration::ZERO)?;
        self.take(&Observation::SnapshotEnd);
        Ok(problems)
    }

    /// Hands a snapshot over, all but its end. Returns its problems.
    fn look(&mut self) -> Result<Vec<String>> {
        let Self { source, pipeline, output, trace, .. } = self;
        let report =
            source.snapshot(&mut |observation| take(observation, pipeline, trace, output))?;
        Ok(report.problems)
    }

    fn take(&mut self, observation: &Observation<'_>) {
        let Self { pipeline, output, trace, .. } = self;
        take(observation, pipeline, trace, output);
    }

    fn observe_clock(&mut self) {
        let pair = (self.clock)();
        self.take(&Observation::Clock(pair));
    }

    fn report(&mut self, reason: Reason) {
        let now = (self.clock)();
        let counters = self.source.counters();
        self.pipeline.report(reason, now, &counters, &mut self.output);
    }
}

/// One observation into the pipeline and into the trace.
fn take(
    observation: &Observation<'_>,
    pipeline: &mut Pipeline,
    trace: &mut Option<TraceFile>,
    output: &mut Output,
) {
    pipeline.observe(observation, output);
    if let Some(file) = trace
        && !file.write(observation)
    {
        *trace = None;
    }
}
