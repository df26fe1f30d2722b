//! A sensor that is attached, with what its recordings tell about it.
//!
//! Deliberately not here: where lines go, and the loop.

use anyhow::{Context, Result};
use forebear_events::{Mode, Recorder, Run, SensorDetails, SensorKind};
use forebear_model::Model;
use forebear_sensor::{Live, LiveOptions};

use crate::args::ModeArg;
use crate::failure::{self, Failure};
use crate::names::NssNames;
use crate::options::{Format, Settings};
use crate::pipeline::Pipeline;
use crate::privileges;
use crate::run;
use crate::talk::say;

/// What mode control lacks in this version.
const NO_BUILTINS: &str = "mode control: shell builtins are not recorded by this version";

/// A sensor that is attached, and the run that begins with it.
pub struct Attached {
    /// Where observations come from.
    pub live: Live,
    /// The run.
    pub run: Run,
    /// Whether the kernel lists its own tasks, so that `/proc` is not needed later.
    pub has_iterator: bool,
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
        let mut degraded = description.degraded;
        if settings.mode == ModeArg::Control {
            degraded.push(NO_BUILTINS.to_owned());
        }
        for sentence in &degraded {
            say(format_args!("degraded: {sentence}"));
        }
        let has_iterator = description.hooks.iter().any(|hook| hook.starts_with("iter"));
        let sensor =
            SensorDetails { hooks: description.hooks, features: description.features, degraded };
        let run = run::details(machine, mode(settings.mode), SensorKind::Ebpf, &settings.labels);
        Ok(Self { live, run, has_iterator, sensor })
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
pub fn give_up_privileges(has_iterator: bool) -> Result<()> {
    privileges::drop_except(privileges::needed_after_attach(has_iterator))
        .context("giving up privileges that are not needed any more")?;
    privileges::hide_memory()
}

fn attach(options: &Settings) -> Result<Live> {
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
