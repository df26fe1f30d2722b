//! The time partition: one hour of UTC, as `date=YYYY-MM-DD/hour=HH`.

use std::fmt;

use forebear_events::v1::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const NS_PER_HOUR: i64 = 3_600_000_000_000;
const HOURS_PER_DAY: i64 = 24;
const SECONDS_PER_HOUR: i64 = 3600;

/// An hour, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i64);

impl Hour {
    /// The hour that a time lies in.
    pub fn of(time: Timestamp) -> Self {
        Self(time.0.div_euclid(NS_PER_HOUR))
    }

    /// The first hour of its day.
    pub fn day(self) -> Self {
        Self(self.0 - self.0.rem_euclid(HOURS_PER_DAY))
    }

    /// The folder of its day: `date=YYYY-MM-DD`.
    pub(crate) fn date_folder(self) -> String {
        // Every hour of an i64 of nanoseconds is within jiff's years; others are only made by
        // hand, and then the epoch stands for them.
        let second = self.0.saturating_mul(SECONDS_PER_HOUR);
        let time = jiff::Timestamp::from_second(second).unwrap_or_default();
        format!("date={}", TimeZone::UTC.to_datetime(time).date())
    }

    /// The folder of its hour within the day: `hour=HH`.
    pub(crate) fn hour_folder(self) -> String {
        format!("hour={:02}", self.0.rem_euclid(HOURS_PER_DAY))
    }

    /// Reads `date=YYYY-MM-DD/hour=HH`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, hour) = text.split_once('/')?;
        let hour = Self::parse_hour(hour)?;
        Some(Self(Self::parse_date(date)?.0 + hour))
    }

    /// Reads `date=YYYY-MM-DD`: the first hour of that day.
    pub fn parse_date(text: &str) -> Option<Self> {
        let text = text.strip_prefix("date=")?;
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let date = Date::new(
            i16::try_from(digits(year, 4)?).ok()?,
            i8::try_from(digits(month, 2)?).ok()?,
            i8::try_from(digits(day, 2)?).ok()?,
        );
        let start = TimeZone::UTC.to_timestamp(date.ok()?.at(0, 0, 0, 0)).ok()?;
        Some(Self(start.as_second().div_euclid(SECONDS_PER_HOUR)))
    }

    /// Reads `hour=HH`.
    pub fn parse_hour(text: &str) -> Option<i64> {
        let hour = i64::from(digits(text.strip_prefix("hour=")?, 2)?);
        (hour < HOURS_PER_DAY).then_some(hour)
    }
}

fn digits(text: &str, many: usize) -> Option<u16> {
    let plain = text.len() == many && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.date_folder(), self.hour_folder())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_of_a_time_is_that_of_utc() {
        let hour = Hour::of(Timestamp(1_795_492_799_999_999_999));
        assert_eq!(hour.to_string(), "date=2026-11-24/hour=03");
        assert_eq!(Hour::of(Timestamp(-1)).to_string(), "date=1969-12-31/hour=23");
    }

    #[test]
    fn the_first_and_the_last_time_have_an_hour() {
        for ns in [i64::MIN, i64::MAX] {
            let hour = Hour::of(Timestamp(ns));
            assert_eq!(Hour::parse(&hour.to_string()), Some(hour));
        }
    }
}
