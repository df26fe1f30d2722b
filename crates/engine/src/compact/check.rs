//! Whether an object of columns holds what the objects of lines hold.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use forebear_archive::object_store::ObjectStoreExt as _;
use forebear_archive::{Archive, Digest, ReadLimits};
use futures_util::TryStreamExt as _;

use crate::compact::chains::Chain;
use crate::compact::{store_path, stored, unreadable};
use crate::error::{Error, Kind, Result};
use crate::report::Tally;
use crate::scan::read_whole;
use crate::schema::LINE;
use crate::source::Format;

/// Reads both sides to their end and compares them; how many events the columns hold.
///
/// # Errors
/// When they differ, and when one cannot be read.
pub(super) async fn check(from: &Archive, to: &Archive, chain: &Chain) -> Result<u64> {
    let below = chain.name.columns_path();
    let place = format!("{}/{below}", to.place());
    let (store, path) = store_path(to, &below);
    let found = store.head(&path).await;
    let found = found
        .map_err(|error| Error::new(Kind::Environment, format!("looking at {place}: {error}")))?;
    let tally = Arc::new(Tally::default());
    let mut rows = read_whole(stored(to, &below, found.size, Format::Parquet), &tally);
    let (mut count, mut lines_there) = (0_u64, HashSet::new());
    while let Some(rows) = rows.try_next().await.map_err(unreadable)? {
        let lines = rows.column_by_name(LINE).and_then(|lines| lines.as_string_opt::<i32>());
        for line in lines.iter().flat_map(|lines| lines.iter()).flatten() {
            count += 1;
            lines_there.insert(Digest::of(line.as_bytes()));
        }
    }
    let warnings = tally.report().warnings();
    if !warnings.is_empty() {
        let what = format!("reading back {place}: {}", warnings.join("; "));
        return Err(Error::new(Kind::Environment, what));
    }
    let different = |what: &str| {
        let what = format!(
            "{place} does not hold what its name says: {what}; nothing was removed; move it away \
             and compact again"
        );
        Error::new(Kind::Environment, what)
    };
    let mut of_lines = 0_u64;
    for object in &chain.objects {
        let mut lines = from.lines(object, &ReadLimits::default()).await?;
        while let Some(line) = lines.next().await? {
            of_lines += 1;
            if !lines_there.contains(&Digest::of(line)) {
                return Err(different(&format!(
                    "an event of {}/{} is not in it",
                    from.place(),
                    object.key
                )));
            }
        }
    }
    // Some objects of lines may have been removed before.
    if chain.is_complete() && of_lines != count {
        return Err(different(&format!("it has {count} events, and the lines are {of_lines}")));
    }
    Ok(count)
}
