//! Objects of a bucket.
//!
//! Folders are listed one by one only as long as that can leave something out; below that, all at
//! once.

use std::sync::Arc;

use forebear_archive::object_store::{ObjectMeta, ObjectStore, path::Path};
use forebear_archive::{Archive, Hour};
use forebear_query::Glob;
use futures_util::{StreamExt, TryStreamExt};

use crate::bounds::{Bounds, host_of};
use crate::error::{Error, Result};
use crate::report::Tally;
use crate::source::{Body, Format, NO_EVENTS, Object, is_wanted};

/// How many listings run at once.
const AT_ONCE: usize = 16;

/// The objects at a place.
pub(super) async fn list(
    archive: &Archive,
    only: Option<&Glob>,
    bounds: &Bounds,
    tally: &Tally,
) -> Result<Vec<Object>> {
    let (store, prefix) = archive.object_store();
    let place = archive.place();
    let walk = Walk { archive, store: &*store, bounds };
    let metas = match bounds.are_open() {
        true => walk.all_below(&prefix).await?,
        false => walk.wanted(&prefix).await?,
    };
    let mut found = Vec::new();
    for meta in metas {
        let path = meta.location.as_ref();
        let below = path.strip_prefix(prefix.as_ref()).unwrap_or(path).trim_start_matches('/');
        let is_ours = NO_EVENTS
            .iter()
            .any(|folder| below.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')));
        let name = format!("{place}/{below}");
        if is_ours || only.is_some_and(|only| !only.matches(&name)) {
            continue;
        }
        match Format::of(path) {
            None => tally.foreign(&name),
            Some(format) if is_wanted(path, bounds, tally) => {
                let place = Body::Stored { store: Arc::clone(&store), path: meta.location.clone() };
                found.push(Object { name, place, size: meta.size, format });
            }
            Some(_) => {}
        }
    }
    Ok(found)
}

struct Walk<'w> {
    archive: &'w Archive,
    store: &'w dyn ObjectStore,
    bounds: &'w Bounds,
}

/// A folder, and what is known of it by its name and those above.
struct Folder {
    path: Path,
    day: Option<Hour>,
}

impl Walk<'_> {
    async fn all_below(&self, path: &Path) -> Result<Vec<ObjectMeta>> {
        let listed = self.store.list(Some(path)).try_collect().await;
        listed.map_err(|error| self.failed(error))
    }

    /// Goes down level by level, several folders at once.
    async fn wanted(&self, top: &Path) -> Result<Vec<ObjectMeta>> {
        let mut found = Vec::new();
        let mut level = vec![Folder { path: top.clone(), day: None }];
        while !level.is_empty() {
            let looks = std::mem::take(&mut level).into_iter().map(|folder| self.look(folder));
            let mut looks = futures_util::stream::iter(looks).buffered(AT_ONCE);
            while let Some(looked) = looks.next().await {
                let (objects, folders) = looked?;
                found.extend(objects);
                level.extend(folders);
            }
        }
        Ok(found)
    }

    /// What is in a folder, and the folders in it that have to be looked into.
    async fn look(&self, folder: Folder) -> Result<(Vec<ObjectMeta>, Vec<Folder>)> {
        let name = folder.path.parts().next_back();
        let name = name.as_ref().map(|part| part.as_ref().to_owned()).unwrap_or_default();
        // Nothing below a host's folder, or a whole day that is wanted, can be left out.
        let day = Hour::parse_date(&name);
        let whole_day = day.is_some_and(|day| self.bounds.takes_all_of(day));
        let is_hour = folder.day.is_some() && Hour::parse_hour(&name).is_some();
        let whole_hour = is_hour && self.bounds.named_hosts().is_none();
        if whole_day || whole_hour || host_of(&name).is_some() {
            return Ok((self.all_below(&folder.path).await?, Vec::new()));
        }
        if is_hour && let Some(hosts) = self.bounds.named_hosts() {
            let hosts = hosts.into_iter().map(|host| {
                let path = folder.path.clone().join(format!("host={host}"));
                Folder { path, day: None }
            });
            return Ok((Vec::new(), hosts.collect()));
        }
        let listed = self.store.list_with_delimiter(Some(&folder.path)).await;
        let listed = listed.map_err(|error| self.failed(error))?;
        let folders = listed.common_prefixes.into_iter().filter_map(|path| {
            let name = path.parts().next_back()?.as_ref().to_owned();
            self.enters(&name, day).then_some(Folder { path, day })
        });
        Ok((listed.objects, folders.collect()))
    }

    fn enters(&self, name: &str, day: Option<Hour>) -> bool {
        if let Some(day) = Hour::parse_date(name) {
            return self.bounds.takes_day(day);
        }
        match (day, Hour::parse_hour(name)) {
            (Some(day), Some(hour)) => self.bounds.takes_hour(Hour(day.0 + hour)),
            _ => !NO_EVENTS.contains(&name),
        }
    }

    fn failed(&self, error: forebear_archive::object_store::Error) -> Error {
        self.archive.error("list", "", error).into()
    }
}
