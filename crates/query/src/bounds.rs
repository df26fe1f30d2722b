//! What a query can match at all: a range of time, hours of the day, and a set of machines.
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
    /// The hours of the day in UTC that `event_time` can lie in; midnight's is the lowest bit.
    pub hours: u32,
    /// The only values of `host.id`.
    pub hosts: Option<BTreeSet<String>>,
}

/// Every hour of the day.
const EVERY_HOUR: u32 = (1 << 24) - 1;

/// Nanoseconds of an hour.
const HOUR: i128 = 3_600_000_000_000;

impl Bounds {
    /// Everything.
    pub const ALL: Self = Self { from: None, to: None, hours: EVERY_HOUR, hosts: None };

    /// Whether nothing can match.
    pub fn are_empty(&self) -> bool {
        let no_time = self.from.zip(self.to).is_some_and(|(from, to)| from >= to);
        no_time || self.hours == 0 || self.hosts.as_ref().is_some_and(BTreeSet::is_empty)
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
        Self { from: self.from.max(other.from), to, hours: self.hours & other.hours, hosts }
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
            hours: self.hours | other.hours,
            hosts: self.hosts.zip(other.hosts).map(|(one, other)| &one | &other),
        }
    }
}

/// The slots of the two fields that bounds are about, where the query needs them, and the zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots {
    pub time: Option<usize>,
    pub host: Option<usize>,
    /// Seconds that the zone is always ahead of UTC; `None` where that changes.
    pub ahead: Option<i32>,
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
            Bounds { from, to: Some(end).filter(|end| *end < i128::MAX), ..Bounds::ALL }
        }
        Test::Number(Measure::TimeOfDay, ranges) if Some(slot) == slots.time => {
            let hours = slots.ahead.map(|ahead| hours(ranges, is_negated, ahead));
            Bounds { hours: hours.unwrap_or(EVERY_HOUR), ..Bounds::ALL }
        }
        Test::Text(globs) if Some(slot) == slots.host && !is_negated => {
            let literals = globs.iter().map(|glob| glob.literal().map(str::to_owned));
            Bounds { hosts: literals.collect(), ..Bounds::ALL }
        }
        _ => Bounds::ALL,
    }
}

/// The hours of UTC with a time of day that lies in one of these, or outside of them all.
fn hours(ranges: &[Range], is_negated: bool, ahead: i32) -> u32 {
    let day = 24 * HOUR;
    let holds = |start: i128, end: i128| {
        let within = |range: &Range| range.start.max(start) < range.end.min(end);
        match is_negated {
            // Several ranges may cover an hour together; then it is looked at in vain.
            true => !ranges.iter().any(|range| range.start <= start && end <= range.end),
            false => ranges.iter().any(within),
        }
    };
    let is_wanted = |hour: &i128| {
        let start = (hour * HOUR + i128::from(ahead) * 1_000_000_000).rem_euclid(day);
        let end = start + HOUR;
        // Of a zone that is not ahead by whole hours one hour goes over midnight.
        holds(start, end.min(day)) || (end > day && holds(0, end - day))
    };
    (0..24).filter(is_wanted).fold(0, |hours, hour| hours | (1 << hour))
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
    use jiff::tz::{Offset, TimeZone};

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

    /// The hours of UTC that a query can match, by a zone so many minutes ahead.
    #[track_caller]
    fn are_hours(text: &str, ahead: i32, expected: &[u32]) {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(Offset::from_seconds(ahead * 60).unwrap());
        let hours = Query::compile(text, Moment { now, zone }).unwrap().bounds().hours;
        let found: Vec<u32> = (0..24).filter(|hour| hours & (1 << hour) != 0).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_time_of_day_bounds_the_hours() {
        are_hours("cmd_hour_of_day < '2'", 0, &[0, 1]);
        are_hours("cmd_hour_of_day <= '2'", 0, &[0, 1, 2]);
        are_hours("cmd_hour_of_day < '2:01'", 0, &[0, 1, 2]);
        are_hours("cmd_hour_of_day > '21:30'", 0, &[21, 22, 23]);
        are_hours("cmd_hour_of_day IN '3,5:59'", 0, &[3, 5]);
        are_hours("not (cmd_hour_of_day >= '2')", 0, &[0, 1]);
        are_hours("cmd_hour_of_day < '6' and not (cmd_hour_of_day != '3')", 0, &[3]);
        are_hours("cmd_hour_of_day < '1' or cmd_hour_of_day > '22:59'", 0, &[0, 23]);
        let all: Vec<u32> = (0..24).collect();
        are_hours("cmd_hour_of_day < '1' or cmd_root = 'x'", 0, &all);
        are_hours("cmd_hour_of_day != '3:30'", 0, &all);
        are_hours("session_hour_of_day < '6'", 0, &all);
    }

    #[test]
    fn the_hours_are_those_of_utc() {
        are_hours("cmd_hour_of_day < '2'", 60, &[0, 23]);
        are_hours("cmd_hour_of_day < '2'", -60, &[1, 2]);
        are_hours("cmd_hour_of_day < '2'", 330, &[18, 19, 20]);
        are_hours("cmd_hour_of_day = '23'", 330, &[17, 18]);
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let query = Query::compile("cmd_hour_of_day < '2'", Moment { now, zone }).unwrap();
        assert_eq!(query.bounds(), crate::Bounds::ALL);
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
