//! What the documentation is generated from: the command line as Markdown, man page and
//! completions, all from the same types that read it.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use clap::{Arg, Command, CommandFactory};

use crate::args::{Cli, ReferenceProduct};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk;

/// Prints one product.
///
/// # Errors
/// A usage [`Failure`] for a subcommand that does not exist.
pub fn run(product: &ReferenceProduct) -> Result<Exit> {
    let mut command = Cli::command();
    command.build();
    let text = match product {
        ReferenceProduct::Markdown => markdown(&command),
        ReferenceProduct::Subcommands => {
            visible(&command).map(|sub| format!("{}\n", sub.get_name())).collect()
        }
        #[cfg(feature = "service")]
        ReferenceProduct::Config => crate::config::example::text(),
        ReferenceProduct::Man { subcommand } => man(&command, subcommand.as_deref())?,
        ReferenceProduct::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut command, "forebear-agent", &mut text);
            String::from_utf8(text).context("completions are not text")?
        }
    };
    talk::print(&text);
    Ok(Exit::Done)
}

/// The subcommands that people see.
fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}

fn man(command: &Command, subcommand: Option<&str>) -> Result<String> {
    let of = match subcommand {
        None => command.clone(),
        Some(name) => {
            let found = visible(command).find(|sub| sub.get_name() == name);
            found.cloned().with_context(|| {
                let known: Vec<_> = visible(command).map(Command::get_name).collect();
                Failure::usage(format!("no subcommand {name}; there are {}", known.join(", ")))
            })?
        }
    };
    let page = clap_mangen::Man::new(of).section("8").manual("forebear");
    let mut text = Vec::new();
    page.render(&mut text).context("rendering the man page")?;
    String::from_utf8(text).context("the man page is not text")
}

/// All of it in Markdown, one sentence a line where the source has it so.
fn markdown(command: &Command) -> String {
    let mut text = format!("# {}\n\n", command.get_name());
    about(command, &mut text);
    for sub in visible(command) {
        let _ = write!(text, "\n## {} {}\n\n", command.get_name(), sub.get_name());
        about(sub, &mut text);
        let options: Vec<_> = sub
            .get_arguments()
            .filter(|arg| arg.get_id() != "help" && !arg.is_hide_set())
            .collect();
        if !options.is_empty() {
            text.push('\n');
        }
        for arg in options {
            option(arg, &mut text);
        }
    }
    text.push_str("\n## Exit status\n\n| status | meaning |\n| --- | --- |\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(text, "| {} | {meaning} |", exit.code());
    }
    text
}

fn about(command: &Command, text: &mut String) {
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        let _ = writeln!(text, "{about}");
    }
    if let Some(after) = command.get_after_help() {
        let _ = write!(text, "\n```text\n{after}\n```\n");
    }
}

fn option(arg: &Arg, text: &mut String) {
    let possible: Vec<_> =
        arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let value = match arg.get_value_names() {
        _ if !possible.is_empty() => possible.join("|"),
        Some([name, ..]) => name.to_string(),
        _ => "VALUE".to_owned(),
    };
    let _ = match arg.get_long() {
        Some(long) if arg.get_action().takes_values() => write!(text, "- `--{long} {value}"),
        Some(long) => write!(text, "- `--{long}"),
        None => write!(text, "- `{value}"),
    };
    text.push('`');
    if let Some(default) = arg.get_default_values().first() {
        let _ = write!(text, " (default `{}`)", default.to_string_lossy());
    }
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string);
    let _ = writeln!(text, ": {}", help.unwrap_or_default().replace('\n', "\n  "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_markdown_names_every_option_and_exit_code() {
        let mut command = Cli::command();
        command.build();
        let text = markdown(&command);
        for word in ["## forebear-agent record", "- `--buffer-size SIZE` (default `8MiB`)", "| 4 |"]
        {
            assert!(text.contains(word), "{word} is not in\n{text}");
        }
        assert!(!text.contains("reference"), "{text}");
    }

    #[test]
    fn a_man_page_of_an_unknown_subcommand_names_the_known_ones() {
        let error = man(&Cli::command(), Some("recrod")).unwrap_err();
        assert!(error.to_string().contains("record, run, status, snapshot, doctor"), "{error}");
        assert_eq!(Failure::exit_of(&error), Exit::Usage);
    }
}
