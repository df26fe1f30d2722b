//! Compaction: objects of lines into fewer objects of columns, which are asked faster.
//!
//! An object of columns lies in the partition of the objects that it was made of, and its name says
//! which: all of one run, from its first number to its last without a gap ([`chains`]). So names
//! alone tell what is done already and what is there twice, whoever looks.
//!
//! # What is guaranteed
//! - An object of columns holds every event of the objects that its name stands for, as columns and
//!   as the line that it was. It is read back and compared with them before it counts ([`check`]).
//! - An object of lines that is not whole, or has a line that is no event, is left alone and told.
//! - Nothing is overwritten; doing it again does what is left. Nothing is removed but what is asked
//!   for, after the comparison.
//!
//! Rows lie in the order of their times within each group of rows.

mod chains;
mod check;

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::{
    SortColumn, concat_batches, lexsort_to_indices, take_record_batch,
};
use forebear_archive::object_store::{ObjectStore, path::Path};
use forebear_archive::{Archive, Listed, Outcome, ReadLimits, Selection};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::error::{Error, Kind, Result};
use crate::parquet::Writer;
use crate::report::{Damage, Tally};
use crate::scan::read_whole;
use crate::schema::schema;
use crate::source::{Body, Format, Object};

use self::chains::Chain;

/// Bytes of lines in a group of rows: they are in memory to be sorted.
const GROUP: usize = 48 << 20;

/// What was done, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Objects of lines in the source.
    pub found: u64,
    /// Of these: in columns at the destination before.
    pub done_before: u64,
    /// Of these: in columns now.
    pub done: u64,
    /// Objects of columns that were written.
    pub written: u64,
    /// Their events.
    pub events: u64,
    /// Bytes of the objects of lines, as they are stored.
    pub source_bytes: u64,
    /// Bytes of the objects of columns.
    pub bytes: u64,
    /// Objects of lines that were removed.
    pub removed: u64,
    /// What was left alone, and why.
    pub left: Vec<String>,
}

/// Makes objects of columns at `to` of the objects of lines at `from`, several at a time; `shown`
/// is told how far it is. With `remove` the objects of lines are removed that are in columns.
///
/// # Errors
/// When a place cannot be listed, and when something cannot be written or removed.
pub async fn compact(
    from: &Archive,
    to: &Archive,
    at_once: usize,
    remove: bool,
    shown: &mut dyn FnMut(&Compacted),
) -> Result<Compacted> {
    let mut compacted = Compacted::default();
    let mut objects = Vec::new();
    let mut listed = from.list(&Selection::default());
    while let Some(found) = listed.try_next().await? {
        match found {
            Listed::Object(object) => objects.push(object),
            Listed::Columns(_) => {}
            Listed::Foreign(path) => {
                compacted.left.push(format!("{}/{path}: it is no object of events", from.place()));
            }
        }
    }
    let mut there = Vec::new();
    let mut listed = to.list(&Selection::default());
    while let Some(found) = listed.try_next().await? {
        if let Listed::Columns(batch) = found {
            there.push(batch);
        }
    }
    compacted.found = objects.len() as u64;
    let (chains, done_before) = chains::chains(objects, &there);
    compacted.done_before = done_before.iter().map(|chain| chain.objects.len() as u64).sum();
    shown(&compacted);
    let mut done: Vec<Chain> = Vec::new();
    let works = chains.into_iter().map(|chain| {
        let (from, to) = (from.clone(), to.clone());
        async move {
            let work = tokio::spawn(async move { one(&from, &to, chain).await });
            work.await.unwrap_or_else(|error| {
                Err(Error::new(Kind::Internal, format!("making columns: {error}")))
            })
        }
    });
    let mut works = futures_util::stream::iter(works).buffer_unordered(at_once.max(1));
    while let Some(made) = works.next().await {
        for made in made? {
            match made {
                Made::Whole { chain, written, events, bytes } => {
                    compacted.done += chain.objects.len() as u64;
                    compacted.source_bytes += chain.objects.iter().map(|it| it.size).sum::<u64>();
                    compacted.events += events;
                    compacted.written += u64::from(written);
                    compacted.bytes += bytes;
                    done.push(chain);
                }
                Made::Left(why) => compacted.left.push(why),
            }
        }
        shown(&compacted);
    }
    if remove {
        // What was done before is compared again: nobody knows what happened since.
        for chain in &done_before {
            check::check(from, to, chain).await?;
        }
        for object in done_before.iter().chain(&done).flat_map(|chain| &chain.objects) {
            from.remove_object(&object.key).await?;
            compacted.removed += 1;
            shown(&compacted);
        }
    }
    Ok(compacted)
}

