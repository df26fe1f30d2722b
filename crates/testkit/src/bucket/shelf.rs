//! What the in-process servers have in common: one bucket's objects in memory, in key order, with
//! listing by pages and uploads in parts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};

/// What is kept beside the bytes of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Content-Type.
    pub content_type: Option<String>,
    /// Content-Encoding.
    pub content_encoding: Option<String>,
    /// Cache-Control.
    pub cache_control: Option<String>,
    /// User metadata, by lower-case name without the service's prefix.
    pub metadata: BTreeMap<String, String>,
}

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) body: Bytes,
    pub(super) kept: Kept,
    /// Counts up with each write to the bucket.
    pub(super) version: u64,
    pub(super) modified: SystemTime,
}

impl Item {
    /// The entity tag without its quotes: opaque, and another one for each write.
    pub(super) fn tag(&self) -> String {
        format!("{:032x}", self.version)
    }
}

/// An upload in parts that is not finished.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) kept: Kept,
    /// Bytes and entity tag by number.
    pub(super) parts: BTreeMap<u32, (Bytes, String)>,
}

/// The services' smallest part but the last, in bytes.
pub(super) const MIN_PART: usize = 5 << 20;

/// The most keys of one page.
pub(super) const PAGE: usize = 1000;

/// Why parts do not make an object; the words are the services' codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartsError {
    NoSuchUpload,
    InvalidPart,
    InvalidPartOrder,
    EntityTooSmall,
}

/// One page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) items: Vec<(String, Item)>,
    pub(super) folders: Vec<String>,
    /// Where the next page begins; `None` on the last.
    pub(super) next: Option<String>,
}

/// A bucket's objects.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) exists: bool,
    pub(super) items: BTreeMap<String, Item>,
    pub(super) uploads: BTreeMap<String, Upload>,
    counter: u64,
}

/// The objects of a server, shared with its owner.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Shelf>>);

impl Shared {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Shelf { exists: true, ..Shelf::default() })))
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Everything in the bucket, by key.
    pub(super) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.with(|shelf| {
            shelf.items.iter().map(|(key, item)| (key.clone(), item.body.to_vec())).collect()
        })
    }
}

impl Shelf {
    /// A number that was not given before.
    pub(super) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn put(&mut self, key: &str, body: Bytes, kept: Kept) -> Item {
        let item = Item { body, kept, version: self.count(), modified: SystemTime::now() };
        self.items.insert(key.to_owned(), item.clone());
        item
    }

    /// The keys after `after` that begin with `prefix`; those that have `delimiter` behind it are
    /// shown as their common beginning.
    pub(super) fn page(
        &self,
        prefix: &str,
        delimiter: Option<&str>,
        after: Option<&str>,
        most: usize,
    ) -> Page {
        let mut page = Page::default();
        let mut folders = BTreeSet::new();
        let begin = match after {
            Some(after) if after >= prefix => Bound::Excluded(after.to_owned()),
            _ => Bound::Included(prefix.to_owned()),
        };
        let mut last = None;
        for (key, item) in self.items.range((begin, Bound::Unbounded)) {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            let folder = delimiter.and_then(|delimiter| {
                let (head, _) = rest.split_once(delimiter)?;
                Some(format!("{prefix}{head}{delimiter}"))
            });
            let is_known = folder
                .as_ref()
                .is_some_and(|folder| folders.contains(folder) || after == Some(folder.as_str()));
            if is_known {
                continue;
            }
            if page.items.len() + folders.len() == most {
                page.next = last;
                break;
            }
            match folder {
                Some(folder) => {
                    last = Some(folder.clone());
                    folders.insert(folder);
                }
                None => {
                    last = Some(key.clone());
                    page.items.push((key.clone(), item.clone()));
                }
            }
        }
        page.folders = folders.into_iter().collect();
        page
    }

    pub(super) fn begin_upload(&mut self, key: &str, kept: Kept) -> String {
        let id = format!("upload-{}", self.count());
        let upload = Upload { key: key.to_owned(), kept, parts: BTreeMap::new() };
        self.uploads.insert(id.clone(), upload);
        id
    }

