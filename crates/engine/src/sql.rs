//! A CQL query as SQL: the same condition over the columns of `events`.
//!
//! SQL's logic has the same three values, so that only the leaves need care: what CQL does not
//! know is NULL. Long lists are printed as a tree, because SQL's readers go down one level a word.

use std::fmt::Write as _;

use datafusion::arrow::datatypes::{DataType, Fields};
use forebear_query::condition::{Condition, Leaf, Measure, Operand, Side, Test};
use forebear_query::{Glob, Query, Range};
use jiff::Timestamp;

use crate::schema::schema;

/// The condition behind `WHERE`.
pub fn condition(query: &Query) -> String {
    Printer { query }.condition(query.condition())
}

struct Printer<'q> {
    query: &'q Query,
}

impl Printer<'_> {
    fn condition(&self, condition: &Condition) -> String {
        let each = |members: &[Condition], word: &str| {
            let members: Vec<String> =
                members.iter().map(|member| format!("({})", self.condition(member))).collect();
            joined(&members, word)
        };
        match condition {
            Condition::All(members) => each(members, "AND"),
            Condition::Any(members) => each(members, "OR"),
            Condition::Not(inner) => format!("NOT ({})", self.condition(inner)),
            Condition::Saved(inner) => self.condition(inner),
            Condition::Leaf(leaf) => self.leaf(leaf),
        }
    }

    fn leaf(&self, Leaf { operand, test, is_negated }: &Leaf) -> String {
        let text = self.operand(operand, test);
        if *is_negated { format!("NOT ({text})") } else { text }
    }

    fn operand(&self, operand: &Operand, test: &Test) -> String {
        match operand {
            Operand::Field(slot) => {
                self.test(&self.field(*slot), is_list(self.query.keys(*slot)), test)
            }
            Operand::First(one, other) => {
                let first = format!("coalesce({}, {})", self.field(*one), self.field(*other));
                self.test(&first, false, test)
            }
            Operand::Arguments { builtin, own, without } => {
                let (builtin, own) = (self.field(*builtin), self.field(*own));
                let first = format!("arguments(coalesce({builtin}, {own}), {without})");
                self.test(&first, false, test)
            }
            Operand::IsBuiltin(slot) => {
                let field = self.field(*slot);
                let value = format!(
                    "CASE {field} WHEN 'BUILTIN' THEN true WHEN 'EXEC' THEN false \
                     WHEN 'BACKFILL' THEN false END"
                );
                self.test(&format!("({value})"), false, test)
            }
            Operand::Dual([one, other]) => {
                // A value that is not there does not count; if none is, nobody can know.
                let (counts, is_one) = self.side(one, test);
                let (other_counts, is_other) = self.side(other, test);
                format!(
                    "CASE WHEN ({counts}) OR ({other_counts}) THEN \
                     (({counts}) AND ({is_one})) OR (({other_counts}) AND ({is_other})) END"
                )
            }
        }
    }

    /// Whether a side counts, and whether it passes.
    fn side(&self, side: &Side, test: &Test) -> (String, String) {
        let value = self.field(side.value);
        let [missing, unknown] = side.unknown.map(|slot| self.field(slot));
        let counts =
            format!("{value} IS NOT NULL OR {missing} IS NOT NULL OR {unknown} IS NOT NULL");
        let passes = match side.is_joined {
            true => self.test(&format!("arguments({value}, 0)"), false, test),
            false => self.test(&value, false, test),
        };
        (counts, passes)
    }

    /// A field by its keys: fields of objects behind full stops, keys of maps in brackets.
    fn field(&self, slot: usize) -> String {
        field(self.query.keys(slot))
    }

    fn test(&self, value: &str, is_list: bool, test: &Test) -> String {
        match test {
            Test::Text(globs) if is_list => {
                let each = |glob: &Glob| format!("glob_any({value}, {})", quoted(glob.pattern()));
                any(value, globs.iter().map(each))
            }
            Test::Text(globs) => texts(value, globs),
            Test::Number(measure, ranges) => self.number(value, *measure, ranges),
            Test::Boolean(true) => value.to_owned(),
            Test::Boolean(false) => format!("NOT {value}"),
            Test::Weekday(days) => {
                let zone = quoted(&self.zone());
                let days = (0..7).filter(|day| days & (1_u8 << day) != 0);
                let days: Vec<String> = days.map(|day| day.to_string()).collect();
                within(&format!("weekday({value}, {zone})"), &days)
            }
            Test::Address { internal, external } => {
                let words = [("'internal'", *internal), ("'external'", *external)];
                let words = words.iter().filter(|(_, holds)| *holds);
                let words: Vec<String> = words.map(|(word, _)| (*word).to_owned()).collect();
                within(&format!("ip_type({value})"), &words)
            }
        }
    }

    fn number(&self, value: &str, measure: Measure, ranges: &[Range]) -> String {
        let value = match measure {
            Measure::TimeOfDay => format!("time_of_day({value}, {})", quoted(&self.zone())),
            Measure::Integer | Measure::Time => value.to_owned(),
        };
        let literal = |number: i64| match measure {
            // Every i64 of nanoseconds is within jiff's years.
            Measure::Time => {
                quoted(&Timestamp::from_nanosecond(number.into()).unwrap_or_default().to_string())
            }
            Measure::Integer | Measure::TimeOfDay => number.to_string(),
        };
        any(
            &value,
            ranges.iter().map(|Range { start, end }| {
                if start.checked_add(1) == Some(*end)
                    && let Ok(number) = i64::try_from(*start)
                {
                    return format!("{value} = {}", literal(number));
                }
                let start = (*start > i128::from(i64::MIN)).then(|| match i64::try_from(*start) {
                    Ok(start) => format!("{value} >= {}", literal(start)),
                    Err(_) => never(&value),
                });
                let end = (*end <= i128::from(i64::MAX)).then(|| match i64::try_from(*end) {
                    Ok(end) => format!("{value} < {}", literal(end)),
                    Err(_) => never(&value),
                });
                match (start, end) {
                    (Some(start), Some(end)) => format!("({start} AND {end})"),
                    (Some(one), None) | (None, Some(one)) => one,
                    // Whatever it is, but not if it is not there.
                    (None, None) => format!("{value} = {value}"),
                }
            }),
        )
    }

    /// The zone of the query's clock, as the functions of [`functions`](crate::functions) read it.
    fn zone(&self) -> String {
        let zone = &self.query.moment().zone;
        match zone.iana_name() {
            Some(name) => name.to_owned(),
            None => zone.to_offset(self.query.moment().now).to_string(),
        }
    }
}

