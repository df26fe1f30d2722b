//! Rows as a Parquet object: zstd, with statistics of every column but whole lines, and with Bloom
//! filters on what single things are looked for by.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;
use forebear_events::fields;

use crate::error::{Error, Kind, Result};
use crate::schema::LINE;

/// What one thing is looked for by, besides ids.
const LOOKED_FOR: [&str; 8] = [
    "cmd_user",
    "self.name",
    "builtin.name",
    "self.user",
    "self.effective_user",
    "inception_session.user",
    "inception_session.source.ip",
    "last_user_entered.name",
];

/// Different values that a Bloom filter has room for at first; it is made smaller when they are
/// known.
const DIFFERENT: u64 = 1 << 16;

/// How often a Bloom filter lets a group be read in vain.
const IN_VAIN: f64 = 0.01;

/// Rows of a group at most.
const GROUP: usize = 1 << 16;

/// A Parquet object under construction.
pub struct Writer<W: Write + Send>(ArrowWriter<W>);

fn failed(error: ParquetError) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(inner) => Error::new(Kind::Output, inner.to_string()),
            Err(inner) => Error::new(Kind::Internal, format!("writing Parquet: {inner}")),
        },
        other => Error::new(Kind::Internal, format!("writing Parquet: {other}")),
    }
}

impl<W: Write + Send> Writer<W> {
    /// Begins an object of rows with these columns.
    ///
    /// # Errors
    /// For columns that Parquet does not have.
    pub fn new(columns: SchemaRef, to: W) -> Result<Self> {
        let level = ZstdLevel::try_new(3).map_err(failed)?;
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("forebear ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(GROUP));
        let line = || ColumnPath::new(vec![LINE.to_owned()]);
        properties = properties
            .set_column_dictionary_enabled(line(), false)
            .set_column_statistics_enabled(line(), EnabledStatistics::None);
        let ids = fields::catalogue().into_iter().filter(|field| field.kind == "uuid");
        let ids = ids.map(|field| field.path);
        for path in ids.chain(LOOKED_FOR.map(str::to_owned)) {
            let path = || ColumnPath::new(path.split('.').map(str::to_owned).collect());
            properties = properties
                .set_column_bloom_filter_fpp(path(), IN_VAIN)
                .set_column_bloom_filter_max_ndv(path(), DIFFERENT);
        }
        // The types are those of Parquet; a copy as Arrow writes them would be half of a small object.
        let options = ArrowWriterOptions::new()
            .with_properties(properties.build())
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(to, columns, options);
        writer.map(Self).map_err(failed)
    }

    /// Adds rows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.0.write(rows).map_err(failed)
    }

    /// Ends a group of rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn end_group(&mut self) -> Result<()> {
        self.0.flush().map_err(failed)
    }

    /// Writes what is left; gives back what was written to.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<W> {
        self.0.into_inner().map_err(failed)
    }
}

impl Writer<Vec<u8>> {
    /// What was written so far and not taken yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take_bytes(&mut self) -> Result<Vec<u8>> {
        self.0.sync().map_err(|error| failed(error.into()))?;
        Ok(std::mem::take(self.0.inner_mut()))
    }
}
