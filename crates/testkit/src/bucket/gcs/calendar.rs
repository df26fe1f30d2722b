//! Dates as HTTP and XML write them.

use std::time::SystemTime;

use super::seconds;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Year, month from 0, day of the month, and second of the day.
fn civil(seconds: u64) -> (u64, usize, u64, u64) {
    let (mut day, second) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    for length in lengths {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1, second)
}

fn clock(second: u64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// RFC 9110, section 5.6.7.
pub(super) fn http_date(time: SystemTime) -> String {
    let seconds = seconds(time);
    let (year, month, day, second) = civil(seconds);
    let name = DAYS.iter().cycle().nth((seconds / 86_400 % 7) as usize).copied().unwrap_or("");
    let month = MONTHS.get(month).copied().unwrap_or("");
    format!("{name}, {day:02} {month} {year} {} GMT", clock(second))
}

/// RFC 3339.
pub(super) fn rfc3339(time: SystemTime) -> String {
    let (year, month, day, second) = civil(seconds(time));
    format!("{year}-{:02}-{day:02}T{}.000Z", month + 1, clock(second))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn dates_are_as_published() {
        // The example of RFC 9110.
        let time = UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
        let leap_day = UNIX_EPOCH + Duration::from_secs(1_709_210_096);
        assert_eq!(rfc3339(leap_day), "2024-02-29T12:34:56.000Z");
    }
}
