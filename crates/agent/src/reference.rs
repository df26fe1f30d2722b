//! What the documentation is generated from: the command line, the configuration of `run`, and the
//! options of what asks at logins.

use anyhow::Result;
use clap::CommandFactory;
use forebear_manual::Manual;

#[cfg(feature = "service")]
use crate::args::ReferenceOf;
use crate::args::{Cli, ReferenceArgs, ReferenceProduct};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk;

#[cfg(feature = "service")]
mod askers;

/// Prints one product.
///
/// # Errors
/// A usage [`Failure`] for a subcommand that does not exist.
pub fn run(args: &ReferenceArgs) -> Result<Exit> {
    let statuses = Exit::ALL.map(|(exit, meaning)| (exit.code(), meaning));
    let manual = Manual::new(Cli::command(), "8", statuses);
    #[cfg(feature = "service")]
    let manual = match args.of {
        ReferenceOf::Agent => manual,
        ReferenceOf::Gate => askers::gate(),
        ReferenceOf::Module => askers::module(),
    };
    let text = match &args.product {
        ReferenceProduct::Markdown => manual.markdown(),
        ReferenceProduct::Subcommands => manual.subcommands(),
        #[cfg(feature = "service")]
        ReferenceProduct::Config => crate::config::example::text(),
        ReferenceProduct::Man { subcommand } => manual
            .man(subcommand.as_deref())
            .map_err(|unknown| Failure::usage(unknown.to_string()))?,
        ReferenceProduct::Completions { shell } => manual.completions(*shell),
    };
    talk::print(&text);
    Ok(Exit::Done)
}
