//! `run`: the service. The loop of `record`, with a spool as its stream, and uploads behind that.
//!
//! | thread | does |
//! | --- | --- |
//! | main | records, appends to the spool, closes batches; waits for no disk sync and no network |
//! | sync | makes durable what was appended, at most a second late |
//! | uploads | one task for each destination, and the sockets of status and metrics |
//! | its helpers | read, compress and confirm batches |
//!
//! Invariants:
//! - Nothing but the kernel decides the pace of the main thread. What cannot be kept is dropped by
//!   the spool, counted, and admitted in an AGENT event.
//! - Every thread but the main one has no capability at all.
//! - Memory does not depend on how long a destination is down: a batch is in memory only while it
//!   is written or sent.

use std::sync::Arc;

use anyhow::Result;
use forebear_spool::{ErrorKind, Options, Recovery, Spool, Writer};

use crate::args::RunArgs;
use crate::attached::{self, Attached};
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::options::Format;
use crate::recording::{Recording, Stream as _, Timing};
use crate::signals::{Reload, Stop};
use crate::talk::say;

use self::board::Board;
use self::identity::Identity;
use self::identity::gate::Gate;
use self::listening::{BoundSocket, Listeners};
use self::notify::Notify;
use self::spooling::{Service, SpoolStream};
use self::syncing::Syncing;
use self::uploads::Uploads;

pub mod ask;
mod board;
mod feed;
mod identity;
mod listening;
mod metrics;
mod notify;
mod packing;
pub mod probe;
mod spooling;
pub mod status;
mod syncing;
mod uploader;
mod uploads;
mod verifications;

/// Runs the service until it is asked to end, or only checks its configuration.
///
/// # Errors
/// A [`Failure`] for what a person can mend, anything else for what nobody expected.
pub fn run(args: &RunArgs) -> Result<Exit> {
    let config = Config::load(&args.config)?;
    if args.check {
        return probe::check(&config);
    }
    let stop = Stop::on_termination()?;
    let reload = Reload::on_hangup()?;
    let began = forebear_sensor::clock_pair();
    let (writer, spool) = open_spool(&config)?;
    let listeners = Listeners::bind(&config);
    let asking = identity_socket(&config)?;
    let attached = Attached::new(&config.record)?;
    let needed = attached.needed;
    let boot = attached.run.host.boot_id;
    let board = Arc::new(Board::new(&args.config, &config, &attached.run, spool.clone()));
    let (live, pipeline) = attached.into_parts(Format::Ndjson, config.hash());

    let stream = SpoolStream::new(writer, fitting_batch(&config), Arc::clone(&board));
    let clock = Box::new(forebear_sensor::clock_pair);
    let mut recording = Recording::new(live, clock, pipeline, stream, None);
    recording.start()?;
    attached::give_up_privileges(needed)?;
    let syncing = Syncing::start(spool)?;
    let uploads = Uploads::start(config.clone(), Arc::clone(&board), listeners)?;
    let identity = match asking {
        Some(socket) => {
            let board = Arc::clone(&board);
            Some(Identity::start(config.identity.clone(), boot, socket, board)?)
        }
        None => None,
    };
    // What was already running is in the spool before anybody is told that it is ready.
    recording.output().push();
    recording.output().serve(Service { reload, uploads, syncing, identity, notify: Notify::new() });
    // Who is logged in already is known before anything of theirs is told.
    recording.hear_verdicts()?;
    recording.publish();

    let now = forebear_sensor::clock_pair();
    say(format_args!(
        "ready: recording {} processes, ebpf, {} ms; spool {}; destinations: {}",
        recording.living(),
        now.boot.0.saturating_sub(began.boot.0) / 1_000_000,
        config.spool.dir.display(),
        names(&config).join(", "),
    ));
    // Only a service manager listens; without one, or if it does not hear, recording goes on.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let timing = Timing {
        max_delay: config.record.max_delay,
        duration: None,
        status_interval: config.record.status_interval,
    };
    recording.until(&stop, timing)?;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    recording.finish()
}

/// The names of the destinations: the spool's consumers.
fn names(config: &Config) -> Vec<&str> {
    config.destinations.iter().map(|destination| destination.name.as_str()).collect()
}

/// When batches close; says so if the spool is too small for what was configured.
fn fitting_batch(config: &Config) -> forebear_archive::BatchLimits {
    let fitting = config.fitting_batch();
    if fitting != config.batch {
        say(format_args!(
            "batches close at {} bytes instead of {}, so that a spool of {} bytes holds a few",
            fitting.max_bytes, config.batch.max_bytes, config.spool.max_bytes
        ));
    }
    fitting
}

/// The socket at which logins ask, where they may, and the gate. Unlike the others it is not done without:
/// logins would fail, or nobody would be asked.
fn identity_socket(config: &Config) -> Result<Option<(BoundSocket, Option<Gate>)>> {
    let identity = &config.identity;
    if !identity.enabled {
        return Ok(None);
    }
    let bound = BoundSocket::bind(&identity.socket).map_err(|error| {
        let reason = failure::reason(&error);
        let socket = identity.socket.display();
        Failure::environment(format!("cannot listen at {socket} for logins: {reason}"))
            .remedy("set another [identity] socket, or enabled = false")
    })?;
    let gate = Gate::admitted(&identity.gate, &bound);
    Ok(Some((bound, gate)))
}

fn open_spool(config: &Config) -> Result<(Writer, Spool)> {
    let options = Options { max_bytes: config.spool.max_bytes, ahead: forebear_archive::AT_ONCE };
    let opened = Spool::open(&config.spool.dir, &options, &names(config));
    let (writer, spool, recovery) = opened.map_err(|error| match error.kind() {
        ErrorKind::Misuse => Failure::usage(error.to_string()),
        _ => Failure::environment(error.to_string()),
    })?;
    tell(&recovery, config);
    Ok((writer, spool))
}

/// Says what the last run left, and what was found damaged.
fn tell(recovery: &Recovery, config: &Config) {
    let dir = config.spool.dir.display();
    if recovery.segments > 0 {
        say(format_args!("spool {dir}: {} batches of earlier runs wait", recovery.segments));
    }
    if recovery.has_damage() {
        say(format_args!(
            "spool {dir}: damaged: {} records in {} batches are missing, {} headers and {} places \
             are damaged, the ledger is {}; AGENT events count the records",
            recovery.missing.records,
            recovery.missing.segments,
            recovery.damaged_headers,
            recovery.damaged_places,
            format!("{:?}", recovery.ledger).to_lowercase(),
        ));
    }
}
