//! The file of `--macros`: opened, and what is wrong with it told.
//!
//! What it may hold, `forebear-query` knows.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::Result;
use forebear_query::{Macros, Moment, read_macros, render};

use crate::failure::{Failure, reason};

/// The largest file, in bytes.
const LARGEST: u64 = 1 << 20;

/// Reads saved queries.
///
/// # Errors
/// A usage [`Failure`] if the file cannot be read, or with the place of each mistake in it.
pub(super) fn read(path: &Path, moment: &Moment) -> Result<Macros> {
    let text = text(path).map_err(|error| {
        let why = reason(&error);
        Failure::usage(format!("cannot read the saved queries of {}: {why}", path.display()))
    })?;
    let read = read_macros(&text, moment).map_err(|problems| {
        let shown = render(&text, &problems);
        Failure::usage(format!(
            "the saved queries of {} are wrong\n{}\n  docs/reference/cql.md has the language",
            path.display(),
            shown.trim_end()
        ))
    });
    Ok(read?)
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    match u64::try_from(length).is_ok_and(|length| length > LARGEST) {
        true => Err(io::Error::other(format!("it is larger than {LARGEST} bytes"))),
        false => Ok(text),
    }
}
