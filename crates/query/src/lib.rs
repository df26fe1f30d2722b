//! CQL, the language for asking the recordings: text in, yes or no on an event out.
//!
//! ```text
//! query      = [ "where" ] any
//! any        = all { "or" all }
//! all        = term { "and" term }
//! term       = "(" any ")" | "not" "(" any ")" | comparison
//! comparison = property operator value
//! operator   = "=" | "!=" | "<" | ">" | "<=" | ">=" | "IN" | "NOT IN"
//! value      = "'" text "'" | word
//! ```
//!
//! A query is compiled once ([`Query::compile`]) and then asked of lines ([`Query::of_line`]) or of
//! anything else that has fields ([`Query::evaluate`]).
//!
//! # Conventions
//! - No input, no output, no clock: what `yesterday` is, and where a day begins, is in a [`Moment`].
//! - A query that compiles cannot fail. What an event does not have makes a condition
//!   [`Truth::Unknown`], and only [`Truth::True`] is an answer.
//! - Every mistake of a query is told at once, as [`Diagnostic`]s with stable codes.
//! - Everything is bounded: the length of a query, its depth, its macros, and the time that a
//!   pattern takes.
//! - Text is compared as events show it, with U+FFFD where bytes are not UTF-8; the exact bytes are
//!   in fields of their own, whose names end in `_b64`, and are compared as base64.

#![forbid(unsafe_code)]

use forebear_events::ndjson;
use jiff::tz::Offset;

use crate::bounds::Slots;
use crate::check::Checker;
use crate::condition::Condition;
use crate::line::Node;

mod ast;
mod bounds;
mod catalogue;
mod check;
pub mod condition;
mod diagnostic;
mod glob;
mod lexer;
mod line;
mod parser;
mod print;
mod property;
pub mod reference;
mod saved;
mod source;
mod truth;
mod value;
mod when;

pub use ast::{Comparison, Expr, Operator};
pub use bounds::Bounds;
pub use check::{MAX_COMPARISONS, MAX_MACRO_DEPTH, Macros};
pub use diagnostic::{Code, Diagnostic, Span, render};
pub use glob::Glob;
pub use parser::{MAX_DEPTH, MAX_LENGTH, parse};
pub use property::{Kind, PROPERTIES, Property, Subject};
pub use saved::read_macros;
pub use source::{Facts, Source, Value};
pub use truth::Truth;
pub use when::{Moment, Range};

/// A query that has been checked.
#[derive(Clone, Debug)]
pub struct Query {
    condition: Condition,
    moment: Moment,
    /// The needed paths, as they are written; the place of each is its slot.
    paths: Vec<String>,
    keys: Vec<Vec<String>>,
    needed: Node,
    properties: Vec<String>,
    slots: Slots,
}

impl Query {
    /// Reads and checks a query without macros.
    ///
    /// # Errors
    /// Every mistake in it, in the order of the text; [`render`] makes them readable.
    pub fn compile(text: &str, moment: Moment) -> Result<Self, Vec<Diagnostic>> {
        Self::with_macros(text, moment, &Macros::new())
    }

    /// Reads and checks a query that may use these saved ones.
    ///
    /// # Errors
    /// As [`Query::compile`].
    pub fn with_macros(
        text: &str,
        moment: Moment,
        macros: &Macros,
    ) -> Result<Self, Vec<Diagnostic>> {
        let (expr, problems) = parser::parse_partly(text);
        let mut checker = Checker::new(&moment, macros);
        checker.problems = problems;
        let condition = expr.and_then(|expr| checker.condition(&expr));
        let Checker { paths: keys, properties, mut problems, .. } = checker;
        let condition = match condition {
            Some(condition) if problems.is_empty() => condition,
            _ => {
                problems.sort_by_key(|problem| problem.span.start);
                return Err(problems);
            }
        };
        let paths: Vec<String> = keys.iter().map(|keys| keys.join(".")).collect();
        let slot = |path: &str| paths.iter().position(|known| known == path);
        let ahead = moment.zone.to_fixed_offset().ok().map(Offset::seconds);
        let slots = Slots { time: slot("event_time"), host: slot("host.id"), ahead };
        let needed = Node::of(&keys);
        Ok(Self { condition, moment, paths, keys, needed, properties, slots })
    }

    /// What the query is on an event, given as its line.
    ///
    /// # Errors
    /// If the line is not a JSON object.
    pub fn of_line(&self, line: &[u8]) -> Result<Truth, ndjson::Error> {
        let mut row = vec![None; self.paths.len()];
        self.needed.read(line, &mut row).map_err(ndjson::Error::NotAnEvent)?;
        Ok(self.condition.evaluate(&row, &self.moment))
    }

    /// What the query is on anything that has fields.
    pub fn evaluate(&self, source: &impl Source) -> Truth {
        let row = self.paths.iter().map(|path| source.value(path)).collect();
        self.condition.evaluate(&row, &self.moment)
    }

    /// The names of the properties that it uses, those of its macros too, each once.
    pub fn properties(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(String::as_str)
    }

    /// The paths of the fields that it needs.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// The keys on the way to a field that it needs, by its slot; keys that an operator has chosen
    /// may hold full stops.
    pub fn keys(&self, slot: usize) -> &[String] {
        self.keys.get(slot).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is asked, its names as slots: places in [`Query::paths`].
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// What its words for times refer to.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    /// What it can match at all.
    pub fn bounds(&self) -> Bounds {
        bounds::of(&self.condition, false, self.slots)
    }
}
