//! The right answers to the named questions, found without any engine: every line is read and
//! looked at.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test has its part; it fails where it stops"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The cells of a row as text; what is absent is empty.
pub(crate) type Row = Vec<String>;

/// A value of a row as text.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One event of `commands`.
struct Command<'e>(&'e Value);

impl Command<'_> {
    fn get(&self, path: &str) -> String {
        cell(self.0.pointer(path).unwrap_or(&Value::Null))
    }

    fn is_builtin(&self) -> bool {
        self.get("/event_type") == "BUILTIN"
    }

    fn name(&self) -> String {
        self.get(if self.is_builtin() { "/builtin/name" } else { "/self/name" })
    }

    fn words(&self) -> String {
        let path = if self.is_builtin() { "/builtin/argv" } else { "/self/argv" };
        let argv = self.0.pointer(path).and_then(Value::as_array).into_iter().flatten();
        argv.map(cell).collect::<Vec<_>>().join(" ")
    }

    fn time(&self) -> String {
        self.get("/event_time")
    }

    fn row(&self, paths: &[&str]) -> Row {
        paths.iter().map(|path| self.get(path)).collect()
    }
}

/// Whether an event is one of those that a question is about, before anything is counted.
pub(crate) fn is_concerned(name: &str, line: &Value, session: &str, host: &str) -> bool {
    let it = Command(line);
    let kind = it.get("/event_type");
    let is_command = ["EXEC", "BUILTIN", "BACKFILL"].contains(&kind.as_str());
    let is_external = it.get("/inception_session/kind") == "external";
    match name {
        "builtins-that-failed" => {
            it.is_builtin() && !["", "0"].contains(&it.get("/builtin/exit_status").as_str())
        }
        "commands-by-person-and-day" => is_command && !it.get("/cmd_user").is_empty(),
        "events-of-each-type" => true,
        "one-hour-of-a-host" => {
            is_command && it.get("/host/id") == host && it.time().starts_with("2026-11-16T02")
        }
        "one-session-in-order" => is_command && it.get("/inception_session/uuid") == session,
        "other-rights-than-at-login" => kind == "EXEC" && is_external,
        "programs-of-one-host" | "top-programs-of-each-group" => kind == "EXEC",
        "root-curl-after-midnight" => {
            is_command
                && it.name() == "curl"
                && it.get("/self/effective_user") == "root"
                && it.get("/self/user_entered") == "true"
                && &it.time()[11..13] < "06"
        }
        "sessions-from-outside" => {
            let ip = it.get("/inception_session/source/ip");
            is_command && is_external && !ip.is_empty() && !ip.starts_with("10.")
        }
        other => panic!("there is no question {other}"),
    }
}

