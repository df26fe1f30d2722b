//! What a query can match at all: a range of time and a set of machines.
//!
//! A reader of an archive passes over everything outside of it.
//!
//! Invariant: every event for which the query is true is inside.

use std::collections::BTreeSet;

use crate::condition::{Condition, Leaf, Measure, Operand, Test};
use crate::when::Range;

/// What a query can match at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The earliest `event_time`, in nanoseconds since the Unix epoch.
    pub from: Option<i128>,
    /// The time before which every `event_time` lies.
    pub to: Option<i128>,
    /// The only values of `host.id`.
    pub hosts: Option<BTreeSet<String>>,
}

impl Bounds {
    /// Everything.
    pub const ALL: Self = Self { from: None, to: None, hosts: None };

    /// Whether nothing can match.
    pub fn are_empty(&self) -> bool {
        let no_time = self.from.zip(self.to).is_some_and(|(from, to)| from >= to);
        no_time || self.hosts.as_ref().is_some_and(BTreeSet::is_empty)
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let hosts = match (self.hosts, other.hosts) {
            (Some(one), Some(other)) => Some(one.intersection(&other).cloned().collect()),
            (one, other) => one.or(other),
        };
        // `None` is less than any start, so the later start wins; of the ends the earlier one.
        let to = [self.to, other.to].into_iter().flatten().min();
        Self { from: self.from.max(other.from), to, hosts }
    }

    /// What is in either, and what lies between them.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self.are_empty() {
            return other;
        }
        if other.are_empty() {
            return self;
        }
        Self {
            from: self.from.zip(other.from).map(|(one, other)| one.min(other)),
            to: self.to.zip(other.to).map(|(one, other)| one.max(other)),
            hosts: self.hosts.zip(other.hosts).map(|(one, other)| &one | &other),
        }
    }
}

/// The slots of the two fields that bounds are about, where the query needs them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub time: Option<usize>,
    pub host: Option<usize>,
}

/// The bounds of a condition, or of its opposite.
pub(crate) fn of(condition: &Condition, is_negated: bool, slots: Slots) -> Bounds {
    let each = |members: &[Condition], join: fn(Bounds, Bounds) -> Bounds| {
        let bounds = members.iter().map(|member| of(member, is_negated, slots));
        bounds.reduce(join).unwrap_or(Bounds::ALL)
    };
    match condition {
        // The opposite of `a and b` is `not a or not b`, also where something is unknown.
        Condition::All(members) if is_negated => each(members, Bounds::or),
        Condition::All(members) => each(members, Bounds::and),
        Condition::Any(members) if is_negated => each(members, Bounds::and),
        Condition::Any(members) => each(members, Bounds::or),
        Condition::Not(inner) => of(inner, !is_negated, slots),
        Condition::Saved(inner) => of(inner, is_negated, slots),
        Condition::Leaf(leaf) => of_leaf(leaf, leaf.is_negated != is_negated, slots),
    }
}

fn of_leaf(leaf: &Leaf, is_negated: bool, slots: Slots) -> Bounds {
    let Operand::Field(slot) = leaf.operand else { return Bounds::ALL };
    match &leaf.test {
        Test::Number(Measure::Time, ranges) if Some(slot) == slots.time => {
            let (start, end) = hull(ranges, is_negated);
            let from = Some(start).filter(|start| *start > i128::MIN);
            Bounds { from, to: Some(end).filter(|end| *end < i128::MAX), hosts: None }
        }
        Test::Text(globs) if Some(slot) == slots.host && !is_negated => {
            let literals = globs.iter().map(|glob| glob.literal().map(str::to_owned));
            Bounds { hosts: literals.collect(), ..Bounds::ALL }
        }
        _ => Bounds::ALL,
    }
}

/// The smallest range around all of these, or around everything outside of them.
fn hull(ranges: &[Range], is_negated: bool) -> (i128, i128) {
    if !is_negated {
        let start = ranges.iter().map(|range| range.start).min().unwrap_or(0);
        return (start, ranges.iter().map(|range| range.end).max().unwrap_or(0));
    }
    // What begins before all time or never ends leaves only what is beyond its other side.
    let never_began = ranges.iter().filter(|range| range.start == i128::MIN);
    let never_ends = ranges.iter().filter(|range| range.end == i128::MAX);
    let start = never_began.map(|range| range.end).max().unwrap_or(i128::MIN);
    (start, never_ends.map(|range| range.start).min().unwrap_or(i128::MAX))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use crate::{Moment, Query};

    const WEB: &str = "1f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6";
    const DB: &str = "2f0e9d8c-7b6a-8594-a3b2-c1d0e9f8a7b6";

    /// Bounds as days of November 2026 and hosts.
    #[track_caller]
    fn are(text: &str, from: Option<i8>, to: Option<i8>, hosts: Option<&[&str]>) {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let query = Query::compile(text, Moment { now, zone: TimeZone::UTC }).unwrap();
        let bounds = query.bounds();
        let day = |day: i8| {
            let text = format!("2026-11-{day:02}T00:00:00Z");
            text.parse::<Timestamp>().unwrap().as_nanosecond()
        };
        assert_eq!((bounds.from, bounds.to), (from.map(day), to.map(day)), "{text}");
        let found: Option<Vec<&str>> =
            bounds.hosts.as_ref().map(|hosts| hosts.iter().map(String::as_str).collect());
        assert_eq!(found.as_deref(), hosts, "{text}");
    }

    #[test]
    fn a_comparison_of_the_time_bounds_it() {
        are("cmd_date = '2026-11-20'", Some(20), Some(21), None);
        are("cmd_date < '2026-11-20'", None, Some(20), None);
        are("event_time <= '2026-11-20'", None, Some(21), None);
        are("cmd_date > '2026-11-20'", Some(21), None, None);
        are("cmd_date >= '2026-11-20'", Some(20), None, None);
        are("cmd_date IN '2026-11-20,yesterday'", Some(20), Some(24), None);
        are("cmd_date != '2026-11-20'", None, None, None);
    }

    #[test]
    fn a_machine_that_is_named_bounds_it() {
        are(&format!("server = '{WEB}'"), None, None, Some(&[WEB]));
        are(&format!("server IN '{WEB},{DB}'"), None, None, Some(&[WEB, DB]));
        are(&format!("server IN '{WEB},2f*'"), None, None, None);
        are(&format!("server != '{WEB}'"), None, None, None);
        are(&format!("server = '{WEB}' and host.id = '{DB}'"), None, None, Some(&[]));
    }

    #[test]
    fn and_narrows_and_or_widens() {
        are("cmd_date >= '2026-11-20' and cmd_date < '2026-11-22'", Some(20), Some(22), None);
        are("cmd_date = '2026-11-20' or cmd_date = '2026-11-22'", Some(20), Some(23), None);
        are("cmd_date = '2026-11-20' or cmd_root = 'x'", None, None, None);
        are("cmd_date = '2026-11-20' and cmd_root = 'x'", Some(20), Some(21), None);
        // What cannot match adds nothing.
        let never = "cmd_date < '2026-11-20' and cmd_date > '2026-11-22'";
        are(&format!("cmd_date = '2026-11-20' or {never}"), Some(20), Some(21), None);
    }

    #[test]
    fn the_opposite_of_half_of_time_is_the_other_half() {
        are("not (cmd_date < '2026-11-20' or cmd_date >= '2026-11-22')", Some(20), Some(22), None);
        are(&format!("not (server != '{WEB}')"), None, None, Some(&[WEB]));
    }
}
