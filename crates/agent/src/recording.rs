//! The loop that both `record` and `run` are: observations into the pipeline, lines into a stream,
//! on one thread.
//!
//! Deliberately not here: where lines go. A [`Stream`] takes them, and says when to go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use forebear_events::Reason;
use forebear_model::observation::Revoked;
use forebear_model::{ClockPair, Observation, VerificationOutcome};

use crate::exit::Exit;
use crate::pipeline::{Lines, Pipeline};
use crate::signals::Stop;
use crate::source::Source;
use crate::talk::say;
use crate::trace::TraceFile;
use crate::verdict::{Ending, Verdict};

use self::pace::{LossPace, StatusPace, has_passed};

mod pace;
#[cfg(test)]
mod tests;

/// How long a stuck reader is waited for when the program has to end.
const GRACE: Duration = Duration::from_secs(2);

/// How many of a snapshot's problems are said; they tend to be of one kind.
const PROBLEMS_SAID: usize = 5;

/// How often a stream that wants it learns the counters.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// Where the lines of a recording go.
pub trait Stream: Lines {
    /// Writes what can be written now; the rest stays.
    fn push(&mut self);

    /// Whether more may be taken in. If not, the kernel's buffer holds what happens meanwhile.
    fn is_settled(&self) -> bool {
        true
    }

    /// Whether nothing more can ever be written, so that the recording ends.
    fn has_ended(&self) -> bool {
        false
    }

    /// Waits until more can be written, but not longer than `timeout`.
    fn wait(&self, _timeout: Duration) {}

    /// What the stream has to do from time to time. Called after every round of the loop.
    fn attend(&mut self) {}

    /// Adds what the stream itself has counted to the counters of AGENT events.
    fn count(&self, _counters: &mut BTreeMap<&'static str, u64>) {}

    /// Whether lines were lost since the last question, so that an AGENT event has to admit it.
    fn has_lost(&mut self) -> bool {
        false
    }

    /// The hash of the configuration, if it has just been changed; an AGENT event tells it.
    fn reconfigured(&mut self) -> Option<String> {
        None
    }

    /// What the verification of people has to say next.
    fn next_verdict(&mut self) -> Option<Verdict> {
        None
    }

    /// Takes note of the counters, about once a second.
    fn publish(&mut self, _counters: &dyn Fn() -> BTreeMap<&'static str, u64>) {}

    /// The end: everything is written, waiting for a stuck reader while there is patience.
    ///
    /// # Errors
    /// A failure that tells how much was not written.
    fn conclude(self, has_patience: &mut dyn FnMut() -> bool) -> Result<Exit>;
}

/// The loop's times.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long an event may wait.
    pub max_delay: Duration,
    /// When to end by itself.
    pub duration: Option<Duration>,
    /// How often the counters are told.
    pub status_interval: Option<Duration>,
}

/// A recording that goes on.
pub struct Recording<S, O> {
    source: S,
    /// Reads both clocks.
    clock: Box<dyn Fn() -> ClockPair>,
    pipeline: Pipeline,
    output: O,
    trace: Option<TraceFile>,
    losses: LossPace,
    /// Builtins that were lost or held back, as far as was noticed.
    missed_builtins: u64,
}

impl<S: Source, O: Stream> Recording<S, O> {
    /// Everything is there; nothing has been recorded.
    pub fn new(
        source: S,
        clock: Box<dyn Fn() -> ClockPair>,
        pipeline: Pipeline,
        output: O,
        trace: Option<TraceFile>,
    ) -> Self {
        let losses = LossPace::new();
        Self { source, clock, pipeline, output, trace, losses, missed_builtins: 0 }
    }

    /// Processes that live, as far as is known.
    pub fn living(&self) -> u64 {
        self.pipeline.living()
    }

    /// Where the lines go.
    pub fn output(&mut self) -> &mut O {
        &mut self.output
    }

