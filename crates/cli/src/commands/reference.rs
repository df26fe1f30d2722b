//! What the documentation is generated from: the command line. Also `completions`.

use anyhow::Result;
use clap::CommandFactory;
use forebear_manual::{Manual, Shell};

use crate::args::{Cli, ReferenceProduct};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer;

/// Prints one product.
///
/// # Errors
/// A usage [`Failure`] for a subcommand that does not exist.
pub fn run(product: &ReferenceProduct) -> Result<Exit> {
    let text = match product {
        ReferenceProduct::Markdown => manual().markdown(),
        ReferenceProduct::Subcommands => manual().subcommands(),
        ReferenceProduct::Man { subcommand } => manual()
            .man(subcommand.as_deref())
            .map_err(|unknown| Failure::usage(unknown.to_string()))?,
        ReferenceProduct::Completions { shell } => return completions(*shell),
    };
    printer::print(&text)?;
    Ok(Exit::Done)
}

/// Prints a shell's completions.
///
/// # Errors
/// When they cannot be written.
pub fn completions(shell: Shell) -> Result<Exit> {
    printer::print(&manual().completions(shell))?;
    Ok(Exit::Done)
}

fn manual() -> Manual {
    Manual::new(Cli::command(), "1", Exit::ALL.map(|(exit, meaning)| (exit.code(), meaning)))
}