/// False, but unknown if the value is.
fn never(value: &str) -> String {
    format!("{value} <> {value}")
}

/// At least one of some conditions on a value.
fn any(value: &str, conditions: impl Iterator<Item = String>) -> String {
    let conditions: Vec<String> = conditions.collect();
    match conditions.as_slice() {
        [] => never(value),
        [one] => one.clone(),
        _ => joined(&conditions, "OR"),
    }
}

fn within(value: &str, items: &[String]) -> String {
    match items {
        [] => never(value),
        [one] => format!("{value} = {one}"),
        items => format!("{value} IN ({})", items.join(", ")),
    }
}

/// Texts that stand for themselves are compared, the others matched.
fn texts(value: &str, globs: &[Glob]) -> String {
    let literals: Vec<String> = globs.iter().filter_map(Glob::literal).map(quoted).collect();
    let patterns = globs.iter().filter(|glob| glob.literal().is_none());
    let patterns = patterns.map(|glob| format!("glob({value}, {})", quoted(glob.pattern())));
    let same = (!literals.is_empty()).then(|| within(value, &literals));
    any(value, same.into_iter().chain(patterns))
}

/// How many members stand beside each other before they become a tree.
const FLAT: usize = 16;

fn joined(members: &[String], word: &str) -> String {
    if members.len() <= FLAT {
        return members.join(&format!(" {word} "));
    }
    let (one, other) = members.split_at(members.len() / 2);
    format!("({}) {word} ({})", joined(one, word), joined(other, word))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn field(keys: &[String]) -> String {
    let mut text = String::new();
    let mut fields: Option<Fields> = Some(schema().fields().clone());
    for key in keys {
        match &fields {
            Some(_) if text.is_empty() => text.push_str(key),
            Some(_) => {
                let _ = write!(text, ".{key}");
            }
            None => {
                let _ = write!(text, "[{}]", quoted(key));
            }
        }
        fields = match fields.and_then(|fields| Some(fields.find(key)?.1.data_type().clone())) {
            Some(DataType::Struct(below)) => Some(below),
            _ => None,
        };
    }
    text
}

fn is_list(keys: &[String]) -> bool {
    let mut fields = schema().fields().clone();
    for key in keys {
        match fields.find(key).map(|(_, field)| field.data_type().clone()) {
            Some(DataType::Struct(below)) => fields = below,
            Some(DataType::List(_)) => return true,
            _ => return false,
        }
    }
    false
}
