//! The names of objects: build and parse.
//!
//! ```text
//! <prefix>/events-v1/<partition>/<batch>.ndjson[.zst|.gz]      the events of one batch
//! <prefix>/events-v1/<partition>/<batch>.parquet               the same of one or several, as columns
//! <prefix>/manifest-v1/<partition>/<batch>.json                one line about an object of events
//! <prefix>/probe-v1/<random>                                   lives for the time of a probe
//!
//! partition = date=YYYY-MM-DD/hour=HH/host=<host id>           of the first event, UTC
//! batch     = <boot id>-<run uuid>-<first seq>-<last seq>      numbers without leading zeros
//! ```
//!
//! Invariants: a key has one text and a text at most one key (`parse(build(key)) == key` and
//! `build(parse(text)) == text`); the name depends on nothing but the batch, so that the same
//! batch always has the same name; time in names is the time of events, never of the export.
//!
//! Deliberately not here: prefixes, which belong to the [`Archive`](crate::Archive).

mod hour;

use std::fmt;

use uuid::Uuid;

use crate::compress::Compression;

pub use hour::Hour;

/// Where data objects live, below the prefix.
pub const EVENTS: &str = "events-v1";
/// Where manifests live, below the prefix.
pub const MANIFESTS: &str = "manifest-v1";
/// Where the objects of a probe live, below the prefix.
pub const PROBES: &str = "probe-v1";

/// What a batch is called by: host, boot, run and the numbers of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchName {
    /// Hour of the first event, UTC.
    pub hour: Hour,
    /// The host's id.
    pub host: Uuid,
    /// The boot of the host.
    pub boot: Uuid,
    /// The run of the agent.
    pub run: Uuid,
    /// Number of the first event.
    pub first_seq: u64,
    /// Number of the last event.
    pub last_seq: u64,
}

impl BatchName {
    /// The folder of the batch below `events-v1` or `manifest-v1`.
    pub fn partition(&self) -> String {
        format!("{}/host={}", self.hour, self.host)
    }

    /// The path of the manifest below the prefix.
    pub fn manifest_path(&self) -> String {
        format!("{MANIFESTS}/{}/{self}.json", self.partition())
    }

    /// The path below the prefix of the object of columns that holds all events from the first
    /// number to the last.
    pub fn columns_path(&self) -> String {
        format!("{EVENTS}/{}/{self}.parquet", self.partition())
    }

    /// Whether all of another batch's events are among those of this one, by the names.
    pub fn covers(&self, other: &Self) -> bool {
        let place = |name: &Self| (name.hour, name.host, name.boot, name.run);
        place(self) == place(other)
            && self.first_seq <= other.first_seq
            && other.last_seq <= self.last_seq
    }
}

/// The part of a batch's name within its folder.
impl fmt::Display for BatchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { boot, run, first_seq, last_seq, .. } = self;
        write!(f, "{boot}-{run}-{first_seq}-{last_seq}")
    }
}

/// The name of a data object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The batch that it holds.
    pub batch: BatchName,
    /// How it is compressed.
    pub compression: Compression,
}

/// The path below the prefix.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { batch, compression } = self;
        write!(f, "{EVENTS}/{}/{batch}.ndjson{}", batch.partition(), compression.extension())
    }
}

/// Why a path is not the name of an object of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It does not begin with `events-v1/` or `manifest-v1/`.
    #[error("it is not below {EVENTS}/ or {MANIFESTS}/")]
    Tree,
    /// The folders are not `date=/hour=/host=`.
    #[error("its folders are not date=YYYY-MM-DD/hour=HH/host=<uuid>")]
    Partition,
    /// The name is not boot, run, first and last number.
    #[error("its name is not <boot id>-<run uuid>-<first seq>-<last seq>")]
    Name,
    /// The name ends in something unknown.
    #[error("it does not end in .ndjson, .ndjson.zst or .ndjson.gz")]
    Extension,
}

