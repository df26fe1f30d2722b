//! A checked query, ready to be asked: every name is a slot of a row, every value is compiled.
//!
//! Public for those who say the same in another language; a slot is the place of a path in
//! [`Query::paths`](crate::Query::paths).
//!
//! Invariant: evaluation does not fail and does not panic, whatever is in the row.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::glob::Glob;
use crate::line::Row;
use crate::source::Value;
use crate::truth::Truth;
use crate::when::{Moment, Range};

/// A condition whose names and values are known to be right.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Every one of them.
    All(Vec<Self>),
    /// At least one of them.
    Any(Vec<Self>),
    /// The opposite.
    Not(Box<Self>),
    /// A saved query, which several places may share.
    Saved(Arc<Self>),
    /// A comparison.
    Leaf(Leaf),
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// What is compared.
    pub operand: Operand,
    /// What it has to be.
    pub test: Test,
    /// Whether it holds where the test does not.
    pub is_negated: bool,
}

/// What is compared. Numbers are slots.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A field.
    Field(usize),
    /// The first of two fields that is there.
    First(usize, usize),
    /// The items of the first of two lists that is there, joined by blanks.
    Arguments {
        /// The arguments of a builtin.
        builtin: usize,
        /// Those of the process itself.
        own: usize,
        /// How many of them do not count.
        without: usize,
    },
    /// Whether this type of event is the one of builtins; unknown if it is of no command.
    IsBuiltin(usize),
    /// Either of two values.
    Dual([Side; 2]),
}

/// One of the two values of a dual-valued property.
#[derive(Clone, Debug)]
pub struct Side {
    /// The value.
    pub value: usize,
    /// Where the event says that there is such a value, but that it is not known.
    pub unknown: [usize; 2],
    /// Whether it is a list, whose items are joined by blanks.
    pub is_joined: bool,
}

/// What a value has to be.
#[derive(Clone, Debug)]
pub enum Test {
    /// To match one of these.
    Text(Vec<Glob>),
    /// To lie in one of these.
    Number(Measure, Vec<Range>),
    /// To be this.
    Boolean(bool),
    /// To be on one of these days; Monday is the lowest bit.
    Weekday(u8),
    /// To be an address of the machine's own networks, of another one, or either.
    Address {
        /// One of those.
        internal: bool,
        /// Another one.
        external: bool,
    },
}

/// What is measured on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The number itself.
    Integer,
    /// Nanoseconds since the Unix epoch.
    Time,
    /// Nanoseconds since midnight.
    TimeOfDay,
}

impl Condition {
    pub(crate) fn evaluate(&self, row: &Row<'_>, moment: &Moment) -> Truth {
        match self {
            Self::All(members) => {
                let mut truth = Truth::True;
                for member in members {
                    truth = truth.and(member.evaluate(row, moment));
                    if truth == Truth::False {
                        break;
                    }
                }
                truth
            }
            Self::Any(members) => {
                let mut truth = Truth::False;
                for member in members {
                    truth = truth.or(member.evaluate(row, moment));
                    if truth == Truth::True {
                        break;
                    }
                }
                truth
            }
            Self::Not(inner) => !inner.evaluate(row, moment),
            Self::Saved(inner) => inner.evaluate(row, moment),
            Self::Leaf(leaf) => leaf.evaluate(row, moment),
        }
    }
}

impl Leaf {
    fn evaluate(&self, row: &Row<'_>, moment: &Moment) -> Truth {
        let truth = self.operand.is(&self.test, row, moment);
        if self.is_negated { !truth } else { truth }
    }
}

fn at<'r, 'v>(row: &'r Row<'v>, slot: usize) -> Option<&'r Value<'v>> {
    row.get(slot).and_then(Option::as_ref)
}