    /// The part's entity tag without quotes.
    pub(super) fn put_part(&mut self, id: &str, number: u32, body: Bytes) -> Option<String> {
        let tag = format!("{:032x}", self.count());
        self.uploads.get_mut(id)?.parts.insert(number, (body, tag.clone()));
        Some(tag)
    }

    /// Puts the object together from the parts that are named, by number and entity tag.
    pub(super) fn complete(
        &mut self,
        id: &str,
        wanted: &[(u32, String)],
    ) -> Result<Item, PartsError> {
        let upload = self.uploads.get(id).ok_or(PartsError::NoSuchUpload)?;
        if wanted.is_empty() {
            return Err(PartsError::InvalidPart);
        }
        if !wanted.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err(PartsError::InvalidPartOrder);
        }
        let mut body = BytesMut::new();
        for (index, (number, tag)) in wanted.iter().enumerate() {
            match upload.parts.get(number) {
                Some((part, has)) if has == tag.trim_matches('"') => {
                    if part.len() < MIN_PART && index + 1 < wanted.len() {
                        return Err(PartsError::EntityTooSmall);
                    }
                    body.extend_from_slice(part);
                }
                _ => return Err(PartsError::InvalidPart),
            }
        }
        let Some(Upload { key, kept, .. }) = self.uploads.remove(id) else {
            return Err(PartsError::NoSuchUpload);
        };
        Ok(self.put(&key, body.freeze(), kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(keys: &[&str]) -> Shelf {
        let mut shelf = Shelf::default();
        for key in keys {
            shelf.put(key, Bytes::new(), Kept::default());
        }
        shelf
    }

    /// Every page of a listing, as names.
    fn pages(
        shelf: &Shelf,
        prefix: &str,
        delimiter: Option<&str>,
        most: usize,
    ) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = shelf.page(prefix, delimiter, after.as_deref(), most);
            let mut names: Vec<String> = page.items.into_iter().map(|(key, _)| key).collect();
            names.extend(page.folders);
            names.sort();
            pages.push(names);
            after = page.next;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn a_listing_comes_in_pages_and_shows_each_key_once() {
        let shelf = shelf(&["a/1", "a/2", "a/3", "b/1"]);
        assert_eq!(pages(&shelf, "a/", None, 2), [vec!["a/1", "a/2"], vec!["a/3"]]);
    }

    #[test]
    fn a_folder_is_shown_once_even_across_pages() {
        let shelf = shelf(&["x/a/1", "x/a/2", "x/b", "x/c/1", "y"]);
        let shown = pages(&shelf, "x/", Some("/"), 1);
        assert_eq!(shown, [vec!["x/a/"], vec!["x/b"], vec!["x/c/"]]);
    }

    #[test]
    fn parts_are_put_together_as_they_are_named() {
        let mut shelf = shelf(&[]);
        let id = shelf.begin_upload("k", Kept::default());
        let two = shelf.put_part(&id, 2, Bytes::from_static(b"end")).unwrap();
        let one = shelf.put_part(&id, 1, vec![b'x'; MIN_PART].into()).unwrap();
        let wrong = [(2, two.clone()), (1, one.clone())];
        assert_eq!(shelf.complete(&id, &wrong).unwrap_err(), PartsError::InvalidPartOrder);
        let item = shelf.complete(&id, &[(1, one), (2, two)]).unwrap();
        assert_eq!(item.body.len(), MIN_PART + 3);
        assert!(shelf.uploads.is_empty());
    }

    #[test]
    fn a_small_part_may_only_be_the_last() {
        let mut shelf = shelf(&[]);
        let id = shelf.begin_upload("k", Kept::default());
        let parts: Vec<_> = (1..3)
            .map(|number| (number, shelf.put_part(&id, number, Bytes::from_static(b"x")).unwrap()))
            .collect();
        assert_eq!(shelf.complete(&id, &parts).unwrap_err(), PartsError::EntityTooSmall);
    }
}
