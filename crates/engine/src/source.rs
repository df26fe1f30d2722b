//! What the words after a question mean: files, folders, patterns, buckets, standard input.
//!
//! A folder or a bucket is looked through to its end, whatever it is called and however it is
//! divided; folders called `date=…`, `hour=…` and `host=…` are what the archive makes of them, and
//! are not entered if nothing that is wanted can be in them.

mod bucket;
mod doubles;
mod local;

use std::path::PathBuf;
use std::sync::Arc;

use forebear_archive::object_store::{ObjectStore, path::Path};
use forebear_archive::{Access, Archive, Destination, Environment};
use forebear_query::Glob;
use url::Url;

use crate::bounds::{Bounds, Partition};
use crate::error::{Error, Kind, Result};
use crate::report::Tally;

pub(crate) use doubles::without_doubles;

/// How buckets are reached.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Where the service answers, if not at its cloud's usual address.
    pub endpoint: Option<String>,
    /// The region of the bucket (S3).
    pub region: Option<String>,
    /// Accepts an endpoint without TLS.
    pub allow_http: bool,
    /// Sends no credentials.
    pub anonymous: bool,
}

/// A place with events.
#[derive(Clone, Debug)]
pub struct Place(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Stdin,
    Local { path: PathBuf, only: Option<Glob> },
    Bucket { archive: Archive, only: Option<Glob> },
}

impl Place {
    /// The place that a word stands for. Nothing is read yet.
    ///
    /// # Errors
    /// What is no place, and what keeps a client from being made.
    pub fn open(word: &str, reach: &Reach, environment: &Environment) -> Result<Self> {
        if word == "-" {
            return Ok(Self(Inner::Stdin));
        }
        if word.is_empty() {
            return Err(Error::new(Kind::Place, "an empty word is no place with events"));
        }
        if let Some(path) = local(word)? {
            let (path, only) = divide(&path, std::path::Path::new(&path).exists())?;
            let path = if path.is_empty() { PathBuf::from(".") } else { PathBuf::from(path) };
            return Ok(Self(Inner::Local { path, only }));
        }
        let (base, only) = divide(word, false)?;
        let destination = Destination {
            endpoint: reach.endpoint.clone(),
            region: reach.region.clone(),
            allow_http: reach.allow_http,
            anonymous: reach.anonymous,
            ..Destination::of_source(base)
        };
        let archive = Archive::open(&destination, environment, Access::Read)?;
        Ok(Self(Inner::Bucket { archive, only }))
    }

    /// What is there of what is wanted, in the order of names.
    pub(crate) async fn list(&self, bounds: &Bounds, tally: &Tally) -> Result<Vec<Object>> {
        let mut objects = match &self.0 {
            Inner::Stdin => {
                let (name, format) = ("standard input".to_owned(), Format::Lines);
                return Ok(vec![Object { name, place: Body::Stdin, size: 0, format }]);
            }
            Inner::Local { path, only } => local::list(path, only.as_ref(), bounds, tally)?,
            Inner::Bucket { archive, only } => {
                bucket::list(archive, only.as_ref(), bounds, tally).await?
            }
        };
        objects.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(objects)
    }
}

/// The path of a word, unless it is the address of a bucket.
fn local(word: &str) -> Result<Option<String>> {
    if !word.contains("://") {
        return Ok(Some(word.to_owned()));
    }
    if !word.starts_with("file://") {
        return Ok(None);
    }
    let path = Url::parse(word).ok().and_then(|url| url.to_file_path().ok());
    let path = path.and_then(|path| path.into_os_string().into_string().ok());
    let wrong = || Error::new(Kind::Place, format!("{word:?} is no path: write file:///folder"));
    path.map(Some).ok_or_else(wrong)
}

/// The folder above the first sign of a pattern, and the pattern of whole names. What is there
/// under its own name is no pattern.
fn divide(word: &str, is_there: bool) -> Result<(&str, Option<Glob>)> {
    let Some(sign) = word.find(['*', '?', '[']).filter(|_| !is_there) else {
        return Ok((word, None));
    };
    let wrong = || Error::new(Kind::Place, format!("{word:?} is not well formed as a pattern"));
    let only = Glob::compile(word).ok_or_else(wrong)?;
    let base = word[..sign].rfind('/').map_or("", |slash| &word[..slash.max(1)]);
    Ok((base, Some(only)))
}

/// What an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One event a line, compressed or not.
    Lines,
    /// Columns.
    Parquet,
}

impl Format {
    /// By the name; `None` for what holds no events.
    fn of(name: &str) -> Option<Self> {
        let bare = [".zst", ".gz"].iter().find_map(|end| name.strip_suffix(end));
        let is_lines = |name: &str| {
            [".ndjson", ".jsonl", ".json"].iter().any(|extension| name.ends_with(extension))
        };
        match bare {
            _ if name.ends_with(".parquet") => Some(Self::Parquet),
            Some(bare) => is_lines(bare).then_some(Self::Lines),
            None => is_lines(name).then_some(Self::Lines),
        }
    }
}

/// Where an object's bytes are.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Stdin,
    File(PathBuf),
    Stored { store: Arc<dyn ObjectStore>, path: Path },
}

/// Something with events.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// As people see it.
    pub name: String,
    pub place: Body,
    /// Bytes, as they are stored; 0 if nobody knows.
    pub size: u64,
    pub format: Format,
}

/// Whether an object of this path can hold what is wanted; counts it.
fn is_wanted(path: &str, bounds: &Bounds, tally: &Tally) -> bool {
    use std::sync::atomic::Ordering::Relaxed;
    tally.listed.fetch_add(1, Relaxed);
    let is_wanted = match Partition::of(path) {
        Some(partition) => bounds.takes(&partition),
        None => true,
    };
    if !is_wanted {
        tally.pruned.fetch_add(1, Relaxed);
    }
    is_wanted
}

/// Folders of ours that hold no events.
const NO_EVENTS: [&str; 2] =
    [forebear_archive::layout::MANIFESTS, forebear_archive::layout::PROBES];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_begins_below_the_last_whole_folder() {
        let base = |word| divide(word, false).unwrap().0.to_owned();
        assert_eq!(base("a/b/*.ndjson"), "a/b");
        assert_eq!(base("*.ndjson"), "");
        assert_eq!(base("/x*"), "/");
        assert_eq!(base("s3://bucket/p/date=2026-11-2[34]/hour=*"), "s3://bucket/p");
        assert!(divide("a[b", false).is_err());
        assert!(divide("a[b", true).unwrap().1.is_none());
    }

    #[test]
    fn what_holds_events_shows_in_the_name() {
        assert_eq!(Format::of("a.ndjson.zst"), Some(Format::Lines));
        assert_eq!(Format::of("a.jsonl"), Some(Format::Lines));
        assert_eq!(Format::of("a.parquet"), Some(Format::Parquet));
        assert_eq!(Format::of("a.zst"), None);
        assert_eq!(Format::of("README"), None);
    }

    #[test]
    fn an_address_of_a_folder_is_a_path() {
        assert_eq!(local("file:///a/b").unwrap().as_deref(), Some("/a/b"));
        assert_eq!(local("a b").unwrap().as_deref(), Some("a b"));
        assert_eq!(local("s3://bucket").unwrap(), None);
        assert!(local("file://host/x").is_err());
    }
}
