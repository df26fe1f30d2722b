//! `users import`: accounts and roles from CSV or from JSON, all of them or none.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use forebear_identity::{Accounts, Email, Role, Store};
use serde::Deserialize;

use crate::failure::{self, Failure};
use crate::talk::say;

/// More than any import has.
const MAX_BYTES: u64 = 16 << 20;

/// How many wrong lines are told one by one.
const TOLD: usize = 100;

/// A line that says who.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    line: usize,
    email: Email,
    roles: BTreeSet<Role>,
}

/// What is wrong, and in which line.
type Problem = (usize, String);

/// A line of JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    email: String,
    #[serde(default)]
    roles: Vec<String>,
}

/// What an import has done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Done {
    added: usize,
    changed: usize,
    same: usize,
}

/// Imports a file.
pub(super) fn run(store: &Store, file: &Path) -> Result<(), Failure> {
    let text = read(file)?;
    let entries = parse(&text).map_err(|problems| refuse(file, &problems))?;
    store.create_folder()?;
    let done = store
        .update(|accounts| apply(&entries, accounts).map_err(|problems| refuse(file, &problems)))?;
    let Done { added, changed, same } = done;
    say(format_args!("imported: {added} added, {changed} with other roles, {same} as they were"));
    if added > 0 {
        say(format_args!("next, for each new one: forebear-agent users enroll EMAIL"));
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().take(MAX_BYTES + 1).read_to_string(&mut text),
        false => std::fs::File::open(file)
            .and_then(|opened| opened.take(MAX_BYTES + 1).read_to_string(&mut text)),
    };
    let name = file.display();
    read.map_err(|error| {
        Failure::usage(format!("cannot import {name}: {}", failure::reason(&error)))
    })?;
    if text.len() as u64 > MAX_BYTES {
        let what = format!("cannot import {name}: it is larger than {MAX_BYTES} bytes");
        return Err(Failure::usage(what).remedy("is it another file?"));
    }
    Ok(text)
}

fn refuse(file: &Path, problems: &[Problem]) -> Failure {
    let (name, count) = (file.display(), problems.len());
    let mut what = format!("cannot import {name}: {count} problem(s); nothing was changed");
    for (line, text) in problems.iter().take(TOLD) {
        what.push_str(&format!("\n  {name}:{line}: {text}"));
    }
    if count > TOLD {
        what.push_str(&format!("\n  and {} more", count - TOLD));
    }
    Failure::usage(what)
}

/// All lines, or everything that is wrong with them.
fn parse(text: &str) -> Result<Vec<Entry>, Vec<Problem>> {
    let mut problems = vec![];
    let mut entries: Vec<Entry> = vec![];
    let mut seen = BTreeMap::new();
    // A byte-order mark is what spreadsheets begin with.
    let text = text.trim_start_matches('\u{feff}');
    for (place, line) in text.lines().enumerate() {
        let (number, line) = (place + 1, line.trim());
        if line.is_empty() || number == 1 && is_heading(line) {
            continue;
        }
        let words = if line.starts_with('{') { object(line) } else { fields(line) };
        let entry = words.and_then(|(email, roles)| entry(number, &email, &roles));
        match entry {
            Ok(entry) => match seen.insert(entry.email.clone(), number) {
                Some(first) => {
                    problems.push((number, format!("{} is in line {first} too", entry.email)));
                }
                None => entries.push(entry),
            },
            Err(problem) => problems.push((number, problem)),
        }
    }
    if problems.is_empty() { Ok(entries) } else { Err(problems) }
}

fn is_heading(line: &str) -> bool {
    let first = line.split(',').next().unwrap_or_default().trim_matches('"');
    first.eq_ignore_ascii_case("email") || first.eq_ignore_ascii_case("e-mail")
}

/// An address and roles, as text.
type Words = (String, Vec<String>);

fn object(line: &str) -> Result<Words, String> {
    let object: Object = serde_json::from_str(line).map_err(|error| {
        // Where in the line; which line is said before.
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
        format!("no JSON object with email and roles: {text}, in column {}", error.column())
    })?;
    Ok((object.email, object.roles))
}

