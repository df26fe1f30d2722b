//! Rules about one file: its name, its head, its length and its words.

use super::tree::File;

/// Names that give a file no reason to refuse a line.
const EMPTY_NAMES: [&str; 10] =
    ["mod", "util", "utils", "common", "helper", "helpers", "types", "misc", "manager", "base"];

/// More lines than this, the tests at the end not counted, need a reason.
const LONG: usize = 600;

/// The words in a module doc that begin the reason.
const REASON: &str = "Long because";

/// Words that must stand nowhere, with what is wrong with them. Each is put together here from
/// two parts, so that this file passes its own check.
const FORBIDDEN: [(&str, &str, &str); 7] = [
    ("/wo", "rk/", "a path of one machine"),
    ("/tmp/bash", "_jobs", "a path of one machine"),
    ("index.cra", "tes.io", "a registry's host"),
    ("static.cra", "tes.io", "a registry's host"),
    ("pypi", ".org", "a registry's host"),
    ("registry.npm", "js.org", "a registry's host"),
    ("deb.deb", "ian.org", "a registry's host"),
];

/// Attributes that hide a test's verdict.
const HIDING: [(&str, &str); 2] = [("#[ign", "ore"), ("#[should", "_panic")];

/// Everything in this file that is against a rule.
pub(super) fn check(file: &File) -> Vec<String> {
    let mut findings = Vec::new();
    if file.name() == "Cargo.lock" {
        return findings;
    }
    let code = matches!(file.extension(), "rs" | "c" | "h");
    if code {
        findings.extend(name(file));
        findings.extend(head(file));
        findings.extend(length(file));
    }
    for (number, line) in file.text.lines().enumerate() {
        let place = format!("{}:{}", file.path, number + 1);
        findings.extend(words(&place, line, code));
        let verbatim = matches!(file.extension(), "snap" | "trace" | "expected" | "1" | "8");
        if !verbatim && line.ends_with([' ', '\t']) {
            findings.push(format!("{place}: blanks at the end of the line; remove them"));
        }
    }
    findings
}

fn name(file: &File) -> Option<String> {
    let stem = file.name().split('.').next().unwrap_or_default();
    EMPTY_NAMES.contains(&stem).then(|| {
        format!("{}: the name says nothing; name the file for the concept that it owns", file.path)
    })
}

fn head(file: &File) -> Option<String> {
    let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let documented = match file.extension() {
        "rs" => first.starts_with("//!"),
        _ => first.starts_with("/*") || first.starts_with("//"),
    };
    (!documented).then(|| {
        format!(
            "{}: begins without saying what it is, its invariants and what is not here",
            file.path
        )
    })
}

fn length(file: &File) -> Option<String> {
    let tests = file.text.find("\n#[cfg(test)]\nmod tests {").unwrap_or(file.text.len());
    let lines = file.text.get(..tests).unwrap_or_default().lines().count();
    let doc = file.text.lines().take_while(|line| line.starts_with("//!"));
    if lines <= LONG || doc.into_iter().any(|line| line.contains(REASON)) {
        return None;
    }
    let path = &file.path;
    Some(format!("{path}: {lines} lines; split it, or say \"{REASON} ...\" in the module doc"))
}

fn words(place: &str, line: &str, code: bool) -> Vec<String> {
    let mut findings = Vec::new();
    for (first, second, wrong) in FORBIDDEN {
        if line.contains(&format!("{first}{second}")) {
            findings.push(format!("{place}: {wrong}; leave it out"));
        }
    }
    if code {
        for (first, second) in HIDING {
            if line.contains(&format!("{first}{second}")) {
                findings.push(format!(
                    "{place}: a hidden test; a test without its means says so and passes, or \
                     fails when CI=true"
                ));
            }
        }
    }
    for mark in ["TO\u{44}O", "FIX\u{4d}E"] {
        if let Some((_, rest)) = line.split_once(mark)
            && !is_numbered(rest)
        {
            findings.push(format!("{place}: a to-do without a number; write it as {mark}(#12)"));
        }
    }
    findings
}

/// Whether what follows a to-do's mark begins with an issue number: `(#12)`.
fn is_numbered(rest: &str) -> bool {
    let Some((number, _)) = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')')) else {
        return false;
    };
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(path: &str, text: &str, expected: &[&str]) {
        let findings = check(&File { path: path.to_owned(), text: text.to_owned() });
        assert_eq!(findings.len(), expected.len(), "{findings:#?}");
        for (finding, part) in findings.iter().zip(expected) {
            assert!(finding.contains(part), "{finding}");
        }
    }

    #[test]
    fn a_good_file_has_no_findings() {
        finds("crates/a/src/clock.rs", "//! Clocks.\n\nfn now() {}\n", &[]);
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        finds("crates/a/src/clock.rs", "fn now() {}\n", &["begins without"]);
        finds("crates/a/bpf/wire.h", "#pragma once\n", &["begins without"]);
    }

    #[test]
    fn an_empty_name_is_found() {
        finds("crates/a/src/utils.rs", "//! Things.\n", &["says nothing"]);
        finds("crates/a/src/helpers.bpf.c", "/* Things. */\n", &["says nothing"]);
    }

    #[test]
    fn a_long_file_needs_a_reason_and_its_tests_do_not_count() {
        let long = "fn x() {}\n".repeat(LONG);
        finds("crates/a/src/clock.rs", &format!("//! Clocks.\n{long}"), &["lines; split it"]);
        finds("crates/a/src/clock.rs", &format!("//! Long because one table.\n{long}"), &[]);
        let tests = format!("//! Clocks.\n\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        finds("crates/a/src/clock.rs", &tests, &[]);
    }

    #[test]
    fn a_to_do_needs_a_number() {
        let mark = "TO\u{44}O";
        finds("README.md", &format!("{mark}: soon\n"), &["without a number"]);
        finds("README.md", &format!("{mark}(#x) soon\n"), &["without a number"]);
        finds("README.md", &format!("{mark}(#12) soon\n"), &[]);
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        finds("README.md", &format!("see /wo{}main\n", "rk/"), &["README.md:1: a path"]);
    }

    #[test]
    fn a_hidden_test_is_found() {
        let text = format!("//! Clocks.\n#[ign{}]\nfn x() {{}}\n", "ore");
        finds("crates/a/tests/clock.rs", &text, &["clock.rs:2: a hidden test"]);
    }

    #[test]
    fn blanks_at_the_end_of_a_line_are_found() {
        finds("README.md", "one \ntwo\n", &["README.md:1: blanks"]);
    }
}
