//! A query, and behind its last line feed an event that it is asked of.
//!
//! Promises: no text makes the parser, the checker or the evaluation panic; what can be read has
//! one canonical text; mistakes lie in the text, and nothing of it reaches a terminal as a command.

use forebear_query::{Moment, Query, parse, render};

/// Reads the query, and asks it.
pub fn check(bytes: &[u8]) {
    let at = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (query, event) = bytes.split_at(at);
    let Ok(query) = std::str::from_utf8(query) else { return };
    if let Ok(expr) = parse(query) {
        let canonical = expr.to_string();
        // Doubled quotes may make the canonical text too long.
        if canonical.len() <= forebear_query::MAX_LENGTH {
            let again = parse(&canonical).expect("the canonical text can be read");
            assert_eq!(again.to_string(), canonical);
        }
    }
    let now = "2026-11-24T12:00:00Z".parse().expect("a time");
    match Query::compile(query, Moment { now, zone: jiff::tz::TimeZone::UTC }) {
        Ok(query) => {
            let _ = query.of_line(event);
            let _ = query.bounds();
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in &problems {
                assert!(query.get(problem.span.start..problem.span.end).is_some(), "{problem:?}");
            }
            let shown = render(query, &problems);
            assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
        }
    }
}
