//! `tree`: what ran in one session, each program below the one that started it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use anyhow::Result;
use forebear_engine::{Ask, Question, cells};

use crate::args::TreeArgs;
use crate::asking::{Asking, clean, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer;

/// One program or builtin that ran.
struct Ran {
    process: String,
    above: Option<String>,
    /// Of the process itself, not of a program that it ran later or of a builtin.
    what: String,
    time: String,
    user: Option<String>,
    typed: bool,
}

/// Draws the tree.
///
/// # Errors
/// What is wrong with a place, and if the beginning of an id is that of several sessions.
pub fn run(args: &TreeArgs) -> Result<Exit> {
    let is_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    if args.session.is_empty() || !args.session.chars().all(is_id) {
        let session = clean(&args.session);
        let what = "is no session's id; `forebear sessions` lists them";
        return Err(Failure::usage(format!("{session:?} {what}")).into());
    }
    let asking = Asking::open(&args.places)?;
    let within = asking.within(None, &args.places)?;
    let sql = format!(
        "SELECT inception_session.uuid, self.uuid, coalesce(self.creator_uuid, self.parent_uuid), \
          coalesce(arguments(coalesce(builtin.argv, self.argv), 0), self.name), event_time, \
          coalesce(self.effective_user, self.user), \
          event_type = 'BUILTIN' OR coalesce(self.user_entered, false) \
         FROM events WHERE starts_with(inception_session.uuid, '{}') \
          AND event_type IN ('EXEC', 'BUILTIN', 'BACKFILL') ORDER BY event_time, seq",
        args.session.to_ascii_lowercase()
    );
    let question = Question { ask: Ask::Sql(&sql), within: within.as_ref(), limit: None };
    let mut sessions = BTreeSet::new();
    let mut ran = Vec::new();
    let ended = asking.each(&question, &mut |batch| {
        for row in cells::texts(batch)? {
            let Ok([session, process, above, what, time, user, typed]) = <[_; 7]>::try_from(row)
            else {
                continue;
            };
            sessions.extend(session);
            ran.push(Ran {
                process: process.unwrap_or_default(),
                above,
                what: what.unwrap_or_else(|| "(unknown)".to_owned()),
                time: time.unwrap_or_default(),
                user,
                typed: typed.as_deref() == Some("true"),
            });
        }
        Ok(())
    })?;
    if sessions.len() > 1 {
        let some: Vec<String> = sessions.into_iter().take(5).collect();
        let what = format!("{} begins several ids, such as {}", args.session, some.join(", "));
        return Err(Failure::usage(what).into());
    }
    printer::print(&draw(&ran))?;
    asking.tell();
    if !ended {
        return Ok(interrupted());
    }
    Ok(if ran.is_empty() { Exit::Negative } else { Exit::Done })
}

/// The tree as text, roots first, everything in the order of time.
fn draw(ran: &[Ran]) -> String {
    // A process's first entry stands for it; what it ran later, and its builtins, are below it.
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut below: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, it) in ran.iter().enumerate() {
        let own = first.get(it.process.as_str()).copied();
        let above = own.or_else(|| first.get(it.above.as_deref()?).copied());
        below.entry(above).or_default().push(index);
        first.entry(&it.process).or_insert(index);
    }
    let mut text = String::new();
    // Depth first without recursion: a session may start programs thousands deep.
    let mut open: Vec<(usize, usize)> =
        below.get(&None).into_iter().flatten().rev().map(|root| (*root, 0)).collect();
    while let Some((index, depth)) = open.pop() {
        let Some(it) = ran.get(index) else { continue };
        let clock = it.time.get(11..19).unwrap_or("        ");
        let mark = if it.typed { '>' } else { ' ' };
        let user = clean(it.user.as_deref().unwrap_or("-"));
        let indent = 2 * depth.min(40);
        let what = clean(&it.what);
        let _ = writeln!(text, "{clock} {user:<10} {mark} {:indent$}{what}", "");
        let children = below.get(&Some(index)).into_iter().flatten();
        open.extend(children.rev().map(|child| (*child, depth + 1)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(process: &str, above: &str, what: &str, typed: bool) -> Ran {
        Ran {
            process: process.to_owned(),
            above: Some(above.to_owned()),
            what: what.to_owned(),
            time: "2026-11-24T03:04:05Z".to_owned(),
            user: Some("alice".to_owned()),
            typed,
        }
    }

    #[test]
    fn everything_stands_below_what_started_it() {
        let session = [
            ran("sh", "sshd", "-bash", false),
            ran("make", "sh", "make", true),
            ran("cc", "make", "cc\u{1b}x", false),
            ran("sh", "sshd", "cd /", true),
            ran("lost", "nobody", "cron", false),
        ];
        let expected = "\
03:04:05 alice        -bash
03:04:05 alice      >   make
03:04:05 alice            cc\\u{1b}x
03:04:05 alice      >   cd /
03:04:05 alice        cron
";
        assert_eq!(draw(&session), expected);
    }

    #[test]
    fn a_chain_of_any_depth_is_drawn() {
        let session: Vec<Ran> = (0..100_000)
            .map(|index: u32| {
                ran(&index.to_string(), &index.wrapping_sub(1).to_string(), "x", false)
            })
            .collect();
        assert_eq!(draw(&session).lines().count(), 100_000);
    }
}