impl ObjectKey {
    /// Reads the path of a data object below the prefix.
    pub fn parse(path: &str) -> Result<Self, KeyError> {
        let rest = below(path, EVENTS)?;
        let (partition, name) = rest.rsplit_once('/').ok_or(KeyError::Partition)?;
        let (stem, extension) = name.split_once(".ndjson").ok_or(KeyError::Extension)?;
        let compression = Compression::of_extension(extension).ok_or(KeyError::Extension)?;
        Ok(Self { batch: batch(partition, stem)?, compression })
    }
}

impl BatchName {
    /// Reads the path of a manifest below the prefix.
    pub fn parse_manifest(path: &str) -> Result<Self, KeyError> {
        let rest = below(path, MANIFESTS)?;
        let (partition, name) = rest.rsplit_once('/').ok_or(KeyError::Partition)?;
        let stem = name.strip_suffix(".json").ok_or(KeyError::Extension)?;
        batch(partition, stem)
    }

    /// Reads the path of an object of columns below the prefix.
    pub fn parse_columns(path: &str) -> Result<Self, KeyError> {
        let rest = below(path, EVENTS)?;
        let (partition, name) = rest.rsplit_once('/').ok_or(KeyError::Partition)?;
        let stem = name.strip_suffix(".parquet").ok_or(KeyError::Extension)?;
        batch(partition, stem)
    }
}

fn below<'p>(path: &'p str, tree: &str) -> Result<&'p str, KeyError> {
    path.strip_prefix(tree).and_then(|rest| rest.strip_prefix('/')).ok_or(KeyError::Tree)
}

fn batch(partition: &str, stem: &str) -> Result<BatchName, KeyError> {
    let (hour, host) = partition.rsplit_once('/').ok_or(KeyError::Partition)?;
    let hour = Hour::parse(hour).ok_or(KeyError::Partition)?;
    let host = host.strip_prefix("host=").and_then(uuid).ok_or(KeyError::Partition)?;
    let name = || {
        let (boot, rest) = leading_uuid(stem)?;
        let (run, rest) = leading_uuid(rest)?;
        let (first, last) = rest.split_once('-')?;
        let (first_seq, last_seq) = (number(first)?, number(last)?);
        let name = BatchName { hour, host, boot, run, first_seq, last_seq };
        (first_seq <= last_seq).then_some(name)
    };
    name().ok_or(KeyError::Name)
}

/// The length of a hyphenated UUID.
const UUID: usize = 36;

fn leading_uuid(text: &str) -> Option<(Uuid, &str)> {
    let (head, rest) = text.split_at_checked(UUID)?;
    Some((uuid(head)?, rest.strip_prefix('-')?))
}

/// A UUID as we write it: hyphenated, lower case.
pub(crate) fn uuid(text: &str) -> Option<Uuid> {
    let is_ours = text.len() == UUID && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    is_ours.then(|| Uuid::try_parse(text).ok()).flatten()
}

