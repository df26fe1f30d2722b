//! `doctor`: what recording needs, what this machine gives, and what to do about the rest.

use std::fmt::Write as _;

use anyhow::Result;
use forebear_sensor::{Outcome, Requirement};

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::talk;

/// Prints the list.
///
/// # Errors
/// For a configuration that is wrong; never for a broken pipe.
pub fn run(args: &DoctorArgs) -> Result<Exit> {
    let requirements = forebear_sensor::requirements();
    let stdout = std::io::stdout();
    talk::print(&list(&requirements, talk::colour_on(&stdout)));
    let works = !requirements.iter().any(|need| need.outcome.is_missing());
    let exit = if works { Exit::Done } else { Exit::Environment };
    Ok(if destinations_work(args)? { exit } else { Exit::Environment })
}

#[cfg(feature = "service")]
fn destinations_work(args: &DoctorArgs) -> Result<bool> {
    let Some(path) = &args.config else { return Ok(true) };
    let config = crate::config::Config::load(path)?;
    talk::print("\n");
    crate::service::probe::destinations(&config)
}

#[cfg(not(feature = "service"))]
fn destinations_work(_: &DoctorArgs) -> Result<bool> {
    Ok(true)
}

/// The requirements as people read them: the bad ones with reason and remedy, then the verdict.
fn list(requirements: &[Requirement], colour: bool) -> String {
    let mut text = String::new();
    let width = requirements.iter().map(|need| need.name.len()).max().unwrap_or(0);
    let (mut missing, mut degraded) = (0, 0);
    for Requirement { name, outcome, why, remedy } in requirements {
        let (word, sgr) = match outcome {
            Outcome::Met(_) => ("ok", "32"),
            Outcome::Degraded(_) => ("degraded", "33"),
            Outcome::Missing(_) => ("missing", "31"),
            Outcome::NotTried => ("untried", "2"),
        };
        let detail = outcome.detail();
        let (on, off) =
            if colour { (format!("\x1b[{sgr}m"), "\x1b[0m") } else { Default::default() };
        let _ = writeln!(text, "{on}{word:8}{off}  {name:width$}  {detail}");
        match outcome {
            Outcome::Met(_) | Outcome::NotTried => continue,
            Outcome::Degraded(_) => degraded += 1,
            Outcome::Missing(_) => missing += 1,
        }
        for (label, words) in [("why", *why), ("do", remedy.as_str())] {
            for (index, line) in words.lines().enumerate() {
                let label = if index == 0 { format!("{label}:") } else { String::new() };
                let _ = writeln!(text, "          {label:4} {line}");
            }
        }
    }
    let verdict = match (missing, degraded) {
        (0, 0) => "Recording works.".to_owned(),
        (0, _) => format!("Recording works, with {degraded} degraded; every recording says so."),
        (_, _) => format!("Recording does not work: {missing} missing."),
    };
    let _ = writeln!(text, "\n{verdict}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(name: &'static str, outcome: Outcome) -> Requirement {
        let remedy = "run it with sudo\nor give it the capabilities".to_owned();
        Requirement { name, outcome, why: "the kernel refuses otherwise", remedy }
    }

    #[test]
    fn what_is_not_met_has_its_reason_and_its_remedy() {
        let text = list(
            &[
                need("kernel", Outcome::Met("6.18".to_owned())),
                need("task iterator", Outcome::Degraded("not in this kernel".to_owned())),
                need("privileges", Outcome::Missing("CAP_BPF".to_owned())),
            ],
            false,
        );
        let expected = "\
ok        kernel         6.18
degraded  task iterator  not in this kernel
          why: the kernel refuses otherwise
          do:  run it with sudo
               or give it the capabilities
missing   privileges     CAP_BPF
          why: the kernel refuses otherwise
          do:  run it with sudo
               or give it the capabilities

Recording does not work: 1 missing.
";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_could_not_be_tried_is_neither_missing_nor_a_bug() {
        let needs = [
            need("privileges", Outcome::Missing("CAP_BPF".to_owned())),
            need("hook", Outcome::NotTried),
        ];
        let text = list(&needs, false);
        assert!(
            text.contains("\nuntried   hook        not before what is missing is there\n\n"),
            "{text}"
        );
        assert!(text.ends_with("Recording does not work: 1 missing.\n"), "{text}");
    }

    #[test]
    fn the_verdict_is_about_what_is_missing() {
        let verdict = |needs: &[Requirement]| list(needs, false).lines().last().unwrap().to_owned();
        assert_eq!(verdict(&[need("a", Outcome::Met(String::new()))]), "Recording works.");
        assert_eq!(
            verdict(&[need("a", Outcome::Degraded(String::new()))]),
            "Recording works, with 1 degraded; every recording says so."
        );
    }
}
