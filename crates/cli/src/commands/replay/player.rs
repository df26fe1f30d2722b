//! The model and the recorder, driven by a trace instead of a kernel.

use std::collections::BTreeMap;
use std::sync::Arc;

use forebear_events::{AgentReport, Names, Reason, Recorder, Run, SensorDetails};
use forebear_model::{BootTime, Model, Observation, Uid};

/// A replay that goes on.
pub(super) struct Player {
    model: Model,
    recorder: Recorder,
    config_hash: String,
    /// The latest time that was told.
    now: BootTime,
    observed: u64,
    lost: Lost,
    has_begun: bool,
}

/// Records that the recording had lost.
#[derive(Default)]
struct Lost {
    forks: u64,
    execs: u64,
    exits: u64,
}

/// Names belong to the host that was observed, not to the one that replays.
struct NoNames;

impl Names for NoNames {
    fn user(&mut self, _: Uid) -> Option<Arc<str>> {
        None
    }
}

impl Player {
    pub(super) fn new(run: Run, config_hash: String) -> Self {
        Self {
            model: Model::new(run.host.id, run.host.boot_id),
            recorder: Recorder::new(run, Box::new(NoNames)),
            config_hash,
            now: BootTime(0),
            observed: 0,
            lost: Lost::default(),
            has_begun: false,
        }
    }

    /// Takes an observation in and appends the lines that it leads to.
    pub(super) fn observe(&mut self, observation: &Observation<'_>, out: &mut Vec<u8>) {
        if let Some(at) = time_of(observation) {
            self.now = self.now.max(at);
        }
        let Self { model, recorder, .. } = self;
        model.apply(observation, &mut |model, fact| recorder.fact(model, &fact, out));
        match observation {
            Observation::Fork(_)
            | Observation::Exec(_)
            | Observation::Exit(_)
            | Observation::Builtin(_)
            | Observation::Line(_) => self.observed += 1,
            Observation::Lost(lost) => {
                self.lost.forks += lost.forks;
                self.lost.execs += lost.execs;
                self.lost.exits += lost.exits;
                self.report(Reason::Lost, out);
            }
            // A recording begins by reading the clocks; only then are times known.
            Observation::Clock(_) if !self.has_begun => {
                self.has_begun = true;
                self.report(Reason::Start, out);
            }
            _ => {}
        }
    }

    /// Appends an AGENT event.
    pub(super) fn report(&mut self, reason: Reason, out: &mut Vec<u8>) {
        let model = self.model.counters();
        let counters = BTreeMap::from([
            ("observed", self.observed),
            // The AGENT event that tells it is counted too.
            ("emitted", self.recorder.seq() + 1),
            ("lost_kernel", self.lost.execs),
            ("lost_kernel_forks", self.lost.forks),
            ("lost_kernel_exits", self.lost.exits),
            ("processes", model.living),
            ("retained", model.retained),
            ("uuid_collisions", model.uuid_collisions),
            ("inferred_exits", model.inferred_exits),
            ("recovered", model.recovered),
        ]);
        let report = AgentReport {
            at: self.now,
            wall: self.model.wall_at(self.now),
            reason,
            counters,
            config_hash: self.config_hash.clone(),
            sensor: SensorDetails::default(),
        };
        self.recorder.agent(&report, out);
    }
}

/// When an observation was made, if it says so.
fn time_of(observation: &Observation<'_>) -> Option<BootTime> {
    match observation {
        Observation::Clock(pair) => Some(pair.boot),
        Observation::Fork(fork) => Some(fork.at),
        Observation::Exec(exec) => Some(exec.at),
        Observation::Exit(exit) => Some(exit.at),
        Observation::Builtin(builtin) => Some(builtin.at),
        Observation::Line(line) => Some(line.at),
        Observation::Bound(bound) => Some(bound.at),
        Observation::Revoked(revoked) => Some(revoked.at),
        Observation::Verification(verification) => Some(verification.at),
        Observation::SnapshotBegin(at) => Some(*at),
        Observation::Lost(lost) => Some(lost.at),
        Observation::Running(_) | Observation::SnapshotEnd => None,
    }
}
