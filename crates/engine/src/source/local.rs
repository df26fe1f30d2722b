//! Files and folders of this machine.

use std::path::{Path, PathBuf};

use forebear_archive::Hour;
use forebear_query::Glob;

use crate::bounds::{Bounds, host_of};
use crate::error::{Error, Kind, Result};
use crate::report::Tally;
use crate::source::{Body, Format, NO_EVENTS, Object, is_wanted};

/// How deep folders are entered: a link may lead in a circle.
const DEEPEST: usize = 32;

/// The objects at a path.
pub(super) fn list(
    path: &Path,
    only: Option<&Glob>,
    bounds: &Bounds,
    tally: &Tally,
) -> Result<Vec<Object>> {
    let metadata = fs_err::metadata(path).map_err(|error| {
        let what = format!("looking for events at {}: {}", path.display(), error.kind());
        Error::new(Kind::Place, what)
    })?;
    let mut found = Vec::new();
    if metadata.is_dir() {
        let mut walk = Walk { only, bounds, tally, found: &mut found };
        walk.folder(path, None, 0)?;
        return Ok(found);
    }
    // A file that somebody has named is looked at whatever it is called.
    let name = path.display().to_string();
    if is_wanted(&name, bounds, tally) {
        let format = Format::of(&name).unwrap_or(Format::Lines);
        let (place, size) = (Body::File(path.to_owned()), metadata.len());
        found.push(Object { name, place, size, format });
    }
    Ok(found)
}

struct Walk<'w> {
    only: Option<&'w Glob>,
    bounds: &'w Bounds,
    tally: &'w Tally,
    found: &'w mut Vec<Object>,
}

impl Walk<'_> {
    /// Looks into a folder. `day` is the one above, if the folder is of a day's hours.
    fn folder(&mut self, folder: &Path, day: Option<Hour>, depth: usize) -> Result<()> {
        let failed = |error: std::io::Error| Error::new(Kind::Environment, error.to_string());
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in fs_err::read_dir(folder).map_err(failed)? {
            entries.push(entry.map_err(failed)?.path());
        }
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // What went away in between holds nothing.
            let Ok(metadata) = fs_err::metadata(&path) else { continue };
            if metadata.is_file() {
                self.file(&path, metadata.len());
            } else if metadata.is_dir()
                && depth < DEEPEST
                && !NO_EVENTS.contains(&name.as_str())
                && self.enters(&name, day)
            {
                self.folder(&path, Hour::parse_date(&name), depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether anything that is wanted can be in a folder of this name.
    fn enters(&self, name: &str, day: Option<Hour>) -> bool {
        if let Some(day) = Hour::parse_date(name) {
            return self.bounds.takes_day(day);
        }
        if let (Some(day), Some(hour)) = (day, Hour::parse_hour(name)) {
            return self.bounds.takes_hour(Hour(day.0 + hour));
        }
        host_of(name).is_none_or(|host| self.bounds.takes_host(host))
    }

    fn file(&mut self, path: &Path, size: u64) {
        let shown = path.strip_prefix("./").unwrap_or(path).display().to_string();
        if self
            .only
            .is_some_and(|only| !only.matches(&shown) && !only.matches(&format!("./{shown}")))
        {
            return;
        }
        match Format::of(&shown) {
            None => self.tally.foreign(&shown),
            Some(format) if is_wanted(&shown, self.bounds, self.tally) => {
                let place = Body::File(path.to_owned());
                self.found.push(Object { name: shown, place, size, format });
            }
            Some(_) => {}
        }
    }
}
