//! The value of a comparison, read as the property's type asks.

use crate::ast::{Comparison, Operator};
use crate::condition::{Measure, Test};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::glob::{Fault, Glob, items};
use crate::property::{Kind, nearest};
use crate::when::{FORMS, Moment, Range, time_of_day};

/// What a comparison is about.
pub(crate) struct Property<'n> {
    pub name: &'n str,
    pub kind: Kind,
    /// The words that it may have, if it is of a vocabulary.
    pub words: Vec<String>,
}

/// Boxed, since it is large and rare.
type Result<T> = std::result::Result<T, Box<Diagnostic>>;

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What a door is called besides `ssh`.
const SSHD: &str = "sshd";

/// The test that the comparison makes, without its negation.
pub(crate) fn test(
    property: &Property<'_>,
    comparison: &Comparison,
    moment: &Moment,
) -> Result<Test> {
    Ok(match property.kind {
        Kind::Text => Test::Text(globs(comparison, |_, _| Ok(()))?),
        Kind::Uuid => Test::Text(globs(comparison, is_uuid)?),
        Kind::Word => Test::Text(words(property, comparison)?),
        Kind::Weekday => {
            let mut days = 0;
            for glob in words_of(comparison, &WEEKDAYS)? {
                for (bit, day) in WEEKDAYS.iter().enumerate() {
                    days |= u8::from(glob.matches(day)) << bit;
                }
            }
            Test::Weekday(days)
        }
        Kind::AddressType => {
            let globs = words_of(comparison, &["internal", "external"])?;
            let has = |word| globs.iter().any(|glob| glob.matches(word));
            Test::Address { internal: has("internal"), external: has("external") }
        }
        Kind::Boolean => Test::Boolean(boolean(comparison)?),
        Kind::Integer => Test::Number(Measure::Integer, ranges(comparison, integer)?),
        Kind::Time => {
            let time = |item: &Item<'_>| {
                moment
                    .range(item.text)
                    .ok_or_else(|| item.wrong(Code::BadTime, "is not a time").expected(FORMS))
            };
            Test::Number(Measure::Time, ranges(comparison, time)?)
        }
        Kind::TimeOfDay => Test::Number(Measure::TimeOfDay, ranges(comparison, hour)?),
    })
}

/// The value of a boolean comparison.
pub(crate) fn boolean(comparison: &Comparison) -> Result<bool> {
    let item = Item { text: comparison.value.trim(), span: comparison.value_at };
    match item.text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(item
            .wrong(Code::BadBoolean, "is neither true nor false")
            .expected("'true' or 'false'")
            .into()),
    }
}

/// A value, or one item of its list.
struct Item<'v> {
    text: &'v str,
    span: Span,
}

impl Item<'_> {
    fn wrong(&self, code: Code, how: &str) -> Diagnostic {
        let text: String = self.text.chars().take(64).collect();
        Diagnostic::new(code, self.span, format!("`{text}` {how}"))
    }

    /// The part of the item that a pattern's fault is about. A value with doubled quotes is
    /// underlined as a whole.
    fn of_fault(&self, fault: Fault) -> Diagnostic {
        let is_exact = self.span.end - self.span.start == self.text.len();
        let span = match is_exact {
            true => Span { start: self.span.start + fault.start, end: self.span.start + fault.end },
            false => self.span,
        };
        Diagnostic::new(Code::BadPattern, span, fault.message).help(fault.help)
    }
}

/// The value, or the items of its list, with their places.
fn items_of(comparison: &Comparison) -> Result<Vec<Item<'_>>> {
    let Comparison { value, value_at, operator, .. } = comparison;
    // The value stands between quotes, or bare; with doubled quotes places cannot be told.
    let inside = match value_at.end - value_at.start - value.len() {
        0 => Some(value_at.start),
        2 => Some(value_at.start + 1),
        _ => None,
    };
    let span = |at: usize, length: usize| match inside {
        Some(inside) => Span { start: inside + at, end: inside + at + length },
        None => *value_at,
    };
    if !operator.takes_list() {
        return Ok(vec![Item { text: value, span: span(0, value.len()) }]);
    }
    let items = items(value).into_iter().map(|(at, text)| {
        let item = Item { text, span: span(at, text.len()) };
        if text.is_empty() {
            let problem =
                Diagnostic::new(Code::EmptyItem, item.span, "an item of the list is empty");
            return Err(Box::new(problem.expected("items with one comma between them").help(
                "a comma that belongs to an item is written [,]; for the empty text use = ''",
            )));
        }
        Ok(item)
    });
    items.collect()
}