/// The answers by the questions' names; `session` and `host` are what stands in their places.
pub(crate) fn answers(
    lines: &[Value],
    session: &str,
    host: &str,
) -> BTreeMap<&'static str, Vec<Row>> {
    let commands: Vec<Command<'_>> = lines
        .iter()
        .filter(|line| {
            ["EXEC", "BUILTIN", "BACKFILL"].contains(&line["event_type"].as_str().unwrap())
        })
        .map(Command)
        .collect();
    let execs = || commands.iter().filter(|it| it.get("/event_type") == "EXEC");
    let in_session = |it: &&Command<'_>| it.get("/inception_session/uuid") == session;
    let mut ordered: Vec<&Command<'_>> = commands.iter().filter(in_session).collect();
    ordered.sort_by_key(|it| it.0["seq"].as_u64());
    let is_outside = |it: &&Command<'_>| {
        let ip = it.get("/inception_session/source/ip");
        !ip.is_empty() && !ip.starts_with("10.")
    };
    let is_other = |it: &&Command<'_>| {
        it.get("/inception_session/kind") == "external"
            && it.get("/self/effective_user") != it.get("/inception_session/user")
    };
    BTreeMap::from([
        (
            "root-curl-after-midnight",
            commands
                .iter()
                .filter(|it| it.name() == "curl" && it.get("/self/effective_user") == "root")
                .filter(|it| it.get("/self/user_entered") == "true" && &it.time()[11..13] < "06")
                .map(|it| {
                    [it.row(&["/event_time", "/host/name", "/cmd_user"]), vec![it.words()]].concat()
                })
                .collect(),
        ),
        (
            "one-session-in-order",
            ordered
                .iter()
                .map(|it| {
                    let paths = ["/seq", "/event_time", "/event_type", "/self/effective_user"];
                    [it.row(&paths), vec![it.words()]].concat()
                })
                .collect(),
        ),
        (
            "one-hour-of-a-host",
            counted(
                commands
                    .iter()
                    .filter(|it| {
                        it.get("/host/id") == host && it.time().starts_with("2026-11-16T02")
                    })
                    .map(|it| vec![it.get("/event_type"), it.name()]),
            ),
        ),
        (
            "commands-by-person-and-day",
            counted(
                commands
                    .iter()
                    .filter(|it| !it.get("/cmd_user").is_empty())
                    .map(|it| vec![it.get("/cmd_user"), it.time()[..10].to_owned()]),
            ),
        ),
        ("top-programs-of-each-group", top(execs())),
        ("sessions-from-outside", sessions(commands.iter().filter(is_outside))),
        (
            "other-rights-than-at-login",
            counted(execs().filter(is_other).map(|it| {
                it.row(&["/cmd_user", "/inception_session/user", "/self/effective_user"])
            })),
        ),
        ("programs-of-one-host", lonely(execs())),
        ("events-of-each-type", counted(lines.iter().map(|line| vec![cell(&line["event_type"])]))),
        (
            "builtins-that-failed",
            counted(
                commands
                    .iter()
                    .filter(|it| it.is_builtin() && it.get("/builtin/exit_status") != "0")
                    .map(|it| it.row(&["/builtin/name", "/builtin/exit_status"])),
            ),
        ),
    ])
}

fn counted(rows: impl Iterator<Item = Row>) -> Vec<Row> {
    let mut counts: BTreeMap<Row, u64> = BTreeMap::new();
    rows.for_each(|row| *counts.entry(row).or_default() += 1);
    counts.into_iter().map(|(row, times)| [row, vec![times.to_string()]].concat()).collect()
}

fn top<'c, 'e: 'c>(execs: impl Iterator<Item = &'c Command<'e>>) -> Vec<Row> {
    let mut groups: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for it in execs {
        let programs = groups.entry(it.get("/host/labels/group")).or_default();
        *programs.entry(it.name()).or_default() += 1;
    }
    let best = |(group, programs): (String, BTreeMap<String, u64>)| {
        let mut programs: Vec<(String, u64)> = programs.into_iter().collect();
        programs.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
        programs.truncate(3);
        programs.into_iter().map(move |(name, times)| vec![group.clone(), name, times.to_string()])
    };
    groups.into_iter().flat_map(best).collect()
}

fn lonely<'c, 'e: 'c>(execs: impl Iterator<Item = &'c Command<'e>>) -> Vec<Row> {
    let mut programs: BTreeMap<String, (BTreeSet<String>, u64)> = BTreeMap::new();
    for it in execs {
        let (hosts, times) = programs.entry(it.name()).or_default();
        hosts.insert(it.get("/host/name"));
        *times += 1;
    }
    let alone = programs.into_iter().filter(|(_, (hosts, _))| hosts.len() == 1);
    alone
        .map(|(name, (hosts, times))| vec![name, hosts.into_iter().collect(), times.to_string()])
        .collect()
}

fn sessions<'c, 'e: 'c>(commands: impl Iterator<Item = &'c Command<'e>>) -> Vec<Row> {
    let mut sessions: BTreeMap<String, Vec<&Command<'_>>> = BTreeMap::new();
    for it in commands.filter(|it| it.get("/inception_session/kind") == "external") {
        sessions.entry(it.get("/inception_session/uuid")).or_default().push(it);
    }
    let row = |members: Vec<&Command<'_>>| {
        let most = |path: &str| members.iter().map(|it| it.get(path)).max().unwrap();
        let names = ["/host/name", "/cmd_user", "/inception_session/user"];
        let mut row: Row = names.map(most).into();
        row.push(most("/inception_session/source/ip"));
        row.push(members.iter().map(|it| it.time()).min().unwrap());
        row.push(members.len().to_string());
        row
    };
    sessions.into_values().map(row).collect()
}
