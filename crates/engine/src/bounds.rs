//! Which objects can hold answers at all, by the partition in their names.
//!
//! Soundness rests on what the archive promises: all events of an object lie in the hour of its
//! name and are of the host of its name. What has no such name is always looked at.

use forebear_archive::{Hour, Selection};
use forebear_events::v1::Timestamp;
use forebear_query as query;
use uuid::Uuid;

/// The partition that an object lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// The hour of its events.
    pub hour: Hour,
    /// The host that they are of.
    pub host: Uuid,
}

impl Partition {
    /// The partition that a path lies in: `…/date=YYYY-MM-DD/hour=HH/host=<id>/…`.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        parts.windows(3).rev().find_map(|window| {
            let [date, hour, host] = window else { return None };
            let day = Hour::parse_date(date)?;
            let hour = Hour(day.0 + Hour::parse_hour(hour)?);
            Some(Self { hour, host: host_of(host)? })
        })
    }
}

/// Reads `host=<id>`, as the archive writes it.
pub(crate) fn host_of(folder: &str) -> Option<Uuid> {
    let text = folder.strip_prefix("host=")?;
    let host: Uuid = text.parse().ok()?;
    (host.to_string() == text).then_some(host)
}

/// What a query can match at all, laid against partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bounds(query::Bounds);

impl Default for Bounds {
    /// Everything.
    fn default() -> Self {
        Self(query::Bounds::ALL)
    }
}

impl Bounds {
    pub(crate) fn since(ns: i128) -> Self {
        Self(query::Bounds { from: Some(ns), ..query::Bounds::ALL })
    }

    pub(crate) fn until(ns: i128) -> Self {
        Self(query::Bounds { to: Some(ns), ..query::Bounds::ALL })
    }

    /// Hours of the day in UTC.
    pub(crate) fn hours_of_day(hours: impl IntoIterator<Item = u8>) -> Self {
        let hours = hours.into_iter().fold(0, |hours, hour| hours | 1_u32 << hour);
        Self(query::Bounds { hours, ..query::Bounds::ALL })
    }

    pub(crate) fn hosts(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(query::Bounds { hosts: Some(hosts.into_iter().collect()), ..query::Bounds::ALL })
    }

    /// What is in both.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0.and(other.0))
    }

    /// What is in either, and what lies between them.
    #[must_use]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }

    /// Whether nothing can match.
    pub(crate) fn are_empty(&self) -> bool {
        self.0.are_empty()
    }

    pub(crate) fn takes(&self, partition: &Partition) -> bool {
        !self.are_empty() && self.takes_hour(partition.hour) && self.takes_host(partition.host)
    }

    /// Whether events of an hour are wanted.
    pub(crate) fn takes_hour(&self, hour: Hour) -> bool {
        let of_day = hour.0 - hour.day().0;
        self.range().takes_hour(hour) && self.0.hours & (1_u32 << of_day) != 0
    }

    /// Whether events of a day, by its first hour, are wanted.
    pub(crate) fn takes_day(&self, day: Hour) -> bool {
        self.range().takes_day(day)
    }

    /// Whether everything of a day is wanted, of every host.
    pub(crate) fn takes_all_of(&self, day: Hour) -> bool {
        let each_hour = self.0.hours == query::Bounds::ALL.hours;
        each_hour && self.0.hosts.is_none() && self.range().takes_all_of(day)
    }

    pub(crate) fn takes_host(&self, host: Uuid) -> bool {
        self.0.hosts.as_ref().is_none_or(|hosts| hosts.contains(&host.to_string()))
    }

    /// The hosts, if they are bounded, that a partition can be of.
    pub(crate) fn named_hosts(&self) -> Option<Vec<Uuid>> {
        let hosts = self.0.hosts.as_ref()?;
        Some(hosts.iter().filter_map(|host| host_of(&format!("host={host}"))).collect())
    }

    /// The range of time. One beyond what events can have is as good as the last that they can.
    fn range(&self) -> Selection {
        let clamp = |ns: i128| {
            let edge = if ns < 0 { i64::MIN } else { i64::MAX };
            Timestamp(i64::try_from(ns).unwrap_or(edge))
        };
        Selection { since: self.0.from.map(clamp), until: self.0.to.map(clamp), hosts: Vec::new() }
    }

    /// Whether there are none.
    pub(crate) fn are_open(&self) -> bool {
        *self == Self::default()
    }
}

impl From<query::Bounds> for Bounds {
    fn from(bounds: query::Bounds) -> Self {
        Self(bounds)
    }
}
