//! The agent: the daemon's composition root. It joins a sensor, the model, the recorder and one
//! output, which for the service is a spool with uploads behind it, and adds what only a
//! long-running program with privileges needs.
//!
//! # Conventions
//! - Recording runs on one thread. A second one asks for users' names, because that can hang; the
//!   service has a few more, for what waits for disks and networks.
//! - Nothing blocks for ever: every wait has a bound, and signals end it.
//! - What goes wrong for one process is counted and told; it never ends the agent.
//! - Standard output is data, standard error is talk.
//!
//! Deliberately not here: what a process is (`forebear-model`), what an event looks like
//! (`forebear-events`), how the kernel is asked (`forebear-sensor`).

#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Result;
use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::RecordOptions;
use crate::talk::say;

pub mod args;
pub mod attached;
#[cfg(feature = "service")]
pub mod config;
pub mod doctor;
pub mod exit;
pub mod failure;
pub mod names;
pub mod options;
pub mod output;
pub mod pipeline;
pub mod privileges;
pub mod quantity;
pub mod record;
pub mod recording;
pub mod reference;
pub mod run;
#[cfg(feature = "service")]
pub mod service;
pub mod signals;
pub mod snapshot;
pub mod source;
pub mod talk;
pub mod trace;
#[cfg(feature = "service")]
pub mod users;
pub mod verdict;

/// How many panics are said; a fault that every event meets would flood the terminal otherwise.
/// All are counted in the stream.
const PANICS_SAID: u32 = 10;

/// The whole program: arguments in, exit code out.
pub fn main(args: impl Iterator<Item = OsString>) -> Exit {
    say_panics_briefly();
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output, everything else to standard error; either may be
            // closed.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match catch_unwind(AssertUnwindSafe(|| dispatch(cli.command))) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            say(format_args!("{}", failure::render(&error)));
            Failure::exit_of(&error)
        }
        // The hook has said what happened.
        Err(_) => Exit::Internal,
    }
}

fn dispatch(command: Command) -> Result<Exit> {
    match command {
        Command::Record(args) => record::run(&RecordOptions::resolve(args)?),
        Command::Snapshot(args) => snapshot::run(args),
        #[cfg(feature = "service")]
        Command::Run(args) => service::run(&args),
        #[cfg(feature = "service")]
        Command::Status(args) => service::ask::run(&args),
        #[cfg(feature = "service")]
        Command::Users(args) => users::run(args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Reference(args) => reference::run(&args),
    }
}

/// One line for a panic instead of Rust's several: most are caught and the agent goes on.
fn say_panics_briefly() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static SAID: AtomicU32 = AtomicU32::new(0);
    std::panic::set_hook(Box::new(|panic| {
        if SAID.fetch_add(1, Ordering::Relaxed) >= PANICS_SAID {
            return;
        }
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        say(format_args!("internal error at {place}: {message}; please report this line"));
    }));
}
