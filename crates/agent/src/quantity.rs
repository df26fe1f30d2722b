//! Sizes and durations as people write them: `8MiB`, `50ms`.
//!
//! A number without a unit is refused, except 0: `--duration 10` could mean anything.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A length of time, in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// What a kind of quantity is written in.
struct Scale {
    /// What it measures, for messages.
    of: &'static str,
    /// The units and how many of the smallest each has, from small to large.
    units: &'static [(&'static str, u64)],
    /// Other spellings that people use, and the unit that each is nearest to.
    near: &'static [(&'static str, &'static str)],
    /// The units as a message lists them.
    listed: &'static str,
}

const SIZES: Scale = Scale {
    of: "size",
    units: &[
        ("B", 1),
        ("KB", 1_000),
        ("KiB", 1 << 10),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
    ],
    // K, M and G alone mean 1000 to some and 1024 to others, so they are not taken silently.
    near: &[
        ("", "B"),
        ("k", "KiB"),
        ("ki", "KiB"),
        ("m", "MiB"),
        ("mi", "MiB"),
        ("g", "GiB"),
        ("gi", "GiB"),
    ],
    listed: "B, KiB, MiB, GiB, KB, MB and GB",
};

const TIMES: Scale = Scale {
    of: "time",
    units: &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)],
    near: &[
        ("", "s"),
        ("msec", "ms"),
        ("millis", "ms"),
        ("sec", "s"),
        ("secs", "s"),
        ("second", "s"),
        ("seconds", "s"),
        ("min", "m"),
        ("mins", "m"),
        ("minute", "m"),
        ("minutes", "m"),
        ("hour", "h"),
        ("hours", "h"),
    ],
    listed: "ms, s, m and h",
};

impl Scale {
    fn parse(&self, text: &str) -> Result<u64, String> {
        let Self { of, listed, .. } = self;
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(split);
        let unit = rest.trim_start();
        if digits.is_empty() {
            let example = self.units.last().map_or("", |(name, _)| name);
            return Err(format!("a {of} is a whole number and a unit, such as 8{example}"));
        }
        let too_large = || format!("this {of} is too large");
        let number: u64 = digits.parse().map_err(|_| too_large())?;
        if unit.is_empty() && number == 0 {
            return Ok(0);
        }
        let named =
            |name: &str| self.units.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some((_, factor)) = named(unit) {
            return number.checked_mul(*factor).ok_or_else(too_large);
        }
        if unit.starts_with(['.', ',']) {
            return Err(format!("a {of} is a whole number; use a smaller unit ({listed})"));
        }
        let problem = if unit.is_empty() {
            format!("a {of} needs a unit")
        } else {
            format!("\"{unit}\" is not a unit of {of}")
        };
        let near = self.near.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        Err(match near {
            Some((_, near)) => format!("{problem}; did you mean {digits}{near}? (units: {listed})"),
            None => format!("{problem}; units are {listed}"),
        })
    }

    /// Shows a quantity in the largest unit that needs no fraction; binary units where both fit.
    fn show(&self, number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, factor): &&(&str, u64)| number > 0 && number.is_multiple_of(*factor);
        let smallest = self.units.first().copied().unwrap_or(("", 1));
        let (name, factor) = self.units.iter().rev().find(fits).copied().unwrap_or(smallest);
        write!(f, "{}{name}", number / factor)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        SIZES.parse(text).map(Self)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        TIMES.parse(text).map(|ms| Self(Duration::from_millis(ms)))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SIZES.show(self.0, f)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TIMES.show(u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: FromStr<Err = String> + fmt::Display>(text: &str, expected: &str) {
        let got = text.parse::<T>().map_or_else(|error| error, |value| value.to_string());
        assert_eq!(got, expected, "of {text:?}");
    }

    #[test]
    fn sizes_are_read_in_both_families_of_units_and_shown_in_the_shortest_form() {
        check::<Size>("8MiB", "8MiB");
        check::<Size>("8mib", "8MiB");
        check::<Size>("8 MiB", "8MiB");
        check::<Size>("1024KiB", "1MiB");
        check::<Size>("128KB", "125KiB");
        check::<Size>("1GB", "1GB");
        check::<Size>("0", "0B");
        check::<Size>("4096B", "4KiB");
    }

    #[test]
    fn a_wrong_size_is_told_precisely() {
        let units = "B, KiB, MiB, GiB, KB, MB and GB";
        check::<Size>("8", &format!("a size needs a unit; did you mean 8B? (units: {units})"));
        check::<Size>(
            "8M",
            &format!("\"M\" is not a unit of size; did you mean 8MiB? (units: {units})"),
        );
        check::<Size>(
            "8 parsecs",
            &format!("\"parsecs\" is not a unit of size; units are {units}"),
        );
        check::<Size>("1.5MiB", &format!("a size is a whole number; use a smaller unit ({units})"));
        check::<Size>("", "a size is a whole number and a unit, such as 8GiB");
        check::<Size>("-1B", "a size is a whole number and a unit, such as 8GiB");
        check::<Size>("99999999999GiB", "this size is too large");
        check::<Size>("99999999999999999999999B", "this size is too large");
    }

    #[test]
    fn times_are_read_and_shown() {
        check::<Span>("50ms", "50ms");
        check::<Span>("10s", "10s");
        check::<Span>("90s", "90s");
        check::<Span>("120s", "2m");
        check::<Span>("24h", "24h");
        check::<Span>("0", "0ms");
    }

    #[test]
    fn a_wrong_time_is_told_precisely() {
        let units = "ms, s, m and h";
        check::<Span>("10", &format!("a time needs a unit; did you mean 10s? (units: {units})"));
        check::<Span>(
            "10min",
            &format!("\"min\" is not a unit of time; did you mean 10m? (units: {units})"),
        );
        check::<Span>("10us", &format!("\"us\" is not a unit of time; units are {units}"));
        check::<Span>("0.5s", &format!("a time is a whole number; use a smaller unit ({units})"));
        check::<Span>("soon", "a time is a whole number and a unit, such as 8h");
    }
}
