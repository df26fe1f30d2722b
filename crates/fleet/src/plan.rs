//! What is to be made: how many hosts, how many events, over how long.

use anyhow::{Result, bail};
use forebear_archive::Compression;

use crate::random::Zipf;

/// The first instant of every data set: Monday, 2026-11-16T00:00:00Z, in nanoseconds since the
/// Unix epoch.
pub const BEGIN: i64 = 1_794_787_200_000_000_000;

/// Nanoseconds of an hour.
pub(crate) const HOUR: u64 = 3_600_000_000_000;

/// What the smallest host records: what runs on it when the agent starts, and the story that
/// begins in its first night.
const LEAST_EVENTS: u64 = 100;

/// A data set.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// How many hosts there are.
    pub hosts: usize,
    /// How many events there are, exactly.
    pub events: u64,
    /// How many hours they are spread over.
    pub hours: u64,
    /// How objects are compressed.
    pub compression: Compression,
    /// How long a batch is open at most, in seconds of the recording.
    pub max_age: u64,
}

impl Plan {
    /// How many events each host records, the busiest first: by Zipf's law above a least number.
    ///
    /// # Errors
    /// If there is not enough for every host.
    pub(crate) fn quotas(&self) -> Result<Vec<u64>> {
        let Self { hosts, events, hours, .. } = *self;
        let least = LEAST_EVENTS * hosts as u64;
        if hosts == 0 || hours == 0 || events < least {
            bail!(
                "cannot spread {events} events over {hosts} hosts and {hours} hours: there must be a \
                 host, an hour and {LEAST_EVENTS} events for each host; ask for more events or fewer \
                 hosts"
            );
        }
        let (zipf, rest) = (Zipf::new(hosts), events - least);
        let mut quotas: Vec<u64> =
            (0..hosts).map(|place| LEAST_EVENTS + zipf.share(place, rest)).collect();
        // What rounding left over.
        quotas[0] += events - quotas.iter().sum::<u64>();
        Ok(quotas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(hosts: usize, events: u64) -> Plan {
        Plan { seed: 1, hosts, events, hours: 24, compression: Compression::Zstd, max_age: 3600 }
    }

    #[test]
    fn quotas_add_up_and_fall() {
        let quotas = plan(1000, 10_000_000).quotas().unwrap();
        assert_eq!(quotas.iter().sum::<u64>(), 10_000_000);
        assert!(quotas.is_sorted_by(|a, b| a >= b));
        assert!(quotas[0] > 1_000_000, "{}", quotas[0]);
    }

    #[test]
    fn too_few_events_are_refused() {
        assert!(plan(1000, 99_999).quotas().is_err());
        assert!(plan(0, 99_999).quotas().is_err());
    }
}