/// Neither addresses nor roles can hold what separates fields, so quotes need not be understood:
/// a field in quotes may hold one role or several.
fn fields(line: &str) -> Result<Words, String> {
    if line.matches('"').count() % 2 == 1 {
        return Err("a quote is not closed; a line is an address and its roles".to_owned());
    }
    let line = line.replace('"', "");
    let mut fields = line.split([',', ';', ' ', '\t']).filter(|field| !field.is_empty());
    let email = fields.next().unwrap_or_default().to_owned();
    Ok((email, fields.map(str::to_owned).collect()))
}

fn entry(line: usize, email: &str, roles: &[String]) -> Result<Entry, String> {
    let named = |text: &str, error: forebear_identity::NameError| format!("{text:?}: {error}");
    let email = email.parse::<Email>().map_err(|error| named(email, error))?;
    let roles = roles.iter().map(|role| role.parse::<Role>().map_err(|error| named(role, error)));
    Ok(Entry { line, email, roles: roles.collect::<Result<_, _>>()? })
}

/// Puts all of them in, or tells everything that is against it.
fn apply(entries: &[Entry], accounts: &mut Accounts) -> Result<Done, Vec<Problem>> {
    let mut done = Done::default();
    let mut problems = vec![];
    for Entry { line, email, roles } in entries {
        let put = match accounts.get(email) {
            None => {
                done.added += 1;
                accounts.add(email.clone(), roles.clone())
            }
            Some(account) if !account.is_revoked() && account.roles().eq(roles.iter()) => {
                done.same += 1;
                Ok(())
            }
            Some(_) => {
                done.changed += 1;
                accounts.set_roles(email, roles.clone())
            }
        };
        if let Err(error) = put {
            problems.push((*line, error.to_string()));
        }
    }
    if problems.is_empty() { Ok(done) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(text: &str) -> Vec<String> {
        let entries = parse(text).unwrap();
        let words = |entry: &Entry| {
            let roles: Vec<&str> = entry.roles.iter().map(Role::as_str).collect();
            format!("{} {} {}", entry.line, entry.email, roles.join("+"))
        };
        entries.iter().map(words).collect()
    }

    #[test]
    fn csv_is_read_as_spreadsheets_and_people_write_it() {
        let text = "\u{feff}Email,Roles\r\nAda@example.com,dba,ops\r\n\r\n\"bob@example.com\",\
                    \"dba, ops\"\neve@example.com\nmax@example.com,ops;dba,,\n";
        assert_eq!(
            read_as(text),
            [
                "2 ada@example.com dba+ops",
                "4 bob@example.com dba+ops",
                "5 eve@example.com ",
                "6 max@example.com dba+ops",
            ]
        );
    }

    #[test]
    fn json_is_read_a_line_at_a_time() {
        let text = "{\"email\":\"ada@example.com\",\"roles\":[\"dba\"]}\n{\"email\":\"bob@x\"}\n";
        assert_eq!(read_as(text), ["1 ada@example.com dba", "2 bob@x "]);
    }

    #[test]
    fn every_wrong_line_is_told() {
        let text = "ada\na@b,ro!le\n{\"email\":\"c@d\",\"role\":[]}\n{\n\"e@f\na@g\nA@g,x\n";
        let problems = parse(text).unwrap_err();
        let text: Vec<String> =
            problems.iter().map(|(line, text)| format!("{line}: {text}")).collect();
        let text = text.join("\n");
        for expected in [
            "1: \"ada\": this is no e-mail address",
            "2: \"ro!le\": a role is",
            "3: no JSON object with email and roles: unknown field `role`",
            "4: no JSON object",
            "5: a quote is not closed",
            "7: a@g is in line 6 too",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert_eq!(problems.len(), 6);
    }

    #[test]
    fn accounts_get_the_roles_of_the_file_and_a_revoked_one_is_a_problem() {
        let mut accounts = Accounts::default();
        let entries = parse("ada@b,dba\nbob@b,ops\n").unwrap();
        let done = apply(&entries, &mut accounts);
        assert_eq!(done, Ok(Done { added: 2, changed: 0, same: 0 }));
        let entries = parse("ada@b,dba\nbob@b\neve@b\n").unwrap();
        let done = apply(&entries, &mut accounts);
        assert_eq!(done, Ok(Done { added: 1, changed: 1, same: 1 }));
        accounts.revoke(&"ada@b".parse().unwrap()).unwrap();
        let problems = apply(&entries, &mut accounts).unwrap_err();
        assert_eq!(problems, [(1, "the account ada@b is revoked".to_owned())]);
    }
}
