//! `snapshot`: what runs now as BACKFILL events, from `/proc`, between the AGENT events of start
//! and stop. Needs no privileges; what may not be read is told field by field.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use forebear_events::{Mode, Reason, Recorder, SensorDetails, SensorKind};
use forebear_model::{Model, Observation};
use forebear_sensor::{LiveCounters, ProcFs};

use crate::args::SnapshotArgs;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::names::NssNames;
use crate::options::{hash_of, resolve_labels, resolve_write};
use crate::output::Output;
use crate::pipeline::Pipeline;
use crate::recording::Stream as _;
use crate::run;
use crate::signals::Stop;

/// Runs `snapshot`.
///
/// # Errors
/// A [`Failure`] if the output cannot be opened or not everything could be written.
pub fn run(args: SnapshotArgs) -> Result<Exit> {
    let stop = Stop::on_signals()?;
    let (target, format) = resolve_write(&args.write);
    let labels: BTreeMap<_, _> = resolve_labels(args.labels)?;
    let mut output = Output::open(&target)?;
    let machine = run::machine()?;
    let model = Model::new(machine.host_id, machine.boot_id);
    let details = run::details(machine, Mode::Audit, SensorKind::Proc, &labels);
    let recorder = Recorder::new(details, Box::new(NssNames::new()));
    let mut pipeline = Pipeline::new(model, recorder, format);
    let config_hash = config_hash(&labels);
    pipeline.describe(config_hash, SensorDetails::default());

    let proc = ProcFs::new(Path::new("/proc")).map_err(unreadable)?;
    let mut counters = LiveCounters::default();
    let now = forebear_sensor::clock_pair();
    pipeline.observe(&Observation::Clock(now), &mut output);
    let started = pipeline.counters(&counters);
    pipeline.report(Reason::Start, now, started, &mut output);
    let report = proc
        .snapshot(&mut |observation| pipeline.observe(observation, &mut output))
        .map_err(unreadable)?;
    pipeline.observe(&Observation::SnapshotEnd, &mut output);
    counters.received = report.processes;
    let counted = pipeline.counters(&counters);
    pipeline.report(Reason::Stop, forebear_sensor::clock_pair(), counted, &mut output);
    output.conclude(&mut || !stop.is_asked())
}

fn unreadable(error: forebear_sensor::Error) -> Failure {
    Failure::environment(format!("cannot list the running processes: {}", failure::chain(&error)))
}

fn config_hash(labels: &BTreeMap<String, String>) -> String {
    let labels = labels.iter().map(|(key, value)| (format!("label.{key}"), value.clone()));
    let command = ("command".to_owned(), "snapshot".to_owned());
    hash_of(labels.chain([command]).collect())
}
