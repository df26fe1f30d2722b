//! Points in time as the format writes them: RFC 3339, UTC, nine digits of seconds.
//!
//! Invariant: every `i64` of nanoseconds has a text, and it has always 30 bytes (the years 1677
//! to 2262).

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp as Instant;
use jiff::tz::Offset;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

/// Nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// The length of a timestamp's text.
const LENGTH: usize = 30;

const NS_PER_SECOND: i64 = 1_000_000_000;
const SHAPE: &[u8; LENGTH] = b"0000-00-00T00:00:00.000000000Z";

impl Timestamp {
    /// The text, such as `2026-11-24T03:04:05.000000006Z`.
    pub(crate) fn text(self) -> [u8; LENGTH] {
        // Every second that an i64 of nanoseconds can name is within jiff's years.
        let second = Instant::from_second(self.0.div_euclid(NS_PER_SECOND)).unwrap_or_default();
        let civil = Offset::UTC.to_datetime(second);
        let mut text = *SHAPE;
        put(&mut text[0..4], civil.year().unsigned_abs().into());
        put(&mut text[5..7], civil.month().unsigned_abs().into());
        put(&mut text[8..10], civil.day().unsigned_abs().into());
        put(&mut text[11..13], civil.hour().unsigned_abs().into());
        put(&mut text[14..16], civil.minute().unsigned_abs().into());
        put(&mut text[17..19], civil.second().unsigned_abs().into());
        put(&mut text[20..29], self.0.rem_euclid(NS_PER_SECOND).unsigned_abs() as u32);
        text
    }
}

/// Writes a number's last digits, as many as there is room for.
fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let instant: Instant = text
            .parse()
            .map_err(|error| D::Error::custom(format!("invalid time {text:?}: {error}")))?;
        let ns = i64::try_from(instant.as_nanosecond());
        ns.map(Self).map_err(|_| D::Error::custom(format!("time {text:?} is out of range")))
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_has_nine_digits_and_ends_in_z() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        let leap_day = Timestamp(1_709_210_096_000_000_789);
        assert_eq!(leap_day.to_string(), "2024-02-29T12:34:56.000000789Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(Timestamp(i64::MAX).to_string(), "2262-04-11T23:47:16.854775807Z");
        assert_eq!(Timestamp(i64::MIN).to_string(), "1677-09-21T00:12:43.145224192Z");
    }

    #[test]
    fn a_time_of_another_writer_may_have_an_offset_and_fewer_digits() {
        let read: Timestamp = serde_json::from_str(r#""1970-01-01T01:00:00.5+01:00""#).unwrap();
        assert_eq!(read, Timestamp(500_000_000));
    }

    proptest! {
        #[test]
        fn every_time_survives_the_round_trip(ns: i64) {
            let text = serde_json::to_string(&Timestamp(ns)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), Timestamp(ns));
        }
    }
}
