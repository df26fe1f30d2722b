//! Times as people write them, each a range: a day is a whole day, a minute a whole minute.
//!
//! A time of a query is `[start, end)`, as wide as it is exact. `=` asks whether a moment lies in
//! it, `<` before it, `>` behind it; `<=` and `>=` include it. So `cmd_date > 'yesterday'` is
//! everything from today's midnight on.
//!
//! Deliberately not here: a clock and a list of zones. Both are given.

use jiff::civil::{self, Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};

/// What a query's words for times refer to.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// The zone of days and hours.
    pub zone: TimeZone,
}

/// Whole numbers, such as nanoseconds since the Unix epoch: `start` is in it, `end` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first that is in it.
    pub start: i128,
    /// The first behind it.
    pub end: i128,
}

/// What a time may look like, for diagnostics and the reference.
pub(crate) const FORMS: &str = "Unix seconds, '2026-11-24', '2026-11-24 13:05', \
                                '2026-11-24T13:05:00Z', 'Jan 1 2026', 'yesterday', \
                                '4 days ago' or 'last month'";

const NS_PER_SECOND: i128 = 1_000_000_000;

impl Moment {
    /// So many nanoseconds after the Unix epoch, with days and hours of UTC.
    pub fn utc(ns: i64) -> Self {
        // Every i64 of nanoseconds is within jiff's years.
        let now = Timestamp::from_nanosecond(ns.into()).unwrap_or_default();
        Self { now, zone: TimeZone::UTC }
    }

    /// The range that a text stands for; `None` if it is no time.
    pub(crate) fn range(&self, text: &str) -> Option<Range> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<i64>() {
            return seconds_range(Timestamp::from_second(seconds).ok()?);
        }
        self.iso(text).or_else(|| self.words(text))
    }

    /// `2026-11`, `2026-11-24`, and that with a time of day and perhaps an offset behind it.
    fn iso(&self, text: &str) -> Option<Range> {
        let is_date = |text: &str| {
            let parts: Vec<&str> = text.split('-').collect();
            let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            lengths.starts_with(&[4, 2])
                && parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()))
        };
        if text.len() == 7 && is_date(text) {
            let first: Date = format!("{text}-01").parse().ok()?;
            return self.days(first, first.checked_add(1.month()).ok()?);
        }
        let (date, time) = match text.get(10..) {
            Some("") => (text, None),
            Some(rest) => (text.get(..10)?, Some(rest)),
            None => return None,
        };
        if !is_date(date) {
            return None;
        }
        let date: Date = date.parse().ok()?;
        let Some(time) = time else { return self.days(date, date.tomorrow().ok()?) };
        let time = time.strip_prefix(['T', 't']).unwrap_or(time).trim_start();
        let is_of_time = |c: char| c.is_ascii_digit() || c == ':' || c == '.';
        let (time, offset) = time.split_at(time.find(|c| !is_of_time(c)).unwrap_or(time.len()));
        let (time, width) = time_of_day(time)?;
        let civil = date.to_datetime(time);
        let start = match offset.trim_start() {
            "" => self.zone.to_timestamp(civil).ok()?,
            offset => format!("{civil}{}", colon(offset)?).parse().ok()?,
        };
        Some(Range { start: start.as_nanosecond(), end: start.as_nanosecond() + width })
    }

    fn words(&self, text: &str) -> Option<Range> {
        let lower = text.to_ascii_lowercase().replace(',', " ");
        let words: Vec<&str> = lower.split_whitespace().collect();
        let today = self.zone.to_datetime(self.now).date();
        match words.as_slice() {
            ["now"] => seconds_range(self.now),
            ["today"] => self.days(today, today.tomorrow().ok()?),
            ["yesterday"] => self.days(today.yesterday().ok()?, today),
            ["this", unit] => self.period(today, unit, 0),
            ["last", unit] => self.period(today, unit, 1),
            [count, unit, "ago"] => self.ago(today, count.parse().ok()?, unit),
            [month, year] if year.len() == 4 => {
                let first = Date::new(year.parse().ok()?, month_of(month)?, 1).ok()?;
                self.days(first, first.checked_add(1.month()).ok()?)
            }
            [month, day, year] if month_of(month).is_some() => self.day(day, month, year),
            [day, month, year] => self.day(day, month, year),
            _ => None,
        }
    }

    fn day(&self, day: &str, month: &str, year: &str) -> Option<Range> {
        if year.len() != 4 {
            return None;
        }
        let day = Date::new(year.parse().ok()?, month_of(month)?, day.parse().ok()?).ok()?;
        self.days(day, day.tomorrow().ok()?)
    }

    /// This calendar week, month or year, or the one before. A week begins on Monday.
    fn period(&self, today: Date, unit: &str, before: i64) -> Option<Range> {
        let (first, length) = match unit {
            "day" => (today, 1.day()),
            "week" => {
                let behind = today.weekday().since(Weekday::Monday);
                (today.checked_sub(i64::from(behind).days()).ok()?, 1.week())
            }
            "month" => (today.first_of_month(), 1.month()),
            "year" => (today.first_of_year(), 1.year()),
            _ => return None,
        };
        let first = (0..before).try_fold(first, |first, _| first.checked_sub(length).ok())?;
        self.days(first, first.checked_add(length).ok()?)
    }

    /// A number of days, weeks, months or years ago is the whole day; of shorter units the second.
    fn ago(&self, today: Date, count: i64, unit: &str) -> Option<Range> {
        // More than this is no time that anything was recorded at.
        if !(0..=1_000_000).contains(&count) {
            return None;
        }
        let back = |span: Span| today.checked_sub(span).ok();
        let seconds = match unit.trim_end_matches('s') {
            "second" => count,
            "minute" => count * 60,
            "hour" => count * 3_600,
            "day" => return self.whole_day(back(Span::new().try_days(count).ok()?)?),
            "week" => return self.whole_day(back(Span::new().try_weeks(count).ok()?)?),
            "month" => return self.whole_day(back(Span::new().try_months(count).ok()?)?),
            "year" => return self.whole_day(back(Span::new().try_years(count).ok()?)?),
            _ => return None,
        };
        seconds_range(Timestamp::from_second(self.now.as_second() - seconds).ok()?)
    }

    fn whole_day(&self, day: Date) -> Option<Range> {
        self.days(day, day.tomorrow().ok()?)
    }

    /// From the beginning of one day to that of another, by the zone.
    fn days(&self, first: Date, behind: Date) -> Option<Range> {
        let start = |date: Date| {
            let midnight = date.to_datetime(civil::Time::midnight());
            Some(self.zone.to_timestamp(midnight).ok()?.as_nanosecond())
        };
        Some(Range { start: start(first)?, end: start(behind)? })
    }

    /// Nanoseconds since midnight, by the clocks of the zone; `None` beyond the years of clocks.
    pub fn time_of_day(&self, ns: i128) -> Option<i128> {
        let midnight = civil::Time::midnight();
        Some(self.civil(ns)?.time().duration_since(midnight).as_nanos())
    }

    /// The day of the week by the zone; Monday is 0.
    pub fn weekday(&self, ns: i128) -> Option<u8> {
        u8::try_from(self.civil(ns)?.weekday().to_monday_zero_offset()).ok()
    }

    /// Day, hour and weekday of a moment, by the zone.
    fn civil(&self, ns: i128) -> Option<DateTime> {
        let timestamp = Timestamp::from_nanosecond(ns).ok()?;
        Some(self.zone.to_datetime(timestamp))
    }
}

