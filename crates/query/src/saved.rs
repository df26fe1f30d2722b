//! A file of saved queries: TOML text in, [`Macros`] or everything that is wrong with it out.
//!
//! ```toml
//! [macro]
//! fetching = "cmd_root IN 'curl,wget'"
//! ```
//!
//! Every saved query is checked, also one that nobody uses: a file is right or wrong as a whole.
//!
//! Deliberately not here: opening the file.

use toml::de::{DeTable, DeValue};

use crate::Query;
use crate::ast::Expr;
use crate::check::Macros;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::parser::parse;
use crate::property::MACRO;
use crate::when::Moment;

/// The table of the file that holds the queries.
const TABLE: &str = "macro";

/// Reads saved queries out of the text of a file.
///
/// # Errors
/// Every mistake of the file and of the queries in it, in the order of the text. The places are
/// those of the file, so [`render`](crate::render) takes the file's text.
pub fn read_macros(text: &str, moment: &Moment) -> Result<Macros, Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Diagnostic> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or_default();
            syntax(span, format!("this is not TOML: {}", error.message()))
        })
        .collect();
    let mut macros = Macros::new();
    let mut places = Vec::new();
    for (name, value) in table.get_ref() {
        let DeValue::Table(entries) = value.get_ref() else {
            problems.push(stray(name.span(), name.get_ref()));
            continue;
        };
        if name.get_ref() != TABLE {
            problems.push(stray(name.span(), name.get_ref()));
            continue;
        }
        for (key, value) in entries {
            let DeValue::String(query) = value.get_ref() else {
                let message = format!("the saved query `{}` is no text", key.get_ref());
                problems.push(syntax(value.span(), message).expected("a query in quotes"));
                continue;
            };
            if !is_name(key.get_ref()) {
                let message = format!("no query can name `{MACRO}{}`", key.get_ref());
                let problem = syntax(key.span(), message);
                problems.push(problem.expected("a name of letters, digits, - and _"));
            }
            macros.insert(key.get_ref().to_string(), query.to_string());
            places.push((value.span(), query));
        }
    }
    for (place, query) in places {
        let wrong = Query::with_macros(query, moment.clone(), &macros).err().unwrap_or_default();
        // One that is wrong itself is told where it stands.
        let wrong = wrong.into_iter().filter(|problem| problem.code != Code::BrokenMacro);
        problems.extend(wrong.map(|problem| moved(problem, text, place.clone(), query)));
    }
    if problems.is_empty() {
        return Ok(macros);
    }
    problems.sort_by_key(|problem| problem.span.start);
    Err(problems)
}

fn syntax(span: std::ops::Range<usize>, message: String) -> Diagnostic {
    Diagnostic::new(Code::Syntax, Span { start: span.start, end: span.end }, message)
}

fn stray(span: std::ops::Range<usize>, name: &str) -> Diagnostic {
    let problem = syntax(span, format!("`{name}` is not what a file of saved queries holds"));
    problem.expected(format!("[{TABLE}], and below it lines such as: name = \"cmd_root = 'ls'\""))
}

/// Whether a query can name it: it is one word behind `macro_`.
fn is_name(key: &str) -> bool {
    let name = format!("{MACRO}{key}");
    let uses = parse(&format!("{name} = 'true'"));
    !key.is_empty()
        && matches!(uses, Ok(Expr::Comparison(comparison)) if comparison.property == name)
}

