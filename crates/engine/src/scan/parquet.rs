//! Objects of columns as a source of rows.
//!
//! Of an object, the conditions' columns are read first, and of the others only the pages in which
//! a row has passed. Groups of rows are left out where the object's statistics and Bloom filters
//! say that none can pass ([`groups`]).
//!
//! Columns that an older object lacks are absent, those that a newer one has besides are not read.
//! An object that is broken gives what was before that, and is counted.

mod fit;
mod groups;
mod object;

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::arrow::error::ArrowError;
use datafusion::common::cast::as_boolean_array;
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ArrowReaderOptions, RowFilter,
};
use datafusion::parquet::arrow::async_reader::{
    ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder,
};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::PageIndexPolicy;
use datafusion::parquet::schema::types::SchemaDescriptor;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::report::{Damage, Tally};
use crate::scan::blocks::Piece;
use crate::scan::paths::leaves;
use crate::scan::sieve::{Filter, Wanted};
use crate::schema::{LINE, schema};

use self::object::Object;

/// Rows of a batch at most; of whole events, which are kilobytes each, fewer.
const ROWS: usize = 8192;
const WHOLE_EVENTS: usize = 512;

/// What went wrong in a condition, so that it is not taken for a fault of the object.
type Failed = Arc<Mutex<Option<DataFusionError>>>;

/// Reads one object of columns; `false` if nobody wants more.
///
/// # Errors
/// What a condition says of a value.
pub(super) async fn read(
    piece: &Piece,
    wanted: &Wanted,
    tally: &Arc<Tally>,
    to: &mpsc::Sender<Result<RecordBatch>>,
) -> Result<bool> {
    let name = &piece.object.name;
    tally.opened.fetch_add(1, Relaxed);
    let failed = Failed::default();
    let mut rows = match open(piece, wanted, tally, &failed).await {
        Ok(Some(rows)) => rows,
        Ok(None) => {
            tally.foreign(name);
            return Ok(true);
        }
        Err(error) => {
            let damage = match &error {
                ParquetError::External(_) => Damage::Unreadable,
                _ => Damage::BrokenObject,
            };
            tally.damage(damage, || format!("{name} ({error})"));
            return Ok(true);
        }
    };
    while let Some(batch) = rows.next().await {
        match batch {
            Ok(batch) => {
                tally.matched.fetch_add(batch.num_rows() as u64, Relaxed);
                let batch = fit::batch(&batch, &wanted.columns)?;
                if to.send(Ok(batch)).await.is_err() {
                    return Ok(false);
                }
            }
            Err(error) => {
                let of_condition = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(error) = of_condition {
                    return Err(error);
                }
                tally.damage(Damage::BrokenObject, || format!("{name} ({error})"));
                break;
            }
        }
        // Others of this thread, and whoever wants to stop, get their turn.
        tokio::task::yield_now().await;
    }
    tally.done.fetch_add(1, Relaxed);
    Ok(!to.is_closed())
}

/// The rows of an object that pass; `None` if it holds no events.
async fn open(
    piece: &Piece,
    wanted: &Wanted,
    tally: &Arc<Tally>,
    failed: &Failed,
) -> Result<Option<ParquetRecordBatchStream<Object>>, ParquetError> {
    let object = Object::open(&piece.object, Arc::clone(tally)).await?;
    let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
    let mut builder = ParquetRecordBatchStreamBuilder::new_with_options(object, options).await?;
    if !holds_events(builder.schema()) {
        return Ok(None);
    }
    let filters = || wanted.asked.iter().chain(&wanted.filter);
    let kept = groups::kept(&mut builder, filters().flat_map(|(_, exprs)| exprs)).await;
    let rows = kept.iter().map(|group| builder.metadata().row_group(*group).num_rows());
    tally.lines.fetch_add(u64::try_from(rows.sum::<i64>()).unwrap_or(0), Relaxed);
    let columns = builder.parquet_schema();
    let predicates = filters().map(|filter| predicate(filter, columns, Arc::clone(failed)));
    let filter = RowFilter::new(predicates.collect());
    let mask = mask(&wanted.columns, columns);
    let is_whole = wanted.columns.index_of(LINE).is_ok();
    let rows = builder
        .with_row_groups(kept)
        .with_projection(mask)
        .with_row_filter(filter)
        .with_batch_size(if is_whole { WHOLE_EVENTS } else { ROWS })
        .build()?;
    Ok(Some(rows))
}

/// Whether an object's columns are those of events: the one that every event has tells.
fn holds_events(columns: &Schema) -> bool {
    columns.index_of("event_type").is_ok() && columns.index_of("event_uuid").is_ok()
}

/// The columns of an object that a schema needs.
fn mask(wanted: &Schema, columns: &SchemaDescriptor) -> ProjectionMask {
    let wanted = leaves(wanted);
    let found = (0..columns.num_columns()).filter(|index| {
        let path = columns.column(*index).path().string();
        wanted.iter().any(|(leaf, _)| {
            path.strip_prefix(leaf.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    });
    ProjectionMask::leaves(columns, found)
}

/// Conditions as the reader takes them.
fn predicate(
    (asked, exprs): &Filter,
    columns: &SchemaDescriptor,
    failed: Failed,
) -> Box<dyn ArrowPredicate> {
    let mask = mask(asked, columns);
    let (asked, exprs) = (Arc::clone(asked), exprs.clone());
    Box::new(ArrowPredicateFn::new(mask, move |batch| {
        let decided = fit::batch(&batch, &asked).and_then(|batch| {
            let mut passes = vec![true; batch.num_rows()];
            for expr in &exprs {
                let column = expr.evaluate(&batch)?.into_array(batch.num_rows())?;
                let column = as_boolean_array(&column)?;
                for (row, passes) in passes.iter_mut().enumerate() {
                    *passes &= column.is_valid(row) && column.value(row);
                }
            }
            Ok(BooleanArray::from(passes))
        });
        decided.map_err(|error| {
            let text = error.to_string();
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            ArrowError::ComputeError(text)
        })
    }))
}

/// The type of a column of the format by its path, such as `self.tty.major`.
fn type_of(path: &str) -> Option<DataType> {
    static TYPES: LazyLock<HashMap<String, DataType>> =
        LazyLock::new(|| leaves(&schema()).into_iter().collect());
    TYPES.get(path).cloned()
}
