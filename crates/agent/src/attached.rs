//! A sensor that is attached, with what its recordings tell about it.
//!
//! Deliberately not here: where lines go, and the loop.

use anyhow::{Context, Result};
use forebear_events::{Mode, Recorder, Run, SensorDetails, SensorKind};
use forebear_model::Model;
use forebear_sensor::{Live, LiveOptions, ShellOptions};
use rustix::thread::CapabilitySet;

use crate::args::ModeArg;
use crate::failure::{self, Failure};
use crate::names::NssNames;
use crate::options::{Format, Settings};
use crate::pipeline::Pipeline;
use crate::privileges;
use crate::run;
use crate::talk::say;

/// A sensor that is attached, and the run that begins with it.
pub struct Attached {
    /// Where observations come from.
    pub live: Live,
    /// The run.
    pub run: Run,
    /// What must be kept once recording has begun.
    pub needed: CapabilitySet,
    sensor: SensorDetails,
}

impl Attached {
    /// Attaches, and says what is degraded.
    ///
    /// # Errors
    /// An environment [`Failure`] that names the requirement and the remedy.
    pub fn new(settings: &Settings) -> Result<Self> {
        let machine = run::machine()?;
        let live = attach(settings)?;
        let description = live.description();
        let degraded = description.degraded;
        for sentence in &degraded {
            say(format_args!("degraded: {sentence}"));
        }
        let has_hook = |kind| description.hooks.iter().any(|hook| hook.starts_with(kind));
        let needed = privileges::needed_after_attach(has_hook("iter"), has_hook("uprobe"));
        let sensor =
            SensorDetails { hooks: description.hooks, features: description.features, degraded };
        let run = run::details(machine, mode(settings.mode), SensorKind::Ebpf, &settings.labels);
        Ok(Self { live, run, needed, sensor })
    }

    /// The source and the pipeline behind it.
    pub fn into_parts(self, format: Format, config_hash: String) -> (Live, Pipeline) {
        let Self { live, run, sensor, .. } = self;
        let model = Model::new(run.host.id, run.host.boot_id);
        let recorder = Recorder::new(run, Box::new(NssNames::new()));
        let mut pipeline = Pipeline::new(model, recorder, format);
        pipeline.describe(config_hash, sensor);
        (live, pipeline)
    }
}

/// Gives up what is not needed any more once recording has begun.
///
/// # Errors
/// If the kernel refuses.
pub fn give_up_privileges(needed: CapabilitySet) -> Result<()> {
    privileges::drop_except(needed).context("giving up privileges that are not needed any more")?;
    privileges::hide_memory()
}

fn attach(options: &Settings) -> Result<Live> {
    let live = LiveOptions {
        buffer_bytes: options.buffer_bytes,
        max_argv: options.max_argv,
        max_delay: options.max_delay,
        shells: match options.mode {
            ModeArg::Audit => None,
            ModeArg::Control => Some(ShellOptions {
                builtins: options.builtins.scope(),
                below: options.shells.0.clone(),
            }),
        },
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