fn globs(
    comparison: &Comparison,
    check: impl Fn(&Glob, &Item<'_>) -> Result<()>,
) -> Result<Vec<Glob>> {
    let compile = |item: Item<'_>| {
        let glob = Glob::new(item.text).map_err(|fault| item.of_fault(fault))?;
        check(&glob, &item)?;
        Ok(glob)
    };
    items_of(comparison)?.into_iter().map(compile).collect()
}

/// Patterns for a list of words that is complete, in any case.
fn words_of(comparison: &Comparison, words: &[&str]) -> Result<Vec<Glob>> {
    let lower = Comparison { value: comparison.value.to_ascii_lowercase(), ..comparison.clone() };
    globs(&lower, |glob, item| {
        if words.iter().any(|word| glob.matches(word)) {
            return Ok(());
        }
        Err(no_word(item, words))
    })
}

/// Refuses a word that is none of these. A pattern may be meant for words of later versions.
fn is_word(glob: &Glob, item: &Item<'_>, words: &[&str]) -> Result<()> {
    let is_plain = glob.literal() == Some(item.text);
    if !is_plain || words.contains(&item.text) {
        return Ok(());
    }
    Err(no_word(item, words))
}

fn no_word(item: &Item<'_>, words: &[&str]) -> Box<Diagnostic> {
    let near = nearest(item.text, words.iter().copied());
    let problem = item.wrong(Code::BadWord, "is not a word that this property has");
    let problem = problem.expected(format!("one of {}", words.join(", ")));
    Box::new(problem.maybe_help(near.map(|near| format!("did you mean '{near}'?"))))
}

/// Patterns for the words of an exported field.
fn words(property: &Property<'_>, comparison: &Comparison) -> Result<Vec<Glob>> {
    let mut words: Vec<&str> = property.words.iter().map(String::as_str).collect();
    if property.name == "session_how_connected" {
        words.push(SSHD);
    }
    let mut globs = globs(comparison, |glob, item| is_word(glob, item, &words))?;
    for glob in globs.iter_mut().filter(|glob| glob.literal() == Some(SSHD)) {
        *glob = Glob::exactly("ssh");
    }
    Ok(globs)
}

fn is_uuid(glob: &Glob, item: &Item<'_>) -> Result<()> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_right = |text: &str| {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => is_digit(byte),
            })
    };
    match glob.literal() {
        Some(text) if !is_right(text) => Err(item
            .wrong(Code::BadUuid, "is not a UUID in lower case")
            .expected("such as 'c40d7a19-2e8f-8a5b-9c61-e3b5f0a94109'")
            .help("a part of one is a pattern: 'c40d7a19*'")
            .into()),
        _ => Ok(()),
    }
}

fn integer(item: &Item<'_>) -> std::result::Result<Range, Diagnostic> {
    match item.text.trim().parse::<i64>() {
        Ok(number) => Ok(Range { start: number.into(), end: i128::from(number) + 1 }),
        Err(_) => {
            Err(item.wrong(Code::BadInteger, "is not a whole number").expected("such as '136'"))
        }
    }
}

fn hour(item: &Item<'_>) -> std::result::Result<Range, Diagnostic> {
    let Some((time, width)) = time_of_day(item.text.trim()) else {
        let problem = item.wrong(Code::BadHour, "is not a time of day");
        return Err(problem.expected("'8' for the hour, '8:30' for the minute; 0:00 to 23:59"));
    };
    let start = time.duration_since(jiff::civil::Time::midnight()).as_nanos();
    Ok(Range { start, end: start + width })
}

/// What the operator makes of a range: itself, what is before it, or what is behind it.
fn ranges(
    comparison: &Comparison,
    read: impl Fn(&Item<'_>) -> std::result::Result<Range, Diagnostic>,
) -> Result<Vec<Range>> {
    let apply = |item: Item<'_>| {
        let Range { start, end } = read(&item)?;
        Ok(match comparison.operator {
            Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn => {
                Range { start, end }
            }
            Operator::Less => Range { start: i128::MIN, end: start },
            Operator::AtMost => Range { start: i128::MIN, end },
            Operator::Greater => Range { start: end, end: i128::MAX },
            Operator::AtLeast => Range { start, end: i128::MAX },
        })
    };
    items_of(comparison)?.into_iter().map(apply).collect()
}
