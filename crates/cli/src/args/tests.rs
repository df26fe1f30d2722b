//! Every message that a wrong command line can give, as it is shown.

use clap::{CommandFactory, Parser};

use super::Cli;

#[test]
fn every_wrong_command_line_is_answered_in_these_words() {
    let lines = [
        "repaly x",
        "replay",
        "replay a b",
        "replay x --format jsn",
        "replay x --ouput y",
        "schema --field",
        "schema --fields --samples",
        "completions tcsh",
    ];
    let mut text = String::new();
    for line in lines {
        let words = std::iter::once("forebear").chain(line.split_whitespace());
        let error = Cli::try_parse_from(words).unwrap_err();
        let code = error.exit_code();
        text.push_str(&format!("$ forebear {line}\nexit {code}\n{}\n\n", error.to_string().trim()));
    }
    insta::assert_snapshot!("wrong_command_lines", text);
}

#[test]
fn the_help_of_every_subcommand_shows_an_example() {
    let mut command = Cli::command();
    command.build();
    for sub in command.get_subcommands_mut() {
        let help = sub.render_long_help().to_string();
        assert!(help.contains("Example"), "{help}");
    }
}

#[test]
fn the_declarations_of_the_command_line_agree_with_each_other() {
    Cli::command().debug_assert();
}
