//! The bytes of an object of columns, in ranges.

use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use forebear_archive::object_store::{ObjectStore, path::Path};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::report::Tally;
use crate::source::{self, Body};

/// An object up to this size is fetched whole: one request costs more than these bytes.
const WHOLE: u64 = 512 << 10;

/// How much of the end of a larger one is fetched first, so that its description is among it.
const END: usize = 128 << 10;

/// An opened object.
pub(super) struct Object {
    body: Opened,
    size: u64,
    tally: Arc<Tally>,
}

enum Opened {
    Whole(Bytes),
    File(std::fs::File),
    Stored(Arc<dyn ObjectStore>, Path),
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl Object {
    /// # Errors
    /// When it cannot be reached.
    pub(super) async fn open(object: &source::Object, tally: Arc<Tally>) -> Result<Self> {
        let body = match &object.place {
            Body::Stdin => {
                let what = "columns cannot be read from standard input: name the file";
                return Err(ParquetError::External(what.into()));
            }
            Body::File(path) => Opened::File(std::fs::File::open(path).map_err(failed)?),
            Body::Stored { store, path } => Opened::Stored(Arc::clone(store), path.clone()),
        };
        let mut opened = Self { body, size: object.size, tally };
        if object.size <= WHOLE {
            opened.body = Opened::Whole(opened.fetch_one(0..object.size).await?);
        }
        Ok(opened)
    }

    async fn fetch_one(&self, range: Range<u64>) -> Result<Bytes> {
        let fetched = self.fetch(std::iter::once(range).collect()).await?;
        Ok(fetched.into_iter().next().unwrap_or_default())
    }

    async fn fetch(&self, ranges: Vec<Range<u64>>) -> Result<Vec<Bytes>> {
        if ranges.iter().any(|range| range.start > range.end || range.end > self.size) {
            return Err(ParquetError::EOF("it names bytes behind its end".to_owned()));
        }
        let fetched = match &self.body {
            Opened::Whole(whole) => {
                let at = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                return Ok(ranges.iter().map(|it| whole.slice(at(it.start)..at(it.end))).collect());
            }
            Opened::File(file) => ranges
                .iter()
                .map(|range| {
                    let length = usize::try_from(range.end - range.start).map_err(failed)?;
                    let mut bytes = vec![0; length];
                    file.read_exact_at(&mut bytes, range.start).map_err(failed)?;
                    Ok(Bytes::from(bytes))
                })
                .collect::<Result<Vec<Bytes>>>()?,
            Opened::Stored(store, path) => store.get_ranges(path, &ranges).await.map_err(failed)?,
        };
        let bytes: usize = fetched.iter().map(Bytes::len).sum();
        self.tally.stored_bytes.fetch_add(bytes as u64, Relaxed);
        Ok(fetched)
    }
}

impl AsyncFileReader for Object {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move { self.fetch_one(range).await }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move { self.fetch(ranges).await }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        let size = self.size;
        let mut reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(END));
        if let Some(options) = options {
            reader = reader
                .with_column_index_policy(options.column_index_policy())
                .with_offset_index_policy(options.offset_index_policy());
        }
        async move { Ok(Arc::new(reader.load_and_finish(self, size).await?)) }.boxed()
    }
}
