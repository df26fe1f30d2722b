//! The table: queries, small events, and what each query is on each of them, by hand.
//!
//! A file of `tests/cases/` says first which events there are, then asks:
//!
//! ```text
//! event ls {"event_type":"EXEC","self":{"name":"ls"}}
//! sample exec-ls                  an event of schema/samples, by its file's name
//! macro quiet = cmd_root = 'ls'
//! zone +09:00                     for the queries below it
//!
//! query cmd_root = 'ls'
//! true ls
//! false exec-ls                   `*` stands for every event that is not named otherwise
//! unknown *
//! ```
//!
//! Every property is asked with every operator that it takes, or the last test fails.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

#[path = "cases/reader.rs"]
mod reader;

use std::collections::BTreeSet;

use forebear_query::{Expr, Kind, Moment, Operator, PROPERTIES, Query, parse, render};

use self::reader::{NOW, files, read};

#[test]
fn every_query_is_on_every_event_what_the_table_says() {
    let mut wrong = Vec::new();
    for (name, text) in files() {
        let file = read(&name, &text);
        for case in &file.cases {
            let place = format!("{name}:{}: {}", case.line, case.query);
            case.check_names(&place, &file.events);
            let moment = Moment { now: NOW.parse().unwrap(), zone: case.zone.clone() };
            let query = match Query::with_macros(&case.query, moment, &file.macros) {
                Ok(query) => query,
                Err(problems) => panic!("{place}\n{}", render(&case.query, &problems)),
            };
            for (event, line) in &file.events {
                let expected = case
                    .expected(event)
                    .unwrap_or_else(|| panic!("{place}: nothing is said of {event}"));
                let found = query.of_line(line.as_bytes()).unwrap();
                if found != expected {
                    wrong.push(format!("{place}: {event} is {found:?}, not {expected:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Every property of a query with its operator.
fn pairs(expr: &Expr, found: &mut BTreeSet<(String, Operator)>) {
    match expr {
        Expr::All(members) | Expr::Any(members) => {
            members.iter().for_each(|member| pairs(member, found));
        }
        Expr::Not(inner) => pairs(inner, found),
        Expr::Comparison(comparison) => {
            found.insert((comparison.property.clone(), comparison.operator));
        }
    }
}

#[test]
fn every_property_is_asked_with_every_operator_that_it_takes() {
    let mut asked = BTreeSet::new();
    for (name, text) in files() {
        for case in read(&name, &text).cases {
            // Only what is told apart shows anything.
            let told_apart = case.expected.len() > 1;
            assert!(told_apart, "{name}:{}: the query is the same on every event", case.line);
            pairs(&parse(&case.query).unwrap(), &mut asked);
        }
    }
    let named = PROPERTIES.iter().map(|property| (property.name, property.kind));
    let open = [("server_label_project", Kind::Text), ("macro_tools", Kind::Boolean)];
    let missing: Vec<String> = named
        .chain(open)
        .flat_map(|(name, kind)| kind.operators().iter().map(move |operator| (name, *operator)))
        .filter(|(name, operator)| !asked.contains(&((*name).to_owned(), *operator)))
        .map(|(name, operator)| format!("{name} {operator}"))
        .collect();
    assert!(missing.is_empty(), "no case asks: {}", missing.join(", "));
}
