//! What is in a bucket: objects by time and host, found by partition.
//!
//! Only folders that can hold what was asked for are listed. Within a place nothing is promised
//! about the order of objects, because stores differ in it.

use forebear_events::v1::Timestamp;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;
use uuid::Uuid;

use crate::error::{Kind, Result};
use crate::layout::{BatchName, EVENTS, Hour, MANIFESTS, ObjectKey};
use crate::store::Archive;

const LIST: &str = "list";

/// Which objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Events from this time on.
    pub since: Option<Timestamp>,
    /// Events before this time.
    pub until: Option<Timestamp>,
    /// Only these hosts; all if empty.
    pub hosts: Vec<Uuid>,
}

/// A data object that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name.
    pub key: ObjectKey,
    /// Its size as stored, in bytes.
    pub size: u64,
}

/// Something that a listing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A data object.
    Object(StoredObject),
    /// The events of one or several batches as columns.
    Columns(BatchName),
    /// Something whose name is not ours, by its path below the prefix.
    Foreign(String),
}

impl Selection {
    /// Whether a partition may hold events that are asked for: it does for every event of that
    /// hour, and all events of an object lie in the hour of its name.
    pub fn takes_hour(&self, hour: Hour) -> bool {
        let begins = |until: Timestamp| hour <= Hour::of(Timestamp(until.0.saturating_sub(1)));
        self.since.is_none_or(|since| hour >= Hour::of(since)) && self.until.is_none_or(begins)
    }

    /// Whether a day, by its first hour, may hold events that are asked for.
    pub fn takes_day(&self, day: Hour) -> bool {
        let first = self.since.map(|since| Hour::of(since).day());
        let last = self.until.map(|until| Hour::of(Timestamp(until.0.saturating_sub(1))).day());
        first.is_none_or(|first| day >= first) && last.is_none_or(|last| day <= last)
    }

    /// Whether every hour of a day is asked for, of every host.
    pub fn takes_all_of(&self, day: Hour) -> bool {
        let last = Hour(day.0 + 23);
        self.hosts.is_empty() && self.takes_hour(day) && self.takes_hour(last)
    }

    fn takes(&self, batch: &BatchName) -> bool {
        self.takes_hour(batch.hour) && self.takes_host(batch.host)
    }

    /// Whether events of a host are asked for.
    pub fn takes_host(&self, host: Uuid) -> bool {
        self.hosts.is_empty() || self.hosts.contains(&host)
    }

    /// Whether all that there is is asked for.
    pub fn is_everything(&self) -> bool {
        self.since.is_none() && self.until.is_none() && self.hosts.is_empty()
    }
}