    /// Writes the first AGENT event and what was already running.
    ///
    /// # Errors
    /// If the source is broken.
    pub fn start(&mut self) -> Result<()> {
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
    ///
    /// # Errors
    /// If the source is broken.
    pub fn until(&mut self, stop: &Stop, timing: Timing) -> Result<()> {
        let began = (self.clock)().boot;
        let mut status = StatusPace::new(timing.status_interval, began);
        let mut published = StatusPace::new(Some(PUBLISH_EVERY), began);
        while !stop.is_asked() && !self.output.has_ended() {
            let now = (self.clock)().boot;
            if timing.duration.is_some_and(|duration| has_passed(began, duration, now)) {
                break;
            }
            if self.output.is_settled() {
                self.drain(timing.max_delay)?;
                if self.output.has_lost() {
                    self.losses.dropped();
                }
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
            self.output.attend();
            self.hear_verdicts()?;
            if let Some(config_hash) = self.output.reconfigured() {
                self.pipeline.reconfigure(config_hash);
                self.report(Reason::Status);
            }
            if published.is_time(now) {
                self.publish();
            }
        }
        Ok(())
    }

    /// Writes what has happened until now, the last AGENT event, and the rest of the output.
    ///
    /// # Errors
    /// If not everything could be written.
    pub fn finish(mut self) -> Result<Exit> {
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
        let Self { source, clock, pipeline, output, trace, losses, missed_builtins } = self;
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
        let counters = source.counters();
        let missed = counters.lost_builtins + counters.suppressed;
        if missed > *missed_builtins {
            *missed_builtins = missed;
            // What runs is known all the same.
            losses.dropped();
        }
        for note in source.take_notes() {
            say(format_args!("degraded: {note}"));
        }
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

    /// Takes in what the verification of people has to say.
    ///
    /// # Errors
    /// If the source is broken.
    pub fn hear_verdicts(&mut self) -> Result<()> {
        while let Some(verdict) = self.output.next_verdict() {
            self.hear(verdict)?;
            self.output.push();
        }
        Ok(())
    }

    /// Takes a verdict in, after everything that has happened before it.
    fn hear(&mut self, verdict: Verdict) -> Result<()> {
        self.drain(Duration::ZERO)?;
        self.observe_clock();
        let at = (self.clock)().boot;
        match verdict {
            Verdict::Restored { process, person } => {
                self.take(&Observation::Bound(person.bound(at, process)));
            }
            Verdict::Revoked(account) => {
                self.take(&Observation::Revoked(Revoked { at, account: &account }));
            }
            Verdict::Whence { process, tell } => tell(self.pipeline.origin(process)),
            Verdict::Asked(asked, ending) => {
                let (outcome, recorded) = match ending {
                    Ending::Refused(recorded) => (VerificationOutcome::Refused, Some(recorded)),
                    Ending::Abandoned(recorded) => (VerificationOutcome::Abandoned, Some(recorded)),
                    Ending::Verified(person, tell) => {
                        let bound = self.pipeline.bound_through(asked.process);
                        if let Some(process) = bound {
                            self.take(&Observation::Bound(person.bound(at, process)));
                        }
                        tell(bound);
                        let outcome = match bound {
                            Some(_) => VerificationOutcome::Verified,
                            None => VerificationOutcome::Unbound,
                        };
                        (outcome, None)
                    }
                };
                let told = asked.verification(at, outcome);
                self.take(&Observation::Verification(Box::new(told)));
                if let Some(recorded) = recorded {
                    recorded();
                }
            }
        }
        Ok(())
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
        let mut counters = self.pipeline.counters(&self.source.counters());
        self.output.count(&mut counters);
        self.pipeline.report(reason, now, counters, &mut self.output);
    }

    /// Tells the stream the counters.
    pub fn publish(&mut self) {
        let Self { source, pipeline, output, .. } = self;
        output.publish(&|| pipeline.counters(&source.counters()));
    }
}

/// One observation into the pipeline and into the trace.
fn take(
    observation: &Observation<'_>,
    pipeline: &mut Pipeline,
    trace: &mut Option<TraceFile>,
    output: &mut dyn Lines,
) {
    pipeline.observe(observation, output);
    if let Some(file) = trace
        && !file.write(observation)
    {
        *trace = None;
    }
}