/// A mistake of a query, at its place in the file. A query that stands there with escapes is
/// underlined as a whole.
fn moved(
    problem: Diagnostic,
    text: &str,
    place: std::ops::Range<usize>,
    query: &str,
) -> Diagnostic {
    let found = text.get(place.clone()).and_then(|written| written.find(query));
    let span = match found.filter(|_| !query.is_empty()) {
        Some(at) => {
            let begin = place.start + at;
            Span { start: begin + problem.span.start, end: begin + problem.span.end }
        }
        None => Span { start: place.start, end: place.end },
    };
    Diagnostic { span, ..problem }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::render;

    fn read(text: &str) -> Result<Macros, String> {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let read = read_macros(text, &Moment { now, zone: TimeZone::UTC });
        read.map_err(|problems| render(text, &problems))
    }

    #[track_caller]
    fn says(text: &str, expected: &str) {
        assert_eq!(read(text).unwrap_err(), expected);
    }

    #[test]
    fn queries_are_read_and_may_use_each_other() {
        let text = "[macro]\ntools = \"cmd_root IN 'curl,wget'\"\n\
                    night = '''\nmacro_tools = true and\ncmd_hour_of_day < '6'\n'''\n";
        let macros = read(text).unwrap();
        assert_eq!(macros["tools"], "cmd_root IN 'curl,wget'");
        assert_eq!(macros["night"], "macro_tools = true and\ncmd_hour_of_day < '6'\n");
        assert_eq!(read("").unwrap(), Macros::new());
    }

    #[test]
    fn a_wrong_query_is_underlined_where_it_stands_in_the_file() {
        says(
            "[macro]\nfine = \"seq = 1\"\nbad = \"cmd_rot = 'ls'\"\nuser = \"macro_bad = true\"\n",
            "error[unknown-property]: there is no property `cmd_rot`\n  line 3:\n  \
             bad = \"cmd_rot = 'ls'\"\n         ^^^^^^^\n  help: did you mean `cmd_root`?\n",
        );
        says(
            "[macro]\nbad = \"\"\"\nseq = 1\nor cmd_rot = 'ls'\"\"\"\n",
            "error[unknown-property]: there is no property `cmd_rot`\n  line 4:\n  \
             or cmd_rot = 'ls'\"\"\"\n     ^^^^^^^\n  help: did you mean `cmd_root`?\n",
        );
    }

    #[test]
    fn a_query_with_escapes_is_underlined_as_a_whole() {
        says(
            "[macro]\nbad = \"cmd_rot\\u0020= 'ls'\"\n",
            "error[unknown-property]: there is no property `cmd_rot`\n  line 2:\n  \
             bad = \"cmd_rot\\u0020= 'ls'\"\n        ^^^^^^^^^^^^^^^^^^^^^\n  \
             help: did you mean `cmd_root`?\n",
        );
    }

    #[test]
    fn a_circle_is_told_at_each_of_its_members() {
        says(
            "[macro]\na = \"macro_b = true\"\nb = \"macro_a = true\"\n",
            "error[macro-cycle]: `macro_b` needs itself: macro_b -> macro_a -> macro_b\n  \
             line 2:\n  a = \"macro_b = true\"\n       ^^^^^^^\n\
             error[macro-cycle]: `macro_a` needs itself: macro_a -> macro_b -> macro_a\n  \
             line 3:\n  b = \"macro_a = true\"\n       ^^^^^^^\n",
        );
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        says(
            "[macro]\ntools = \"seq = 1\"\nb = \"macro_tool = true\"\n",
            "error[unknown-macro]: there is no saved query `tool`\n  line 3:\n  \
             b = \"macro_tool = true\"\n       ^^^^^^^^^^\n  help: did you mean `macro_tools`?\n",
        );
    }

    #[test]
    fn anything_else_in_the_file_is_told() {
        let said = read("tools = \"seq = 1\"\n[macros]\na = \"seq = 1\"\n").unwrap_err();
        assert_eq!(said.matches("is not what a file of saved queries holds").count(), 2, "{said}");
        let said = read("[macro]\na = 1\n\"b c\" = \"seq = 1\"\nd = 'seq = 1\n").unwrap_err();
        assert!(said.contains("the saved query `a` is no text\n  line 2:\n"), "{said}");
        assert!(said.contains("no query can name `macro_b c`\n  line 3:\n"), "{said}");
        assert!(said.contains("this is not TOML: "), "{said}");
    }
}
