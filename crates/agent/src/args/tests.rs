//! Every message that a wrong command line can give, as it is shown.

use std::fmt::Write as _;

use clap::{CommandFactory, Parser};

use super::{Cli, Command};
use crate::failure::{Failure, render};
use crate::options::{RecordOptions, resolve_labels};

/// What a command line leads to: its error with the exit code, or `ok`.
fn outcome(line: &str) -> String {
    let words = std::iter::once("forebear-agent").chain(line.split_whitespace());
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => return format!("exit {}\n{error}", error.exit_code()),
    };
    let resolved = match cli.command {
        Command::Record(args) => RecordOptions::resolve(args).map(|_| ()),
        Command::Snapshot(args) => resolve_labels(args.labels).map(|_| ()),
        _ => Ok(()),
    };
    match resolved {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("exit {}\n{}", Failure::exit_of(&error).code(), render(&error)),
    }
}

#[test]
fn every_documented_flag_of_record_is_accepted() {
    let line = "record --output - --format pretty --mode control --sensor ebpf --duration 10s \
                --no-backfill --filter cmd_root=wget --buffer-size 16MiB --max-delay 10ms --argv-max 64KiB \
                --status-interval 5s --label project=shop --label team=web --trace /tmp/trace";
    assert_eq!(outcome(line), "ok");
}

#[test]
fn every_wrong_command_line_is_answered_in_these_words() {
    let lines = [
        "recrod",
        "record --ouput x",
        "record extra",
        "record --output",
        "record --format jsno",
        "record --mode watch",
        "record --sensor auditd",
        "record --filter cmd_rot=wget",
        "record --filter cmd_pid<x",
        "record --duration 10",
        "record --duration soon",
        "record --buffer-size 8M",
        "record --buffer-size 3MiB",
        "record --buffer-size 7MiB",
        "record --buffer-size 1B",
        "record --buffer-size 64GiB",
        "record --max-delay 0",
        "record --max-delay 1m",
        "record --argv-max 1GiB",
        "record --status-interval 10ms",
        "record --label project",
        "record --label =shop",
        "record --label project=",
        "record --label pro:ject=shop",
        "record --label a=1 --label a=2",
        "record --no-backfill --no-backfill",
        "snapshot --mode audit",
        "doctor --json",
        "run --confg x",
        "run --check --check",
        "status --socket",
        "reference html",
    ];
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "$ forebear-agent {line}\n{}\n", outcome(line).trim_end());
    }
    insta::assert_snapshot!("wrong_command_lines", text);
}

#[test]
fn the_help_of_every_subcommand_shows_an_example() {
    let mut command = Cli::command();
    command.build();
    let mut left: Vec<_> = command.get_subcommands().cloned().collect();
    while let Some(mut sub) = left.pop() {
        // Those of a hidden one are for nobody to read.
        if !sub.is_hide_set() {
            left.extend(sub.get_subcommands().cloned());
        }
        let help = sub.render_long_help().to_string();
        assert!(help.contains("Example"), "{help}");
    }
}

#[test]
fn the_declarations_of_the_command_line_agree_with_each_other() {
    Cli::command().debug_assert();
}
