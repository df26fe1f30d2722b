//! Zones by name: of the machine's database, or as an offset.

use jiff::tz::{Offset, TimeZone};

/// A zone by its name, `UTC`, or an offset such as `+09:00` or `-03`.
pub fn read(text: &str) -> Option<TimeZone> {
    if text.eq_ignore_ascii_case("utc") {
        return Some(TimeZone::UTC);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return TimeZone::get(text).ok(),
    };
    let digits = &text[1..];
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let is_number =
        |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = sign * (hours * 3600 + minutes * 60);
    let offset = Offset::from_seconds(seconds).ok().filter(|_| minutes < 60)?;
    Some(TimeZone::fixed(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        assert_eq!(read("UTC"), Some(TimeZone::UTC));
        assert_eq!(read("+09:00"), Some(TimeZone::fixed(Offset::constant(9))));
        assert_eq!(read("-03"), Some(TimeZone::fixed(Offset::constant(-3))));
        assert!(read("Europe/Berlin").is_some_and(|zone| zone.iana_name().is_some()));
        for wrong in ["", "+", "+25:00:00", "+1:60", "Nowhere", "+a"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