fn seconds_range(timestamp: Timestamp) -> Option<Range> {
    let start = i128::from(timestamp.as_second()) * NS_PER_SECOND;
    Some(Range { start, end: start + NS_PER_SECOND })
}

/// A time of day and how many nanoseconds it is exact to: `8`, `8:30`, `8:30:15`, `8:30:15.25`.
pub(crate) fn time_of_day(text: &str) -> Option<(civil::Time, i128)> {
    let (text, fraction) = match text.split_once('.') {
        Some((text, fraction)) => (text, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| {
        (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let later_have_two = parts.iter().skip(1).all(|part| part.len() == 2);
    if parts.len() > 3 || !parts.iter().all(is_number) || !later_have_two {
        return None;
    }
    let number = |at: usize| parts.get(at).map_or(Ok(0), |part| part.parse::<i8>()).ok();
    let (hour, minute, second) = (number(0)?, number(1)?, number(2)?);
    let (ns, width) = match (fraction, parts.len()) {
        (None, 1) => (0, 3_600 * NS_PER_SECOND),
        (None, 2) => (0, 60 * NS_PER_SECOND),
        (None, _) => (0, NS_PER_SECOND),
        (Some(fraction), 3) => self::fraction(fraction)?,
        (Some(_), _) => return None,
    };
    Some((civil::Time::new(hour, minute, second, ns).ok()?, width))
}

/// Digits behind the point of seconds: nanoseconds, and what one of the last digit is.
fn fraction(digits: &str) -> Option<(i32, i128)> {
    let length = u32::try_from(digits.len()).ok().filter(|length| (1..=9).contains(length))?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let unit = 10_i32.pow(9 - length);
    Some((digits.parse::<i32>().ok()? * unit, unit.into()))
}

/// An offset as RFC 3339 has it, from `Z`, `+01`, `+0100` or `+01:00`.
fn colon(offset: &str) -> Option<String> {
    let offset = offset.trim();
    if offset.eq_ignore_ascii_case("z") || offset.eq_ignore_ascii_case("utc") {
        return Some("Z".to_owned());
    }
    let digits: String = offset.get(1..)?.chars().filter(|c| *c != ':').collect();
    let is_signed = offset.starts_with(['+', '-']);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "00"),
        4 => digits.split_at(2),
        _ => return None,
    };
    (is_signed && is_plain).then(|| format!("{}{hours}:{minutes}", &offset[..1]))
}

/// A month by its English name, or the first three letters of it.
fn month_of(word: &str) -> Option<i8> {
    let names = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let is_it = |name: &&str| *name == word || name.get(..3) == Some(word);
    names.iter().position(is_it).and_then(|at| i8::try_from(at + 1).ok())
}

#[cfg(test)]
mod tests;