/// What became of a chain, or of a part of it.
enum Made {
    Whole { chain: Chain, written: bool, events: u64, bytes: u64 },
    Left(String),
}

/// Makes the columns of a chain. If an object is not whole, the others of the chain are made one by
/// one.
async fn one(from: &Archive, to: &Archive, chain: Chain) -> Result<Vec<Made>> {
    let mut made = Vec::new();
    let mut left = vec![chain];
    while let Some(chain) = left.pop() {
        match columns(from, &chain).await? {
            Ok(body) => {
                let bytes = body.len() as u64;
                let outcome = to.put_columns(&chain.name, &body).await?;
                drop(body);
                let events = check::check(from, to, &chain).await?;
                let written = outcome == Outcome::Written;
                made.push(Made::Whole { chain, written, events, bytes });
            }
            Err(why) if chain.objects.len() == 1 => made.push(Made::Left(why)),
            Err(_) => left.extend(chain.into_single().rev()),
        }
    }
    Ok(made)
}

/// The body of the object of columns; what is wrong with an object of lines, if something is.
async fn columns(from: &Archive, chain: &Chain) -> Result<std::result::Result<Bytes, String>> {
    if let Some(fault) = fault(from, chain).await? {
        return Ok(Err(fault));
    }
    let tally = Arc::new(Tally::default());
    let mut writer = Writer::new(schema(), Vec::new())?;
    let mut group = Group::default();
    for object in &chain.objects {
        let object = stored(from, &object.key.to_string(), object.size, Format::Lines);
        let mut lines = read_whole(object, &tally);
        while let Some(rows) = lines.try_next().await.map_err(unreadable)? {
            group.push(rows);
            if group.bytes >= GROUP {
                group.write(&mut writer)?;
            }
        }
    }
    let report = tally.report();
    let may_be = |damage: Damage| matches!(damage, Damage::WrongType | Damage::Newer);
    if report.damage.iter().any(|(damage, ..)| !may_be(*damage)) {
        return Ok(Err(report.warnings().join("; ")));
    }
    group.write(&mut writer)?;
    Ok(Ok(Bytes::from(writer.finish()?)))
}

/// What keeps an object of lines from being a whole stream of whole lines, if something does.
async fn fault(from: &Archive, chain: &Chain) -> Result<Option<String>> {
    use forebear_archive::Kind as Of;
    for object in &chain.objects {
        let mut lines = from.lines(object, &ReadLimits::default()).await?;
        loop {
            match lines.next_block().await {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) if matches!(error.kind(), Of::Damaged | Of::TooLarge) => {
                    return Ok(Some(error.to_string()));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(None)
}

fn unreadable(error: datafusion::error::DataFusionError) -> Error {
    Error::of_engine("reading events", error)
}

/// An object of the archive as the scan takes it.
fn stored(archive: &Archive, below: &str, size: u64, format: Format) -> Object {
    let (store, path) = store_path(archive, below);
    let name = format!("{}/{below}", archive.place());
    Object { name, place: Body::Stored { store, path }, size, format }
}

/// The client of an archive, and its path of something below the prefix.
fn store_path(archive: &Archive, below: &str) -> (Arc<dyn ObjectStore>, Path) {
    let (store, prefix) = archive.object_store();
    let path = below.split('/').fold(prefix, |path, part| path.join(part));
    (store, path)
}

/// Rows that are sorted together.
#[derive(Default)]
struct Group {
    rows: Vec<RecordBatch>,
    bytes: usize,
}

impl Group {
    fn push(&mut self, rows: RecordBatch) {
        use datafusion::arrow::array::Array as _;
        let line = rows.column_by_name(crate::schema::LINE);
        self.bytes += line.map_or(0, |line| line.get_array_memory_size());
        self.rows.push(rows);
    }

    fn write(&mut self, to: &mut Writer<Vec<u8>>) -> Result<()> {
        let failed = |error| Error::of_engine("sorting rows", error);
        let rows = concat_batches(&schema(), &std::mem::take(&mut self.rows));
        let rows = rows.map_err(|error| failed(error.into()))?;
        self.bytes = 0;
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let by = |name: &str| {
            let values = Arc::clone(rows.column_by_name(name)?);
            Some(SortColumn { values, options: None })
        };
        let by: Vec<SortColumn> = ["event_time", "seq"].into_iter().filter_map(by).collect();
        let order = lexsort_to_indices(&by, None).map_err(|error| failed(error.into()))?;
        let sorted = take_record_batch(&rows, &order).map_err(|error| failed(error.into()))?;
        to.write(&sorted)?;
        to.end_group()
    }
}
