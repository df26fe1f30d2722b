//! The agent on the machine: it starts, finds what runs, tells about itself, and stops.

use std::collections::BTreeMap;
use std::sync::Arc;

use forebear_events::{Names, SensorDetails};

use super::{
    AgentReport, Argv, BootTime, ClockPair, Kernel, Model, Observation, Reason, Recorder, Run,
    Running, WallTime, comm, executable, place,
};
use crate::roster;

/// The same users on every host.
struct Users(BTreeMap<u32, Arc<str>>);

impl Names for Users {
    fn user(&mut self, uid: forebear_model::Uid) -> Option<Arc<str>> {
        if let Some(known) = self.0.get(&uid.0) {
            return Some(Arc::clone(known));
        }
        let name: Arc<str> = roster::user_name(uid.0)?.into();
        self.0.insert(uid.0, Arc::clone(&name));
        Some(name)
    }
}

pub(super) fn recorder(run: Run) -> Recorder {
    Recorder::new(run, Box::new(Users(BTreeMap::new())))
}

impl Kernel {
    /// Starts the agent, anew if it ran before: a report, and everybody who runs.
    pub(crate) fn start_agent(&mut self, run: Run) {
        self.failed = self.failed.take().or_else(|| self.stream.close().err());
        self.model = Model::new(run.host.id, run.host.boot_id);
        self.recorder = recorder(run);
        (self.observed, self.is_watched) = (0, true);
        let boot = BootTime(self.now);
        let wall = WallTime(self.wall_of_boot + self.now.cast_signed());
        self.observe(&Observation::Clock(ClockPair { boot, wall }));
        self.report(Reason::Start);
        self.now += 1_000_000;
        let Self { model, recorder, line, processes, .. } = self;
        let mut tell = |observation: &Observation<'_>| {
            model.apply(observation, &mut |model, fact| recorder.fact(model, &fact, line));
        };
        tell(&Observation::SnapshotBegin(BootTime(self.now)));
        for proc in processes.iter().flatten() {
            tell(&Observation::Running(Box::new(Running {
                process: proc.key,
                parent: proc.parent,
                state: proc.state.clone(),
                place: place(proc, true),
                executable: (!proc.exe.is_empty()).then(|| executable(&proc.exe)),
                comm: comm(if proc.exe.is_empty() { "kthreadd" } else { &proc.exe }),
                argv: Ok(Argv::whole(&proc.argv)),
                cwd: Ok(proc.cwd.as_bytes()),
                tcp_peer: None,
            })));
        }
        tell(&Observation::SnapshotEnd);
        self.deliver();
    }

    /// The agent tells about itself.
    pub(crate) fn report(&mut self, reason: Reason) {
        let report = AgentReport {
            at: BootTime(self.now),
            wall: self.model.wall_at(BootTime(self.now)),
            reason,
            counters: BTreeMap::from([
                ("observed", self.observed),
                ("emitted", self.recorder.seq() + 1),
                ("lost_kernel", 0),
                ("lost_user", 0),
                ("processes", self.model.counters().living),
            ]),
            config_hash: "9b1c5d7e02a4f683".to_owned(),
            sensor: SensorDetails {
                hooks: ["sched_process_fork", "sched_process_exec", "sched_process_exit"]
                    .map(str::to_owned)
                    .into(),
                features: ["task_iterator", "bpf_loop"].map(str::to_owned).into(),
                degraded: Vec::new(),
            },
        };
        self.recorder.agent(&report, &mut self.line);
        self.deliver();
    }
}
