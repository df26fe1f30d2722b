//! A program's command line as documentation: Markdown, man pages, completions, all from the same
//! types that read it.
//!
//! Hidden subcommands and arguments appear nowhere. Nothing here reads or writes.

#![forbid(unsafe_code)]

use std::fmt::Write as _;

use clap::{Arg, Command};
pub use clap_complete::Shell;

/// What can be told about one program.
#[derive(Clone, Debug)]
pub struct Manual {
    command: Command,
    section: &'static str,
    statuses: Vec<(u8, &'static str)>,
}

/// A subcommand that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSubcommand {
    name: String,
    known: Vec<String>,
}

impl std::fmt::Display for UnknownSubcommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no subcommand {}; there are {}", self.name, self.known.join(", "))
    }
}

impl std::error::Error for UnknownSubcommand {}

impl Manual {
    /// The manual of a program. `section` is that of its man pages (man(1): 1 for everybody, 8
    /// for administrators), `statuses` are its exit codes with their meanings.
    pub fn new(
        mut command: Command,
        section: &'static str,
        statuses: impl IntoIterator<Item = (u8, &'static str)>,
    ) -> Self {
        command.build();
        Self { command, section, statuses: statuses.into_iter().collect() }
    }

    /// The names of the subcommands, one a line; those of a subcommand follow it, each with its
    /// name and a hyphen in front.
    pub fn subcommands(&self) -> String {
        self.visible().iter().map(|(name, _)| format!("{name}\n")).collect()
    }

    /// A man page in roff, of the program or of one subcommand.
    ///
    /// # Errors
    /// The subcommand does not exist.
    pub fn man(&self, subcommand: Option<&str>) -> Result<String, UnknownSubcommand> {
        let of = match subcommand {
            None => &self.command,
            Some(name) => {
                let known = self.visible();
                let found = known.iter().find(|(known, _)| known == name);
                let (_, found) = found.ok_or_else(|| UnknownSubcommand {
                    name: name.to_owned(),
                    known: known.iter().map(|(name, _)| name.clone()).collect(),
                })?;
                *found
            }
        };
        let page = clap_mangen::Man::new(of.clone()).section(self.section).manual("forebear");
        let mut text = Vec::new();
        // A vector takes everything, and roff of texts is text.
        let _ = page.render(&mut text);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// The completions of a shell.
    pub fn completions(&self, shell: Shell) -> String {
        let mut text = Vec::new();
        let name = self.command.get_name().to_owned();
        clap_complete::generate(shell, &mut self.command.clone(), name, &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// All of it in Markdown, one sentence a line where the source has it so.
    pub fn markdown(&self) -> String {
        let command = &self.command;
        let mut text = format!("# {}\n\n", command.get_name());
        about(command, &mut text);
        options(command, &mut text);
        for (name, sub) in self.visible() {
            // What the shell is given, which the built command knows.
            let typed = sub.get_bin_name().unwrap_or(&name);
            let _ = write!(text, "\n## {typed}\n\n");
            about(sub, &mut text);
            options(sub, &mut text);
        }
        if !self.statuses.is_empty() {
            text.push_str("\n## Exit status\n\n| status | meaning |\n| --- | --- |\n");
        }
        for (code, meaning) in &self.statuses {
            let _ = writeln!(text, "| {code} | {meaning} |");
        }
        text
    }

    /// The subcommands that people see, with their names, each before its own.
    fn visible(&self) -> Vec<(String, &Command)> {
        let mut found = vec![];
        below(&self.command, "", &mut found);
        found
    }
}

fn below<'a>(command: &'a Command, prefix: &str, found: &mut Vec<(String, &'a Command)>) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("{prefix}{}", sub.get_name());
        found.push((name.clone(), sub));
        below(sub, &format!("{name}-"), found);
    }
}

fn about(command: &Command, text: &mut String) {
    if let Some(about) = command.get_long_about().or_else(|| command.get_about()) {
        let _ = writeln!(text, "{about}");
    }
    if let Some(after) = command.get_after_help() {
        let _ = write!(text, "\n```text\n{after}\n```\n");
    }
}

fn options(command: &Command, text: &mut String) {
    let is_shown =
        |arg: &&Arg| !arg.is_hide_set() && arg.get_id() != "help" && arg.get_id() != "version";
    for (index, arg) in command.get_arguments().filter(is_shown).enumerate() {
        if index == 0 {
            text.push('\n');
        }
        option(arg, text);
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

    fn manual() -> Manual {
        let size = Arg::new("size").long("buffer-size").value_name("SIZE").default_value("8MiB");
        let command = Command::new("program")
            .disable_help_subcommand(true)
            .subcommand(Command::new("record").about("Records.").arg(size.help("The buffer.")))
            .subcommand(Command::new("replay").about("Replays."))
            .subcommand(
                Command::new("users").about("Accounts.").disable_help_subcommand(true).subcommand(
                    Command::new("add")
                        .about("Adds one.")
                        .arg(Arg::new("email").value_name("EMAIL")),
                ),
            )
            .subcommand(Command::new("reference").hide(true));
        Manual::new(command, "8", [(0, "done"), (4, "something went wrong inside")])
    }

    #[test]
    fn the_markdown_names_every_option_and_exit_code_and_nothing_hidden() {
        let text = manual().markdown();
        for word in ["## program record", "- `--buffer-size SIZE` (default `8MiB`)", "| 4 |"] {
            assert!(text.contains(word), "{word} is not in\n{text}");
        }
        assert!(!text.contains("reference"), "{text}");
    }

    #[test]
    fn a_program_without_subcommands_and_codes_of_its_own_has_its_arguments() {
        let argument = Arg::new("x").value_name("fail=open").help("It is open.");
        let text =
            Manual::new(Command::new("gate").about("Asks.").arg(argument), "8", []).markdown();
        assert_eq!(text, "# gate\n\nAsks.\n\n- `fail=open`: It is open.\n");
    }

    #[test]
    fn a_man_page_of_an_unknown_subcommand_names_the_known_ones() {
        let error = manual().man(Some("recrod")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no subcommand recrod; there are record, replay, users, users-add"
        );
        assert!(manual().man(Some("record")).unwrap().contains(".TH"));
    }

    #[test]
    fn a_subcommand_of_a_subcommand_has_its_chapter_and_its_page() {
        assert_eq!(manual().subcommands(), "record\nreplay\nusers\nusers-add\n");
        let text = manual().markdown();
        assert!(text.contains("## program users add\n\nAdds one.\n\n- `EMAIL`"), "{text}");
        let page = manual().man(Some("users-add")).unwrap();
        assert!(page.contains(".TH program-users-add"), "{page}");
    }

    #[test]
    fn every_shell_has_completions_of_the_program() {
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            assert!(manual().completions(shell).contains("buffer-size"), "{shell}");
        }
    }
}
