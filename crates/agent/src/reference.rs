//! What the documentation is generated from: the command line, and the configuration of `run`.

use anyhow::Result;
use clap::CommandFactory;
use forebear_manual::Manual;

use crate::args::{Cli, ReferenceProduct};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk;

/// Prints one product.
///
/// # Errors
/// A usage [`Failure`] for a subcommand that does not exist.
pub fn run(product: &ReferenceProduct) -> Result<Exit> {
    let statuses = Exit::ALL.map(|(exit, meaning)| (exit.code(), meaning));
    let manual = Manual::new(Cli::command(), "8", statuses);
    let text = match product {
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
