//! Times as people write them. It is Tuesday noon in every test.

use jiff::tz::Offset;

use super::*;

/// Tuesday noon.
fn moment(zone: TimeZone) -> Moment {
    Moment { now: "2026-11-24T12:00:30.5Z".parse().unwrap(), zone }
}

#[track_caller]
fn is_in(zone: TimeZone, text: &str, start: &str, end: &str) {
    let range = moment(zone).range(text).unwrap_or_else(|| panic!("{text:?} is no time"));
    let ns = |text: &str| text.parse::<Timestamp>().unwrap().as_nanosecond();
    let found = [range.start, range.end].map(|ns| Timestamp::from_nanosecond(ns).unwrap());
    assert_eq!((range.start, range.end), (ns(start), ns(end)), "{text:?} is {found:?}");
}

#[track_caller]
fn is(text: &str, start: &str, end: &str) {
    is_in(TimeZone::UTC, text, start, end);
}

#[test]
fn a_time_is_as_wide_as_it_is_exact() {
    is("2026-11", "2026-11-01T00:00Z", "2026-12-01T00:00Z");
    is("2026-11-24", "2026-11-24T00:00Z", "2026-11-25T00:00Z");
    is("2026-11-24 13", "2026-11-24T13:00Z", "2026-11-24T14:00Z");
    is("2026-11-24 13:05", "2026-11-24T13:05Z", "2026-11-24T13:06Z");
    is("2026-11-24 13:05:07", "2026-11-24T13:05:07Z", "2026-11-24T13:05:08Z");
    is("2026-11-24T13:05:07.25Z", "2026-11-24T13:05:07.25Z", "2026-11-24T13:05:07.26Z");
    is("1764000000", "2025-11-24T16:00:00Z", "2025-11-24T16:00:01Z");
}

#[test]
fn an_offset_counts_more_than_the_zone() {
    is("2026-11-24T13:05:00+01:00", "2026-11-24T12:05:00Z", "2026-11-24T12:05:01Z");
    is("2026-11-24 13:05 -0330", "2026-11-24T16:35Z", "2026-11-24T16:36Z");
    let berlin = TimeZone::fixed(Offset::constant(1));
    is_in(berlin, "2026-11-24T13:05:00Z", "2026-11-24T13:05:00Z", "2026-11-24T13:05:01Z");
}

#[test]
fn months_have_names() {
    for text in ["Jan 1 2026", "1 Jan 2026", "January 1, 2026", "jan 01 2026"] {
        is(text, "2026-01-01T00:00Z", "2026-01-02T00:00Z");
    }
    is("Feb 2026", "2026-02-01T00:00Z", "2026-03-01T00:00Z");
}

#[test]
fn words_count_from_now() {
    is("now", "2026-11-24T12:00:30Z", "2026-11-24T12:00:31Z");
    is("today", "2026-11-24T00:00Z", "2026-11-25T00:00Z");
    is("Yesterday", "2026-11-23T00:00Z", "2026-11-24T00:00Z");
    is("4 days ago", "2026-11-20T00:00Z", "2026-11-21T00:00Z");
    is("1 day ago", "2026-11-23T00:00Z", "2026-11-24T00:00Z");
    is("2 weeks ago", "2026-11-10T00:00Z", "2026-11-11T00:00Z");
    is("3 months ago", "2026-08-24T00:00Z", "2026-08-25T00:00Z");
    is("1 year ago", "2025-11-24T00:00Z", "2025-11-25T00:00Z");
    is("2 hours ago", "2026-11-24T10:00:30Z", "2026-11-24T10:00:31Z");
    is("90 minutes ago", "2026-11-24T10:30:30Z", "2026-11-24T10:30:31Z");
    is("this week", "2026-11-23T00:00Z", "2026-11-30T00:00Z");
    is("last week", "2026-11-16T00:00Z", "2026-11-23T00:00Z");
    is("last month", "2026-10-01T00:00Z", "2026-11-01T00:00Z");
    is("last year", "2025-01-01T00:00Z", "2026-01-01T00:00Z");
}

#[test]
fn days_are_those_of_the_zone() {
    let tokyo = || TimeZone::fixed(Offset::constant(9));
    is_in(tokyo(), "today", "2026-11-23T15:00Z", "2026-11-24T15:00Z");
    is_in(tokyo(), "2026-11-24 08:00", "2026-11-23T23:00Z", "2026-11-23T23:01Z");
    // 25 hours long: summer time ends.
    let berlin = || TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    is_in(berlin(), "2026-10-25", "2026-10-24T22:00Z", "2026-10-25T23:00Z");
}

#[test]
fn what_is_no_time_is_none() {
    let moment = moment(TimeZone::UTC);
    for text in [
        "",
        "x",
        "24.11.2026",
        "2026-13-01",
        "2026-02-30",
        "2026-11-24 25:00",
        "2026-11-24 1:2",
        "Foo 1 2026",
        "Jan 32 2026",
        "Jan 1 26",
        "4 days",
        "last fortnight",
        "4 parsecs ago",
        "-1 days ago",
        "99999999999 days ago",
        "9999999999999999",
        "2026-11-24T10:00:00+x",
        "2026-11-24T10:00:00é",
        "１ day ago",
    ] {
        assert_eq!(moment.range(text), None, "{text:?}");
    }
}

#[test]
fn a_time_of_day_is_as_wide_as_it_is_exact() {
    let parts = |text| time_of_day(text).map(|(time, width)| (time.to_string(), width));
    assert_eq!(parts("8"), Some(("08:00:00".to_owned(), 3_600 * NS_PER_SECOND)));
    assert_eq!(parts("8:30"), Some(("08:30:00".to_owned(), 60 * NS_PER_SECOND)));
    assert_eq!(parts("08:30:15"), Some(("08:30:15".to_owned(), NS_PER_SECOND)));
    for text in ["", "24", "8:60", "8:3", "008", "8:30:15:1", "8am", "-1", "8.5"] {
        assert_eq!(parts(text), None, "{text:?}");
    }
}