/// A number as we write it: digits without leading zeros, from 1.
fn number(text: &str) -> Option<u64> {
    let is_ours = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_ours.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "events-v1/date=2026-11-24/hour=03/host=5f2b9f3c-53a4-8c1e-a0de-0d2f6a3ee1aa/\
                       0e2c1c1a-7f6e-4b55-9c59-1f1a4a4f6b10-7d8a4a36-92a6-4f65-b6a6-51f1f8f0a001-\
                       1-100.ndjson.zst";

    #[test]
    fn the_published_form_is_read_and_written() {
        let key = ObjectKey::parse(KEY).unwrap();
        assert_eq!(key.batch.first_seq, 1);
        assert_eq!(key.batch.last_seq, 100);
        assert_eq!(key.compression, Compression::Zstd);
        assert_eq!(key.to_string(), KEY);
        let manifest = KEY.replace("events-v1", "manifest-v1").replace(".ndjson.zst", ".json");
        assert_eq!(key.batch.manifest_path(), manifest);
        assert_eq!(BatchName::parse_manifest(&manifest), Ok(key.batch));
        let columns = KEY.replace(".ndjson.zst", ".parquet");
        assert_eq!(key.batch.columns_path(), columns);
        assert_eq!(BatchName::parse_columns(&columns), Ok(key.batch));
        assert_eq!(BatchName::parse_columns(KEY), Err(KeyError::Extension));
    }

    #[test]
    fn a_batch_covers_what_lies_between_its_numbers_and_nothing_else() {
        let whole = ObjectKey::parse(KEY).unwrap().batch;
        let part = |first_seq, last_seq| BatchName { first_seq, last_seq, ..whole };
        assert!(
            whole.covers(&whole) && whole.covers(&part(2, 99)) && whole.covers(&part(100, 100))
        );
        assert!(!part(1, 99).covers(&whole) && !part(2, 100).covers(&whole));
        let run = Uuid::from_u128(1);
        assert!(!whole.covers(&BatchName { run, ..whole }));
        assert!(!whole.covers(&BatchName { boot: run, ..whole }));
        assert!(!whole.covers(&BatchName { host: run, ..whole }));
        assert!(!whole.covers(&BatchName { hour: Hour(whole.hour.0 + 1), ..whole }));
    }

    #[track_caller]
    fn refused(from: &str, to: &str, why: KeyError) {
        assert!(KEY.contains(from), "{from}");
        assert_eq!(ObjectKey::parse(&KEY.replace(from, to)), Err(why), "{from} -> {to}");
    }

    #[test]
    fn names_that_are_nearly_ours_are_refused() {
        refused("events-v1", "events-v2", KeyError::Tree);
        refused("-11-24/", "-11-31/", KeyError::Partition);
        refused("hour=03", "hour=24", KeyError::Partition);
        refused("hour=03", "hour=3", KeyError::Partition);
        refused("/hour=03", "", KeyError::Partition);
        refused("host=5f2b", "host=5F2B", KeyError::Partition);
        refused("-1-100", "-01-100", KeyError::Name);
        refused("-1-100", "-0-100", KeyError::Name);
        refused("-1-100", "-101-100", KeyError::Name);
        refused("-1-100", "-1-100-7", KeyError::Name);
        refused("-1-100", "-1-99999999999999999999", KeyError::Name);
        refused(".zst", ".zip", KeyError::Extension);
        refused(".ndjson.zst", ".json", KeyError::Extension);
    }

    prop_compose! {
        fn keys()(
            hour in -2_000_000_i64..2_500_000, ids: [u128; 3], a in 1u64.., b in 1u64..,
            compression in prop_oneof![
                Just(Compression::Zstd), Just(Compression::Gzip), Just(Compression::None)
            ],
        ) -> ObjectKey {
            let [host, boot, run] = ids.map(Uuid::from_u128);
            let (first_seq, last_seq) = (a.min(b), a.max(b));
            let batch = BatchName { hour: Hour(hour), host, boot, run, first_seq, last_seq };
            ObjectKey { batch, compression }
        }
    }

    proptest! {
        #[test]
        fn every_key_survives_its_text(key in keys()) {
            prop_assert_eq!(ObjectKey::parse(&key.to_string()), Ok(key));
            let manifest = key.batch.manifest_path();
            prop_assert_eq!(BatchName::parse_manifest(&manifest), Ok(key.batch));
            let columns = key.batch.columns_path();
            prop_assert_eq!(BatchName::parse_columns(&columns), Ok(key.batch));
        }

        #[test]
        fn a_text_that_is_read_is_the_text_that_is_written(
            key in keys(), at: proptest::sample::Index, with in "[0-9a-f/=.A-Z-]{0,2}"
        ) {
            let mut text = key.to_string();
            let at = at.index(text.len());
            text.replace_range(at..=at, &with);
            if let Ok(read) = ObjectKey::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = ObjectKey::parse(&text);
            let _ = BatchName::parse_manifest(&text);
            let _ = BatchName::parse_columns(&text);
        }
    }
}
