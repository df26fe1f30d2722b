//! The tool `forebear`: reads what the agent wrote. It needs no privileges and knows no sensor.
//!
//! # Conventions
//! - Standard output is data, standard error is talk; a reader that goes away is a normal end.
//! - An error says what was attempted, on what, why it failed, and what to do.
//! - One file of [`commands`] per subcommand.

#![forbid(unsafe_code)]

use std::ffi::OsString;

use anyhow::Result;
use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;

pub mod args;
mod asking;
pub mod commands;
pub mod exit;
pub mod failure;
pub mod printer;

/// The whole program: arguments in, exit code out.
pub fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to standard output, everything else to standard error; either may be
            // closed.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match dispatch(cli.command) {
        Ok(exit) => exit,
        Err(error) if printer::is_reader_gone(&error) => Exit::Done,
        Err(error) => {
            printer::say(format_args!("{}", failure::render(&error)));
            failure::exit_of(&error)
        }
    }
}

fn dispatch(command: Command) -> Result<Exit> {
    match command {
        Command::Replay(args) => commands::replay::run(&args),
        Command::Schema(args) => commands::schema::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Query(args) => commands::query::run(&args),
        Command::Sessions(args) => commands::sessions::run(&args),
        Command::Tree(args) => commands::tree::run(&args),
        Command::Compact(args) => commands::compact::run(&args),
        Command::Completions { shell } => commands::reference::completions(shell),
        Command::Reference(args) => commands::reference::run(&args.product),
    }
}