impl Operand {
    /// Whether a value of it passes the test.
    fn is(&self, test: &Test, row: &Row<'_>, moment: &Moment) -> Truth {
        match self {
            Self::Field(slot) => test.of(at(row, *slot), moment),
            Self::First(one, other) => test.of(at(row, *one).or(at(row, *other)), moment),
            Self::Arguments { builtin, own, without } => {
                let list = at(row, *builtin).or(at(row, *own));
                let joined = list.and_then(|list| joined(list, *without));
                test.of(joined.as_ref(), moment)
            }
            Self::IsBuiltin(slot) => test.of(at(row, *slot).and_then(is_builtin).as_ref(), moment),
            Self::Dual(sides) => {
                // A value that is not there does not count; if none is, nobody can know.
                let truths = sides.iter().filter_map(|side| side.is(test, row, moment));
                truths.reduce(Truth::or).unwrap_or(Truth::Unknown)
            }
        }
    }
}

impl Side {
    /// `None` if there is no such value.
    fn is(&self, test: &Test, row: &Row<'_>, moment: &Moment) -> Option<Truth> {
        match at(row, self.value) {
            Some(list) if self.is_joined => Some(test.of(joined(list, 0).as_ref(), moment)),
            Some(value) => Some(test.of(Some(value), moment)),
            None => {
                let is_unknown = self.unknown.iter().any(|slot| at(row, *slot).is_some());
                is_unknown.then_some(Truth::Unknown)
            }
        }
    }
}

/// The items of a list, joined by blanks, without the first so many.
fn joined(value: &Value<'_>, without: usize) -> Option<Value<'static>> {
    match value {
        Value::Texts(texts) => {
            let texts = texts.get(without..).unwrap_or_default();
            Some(Value::Text(Cow::Owned(texts.join(" "))))
        }
        _ => None,
    }
}

fn is_builtin(event_type: &Value<'_>) -> Option<Value<'static>> {
    match event_type {
        Value::Text(word) if word == "BUILTIN" => Some(Value::Boolean(true)),
        Value::Text(word) if word == "EXEC" || word == "BACKFILL" => Some(Value::Boolean(false)),
        _ => None,
    }
}

impl Test {
    /// Whether the value passes. What is absent, or not of the type of the field, is unknown; of a
    /// list one item has to pass.
    fn of(&self, value: Option<&Value<'_>>, moment: &Moment) -> Truth {
        let Some(value) = value else { return Truth::Unknown };
        let passes = match self {
            Self::Text(globs) => {
                let is_one = |text: &str| globs.iter().any(|glob| glob.matches(text));
                match value {
                    Value::Text(text) => Some(is_one(text)),
                    Value::Texts(texts) => Some(texts.iter().any(|text| is_one(text))),
                    Value::Integer(_) | Value::Boolean(_) | Value::Time(_) => None,
                }
            }
            Self::Number(measure, ranges) => measure
                .of(value, moment)
                .map(|number| ranges.iter().any(|it| (it.start..it.end).contains(&number))),
            Self::Boolean(wanted) => match value {
                Value::Boolean(holds) => Some(holds == wanted),
                _ => None,
            },
            Self::Weekday(days) => {
                time(value).and_then(|ns| moment.weekday(ns)).map(|day| days & (1_u8 << day) != 0)
            }
            Self::Address { internal, external } => match value {
                Value::Text(text) => is_internal(text)
                    .map(|is_internal| if is_internal { *internal } else { *external }),
                _ => None,
            },
        };
        passes.map_or(Truth::Unknown, Truth::from)
    }
}

impl Measure {
    fn of(self, value: &Value<'_>, moment: &Moment) -> Option<i128> {
        match self {
            Self::Integer => match value {
                Value::Integer(number) => Some(*number),
                _ => None,
            },
            Self::Time => time(value),
            Self::TimeOfDay => moment.time_of_day(time(value)?),
        }
    }
}

fn time(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Time(ns) => Some(*ns),
        Value::Text(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond),
        _ => None,
    }
}

/// Whether an address is one of a private network (RFC 1918, RFC 4193), of the link (RFC 3927,
/// RFC 4291) or of the machine itself; `None` if the text is no address.
pub fn is_internal(address: &str) -> Option<bool> {
    let address: IpAddr = address.parse().ok()?;
    Some(match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    })
}