impl Archive {
    /// The data objects that may hold events of a selection, and whatever else lies among them.
    pub fn list(&self, selection: &Selection) -> BoxStream<'static, Result<Listed>> {
        let (archive, selection) = (self.clone(), selection.clone());
        let listed = self.list_tree(EVENTS, &selection).map_ok(move |meta| {
            let below = archive.below(&meta.location);
            let is_taken = |batch: &BatchName| selection.takes(batch);
            match (ObjectKey::parse(below), BatchName::parse_columns(below)) {
                (Ok(key), _) => is_taken(&key.batch)
                    .then_some(Listed::Object(StoredObject { key, size: meta.size })),
                (_, Ok(batch)) => is_taken(&batch).then_some(Listed::Columns(batch)),
                _ => Some(Listed::Foreign(below.to_owned())),
            }
        });
        listed.try_filter_map(|listed| async { Ok(listed) }).boxed()
    }

    /// The batches of a selection that have a manifest; an error of the name gives the path.
    pub(crate) fn list_manifests(
        &self,
        selection: &Selection,
    ) -> BoxStream<'static, Result<Result<BatchName, String>>> {
        let (archive, selection) = (self.clone(), selection.clone());
        let listed = self.list_tree(MANIFESTS, &selection).map_ok(move |meta| {
            let below = archive.below(&meta.location);
            match BatchName::parse_manifest(below) {
                Ok(batch) if !selection.takes(&batch) => None,
                Ok(batch) => Some(Ok(batch)),
                Err(_) => Some(Err(below.to_owned())),
            }
        });
        listed.try_filter_map(|listed| async { Ok(listed) }).boxed()
    }

    /// Everything below one of the two trees that a selection may want.
    fn list_tree(
        &self,
        tree: &'static str,
        selection: &Selection,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        if selection.is_everything() {
            return self.list_below(tree.to_owned());
        }
        let (archive, selection) = (self.clone(), selection.clone());
        let folders = async move { archive.folders(tree, &selection).await.map(|f| (archive, f)) };
        let listed = stream::once(folders).map_ok(|(archive, folders)| {
            stream::iter(folders).flat_map(move |folder| archive.list_below(folder))
        });
        listed.try_flatten().boxed()
    }

    /// The smallest folders that together hold a selection.
    async fn folders(&self, tree: &str, selection: &Selection) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for date in self.folders_below(tree).await? {
            let Some(day) = date.rsplit('/').next().and_then(Hour::parse_date) else { continue };
            if !selection.takes_day(day) {
                continue;
            }
            if selection.takes_all_of(day) {
                found.push(date);
                continue;
            }
            for hour in self.folders_below(&date).await? {
                let number = hour.rsplit('/').next().and_then(Hour::parse_hour);
                let Some(number) = number else { continue };
                if !selection.takes_hour(Hour(day.0 + number)) {
                    continue;
                }
                if selection.hosts.is_empty() {
                    found.push(hour);
                } else {
                    let hosts = selection.hosts.iter();
                    found.extend(hosts.map(|host| format!("{hour}/host={host}")));
                }
            }
        }
        Ok(found)
    }

    async fn folders_below(&self, below: &str) -> Result<Vec<String>> {
        let path = self.path(below)?;
        let listed = self.store().list_with_delimiter(Some(&path)).await;
        match listed.map_err(|error| self.error(LIST, below, error)) {
            Ok(listed) => {
                let folders = listed.common_prefixes.iter();
                Ok(folders.map(|path: &Path| self.below(path).to_owned()).collect())
            }
            Err(error) if error.kind() == Kind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn list_below(&self, below: String) -> BoxStream<'static, Result<ObjectMeta>> {
        let path = match self.path(&below) {
            Ok(path) => path,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let archive = self.clone();
        let listed = self.store().list(Some(&path));
        let listed = listed.map_err(move |error| archive.error(LIST, &below, error));
        // A folder that is not there holds nothing.
        let there = listed.try_filter(|_| async { true }).filter(|listed| {
            let missing = matches!(listed, Err(error) if error.kind() == Kind::NotFound);
            async move { !missing }
        });
        there.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn between(since: i64, until: i64) -> Selection {
        Selection {
            since: Some(Timestamp(since)),
            until: Some(Timestamp(until)),
            hosts: Vec::new(),
        }
    }

    #[test]
    fn only_hours_that_overlap_are_taken() {
        let selection = between(5 * HOUR + 1, 7 * HOUR);
        let taken: Vec<i64> = (0..24).filter(|hour| selection.takes_hour(Hour(*hour))).collect();
        assert_eq!(taken, [5, 6]);
        assert!(between(5 * HOUR, 7 * HOUR + 1).takes_hour(Hour(7)));
    }

    #[test]
    fn a_day_is_taken_whole_only_if_every_hour_is() {
        assert!(between(0, 24 * HOUR).takes_all_of(Hour(0)));
        assert!(!between(HOUR, 24 * HOUR).takes_all_of(Hour(0)));
        assert!(!between(0, 23 * HOUR).takes_all_of(Hour(0)));
        assert!(!between(0, 24 * HOUR).takes_day(Hour(24)));
        assert!(Selection::default().takes_all_of(Hour(-24)));
    }
}
