//! Values as text, and rows in the formats that other programs read.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::error::{Error, Kind, Result};
use crate::schema::LINE;

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Internal, format!("writing rows: {error}"))
}

/// The rows of a batch as texts; a value that is not there is `None`.
///
/// # Errors
/// For a type without a text.
pub fn texts(batch: &RecordBatch) -> Result<Vec<Vec<Option<String>>>> {
    let options = FormatOptions::default();
    let columns: std::result::Result<Vec<_>, _> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect();
    let columns = columns.map_err(failed)?;
    let rows = (0..batch.num_rows()).map(|row| {
        let cells = batch.columns().iter().zip(&columns);
        cells
            .map(|(column, shown)| column.is_valid(row).then(|| shown.value(row).to_string()))
            .collect()
    });
    Ok(rows.collect())
}

/// Rows as JSON objects, one a line; events as they were written.
///
/// # Errors
/// When they cannot be written.
pub fn ndjson(batch: &RecordBatch, to: &mut Vec<u8>) -> Result<()> {
    use datafusion::arrow::array::AsArray;
    if let [column] = batch.schema().fields().iter().as_slice()
        && column.name() == LINE
        && let Some(lines) = batch.column(0).as_string_opt::<i32>()
    {
        for line in lines.iter().flatten() {
            to.extend_from_slice(line.as_bytes());
            to.push(b'\n');
        }
        return Ok(());
    }
    let mut writer = LineDelimitedWriter::new(&mut *to);
    writer.write(batch).map_err(failed)?;
    writer.finish().map_err(failed)
}

/// A row of RFC 4180: what holds a comma, a quote or a line break stands in quotes.
///
/// # Errors
/// When it cannot be written.
pub fn csv<'c>(cells: impl Iterator<Item = &'c str>, to: &mut Vec<u8>) -> Result<()> {
    for (index, cell) in cells.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let written = match cell.contains([',', '"', '\n', '\r']) {
            true => write!(to, "{comma}\"{}\"", cell.replace('"', "\"\"")),
            false => write!(to, "{comma}{cell}"),
        };
        written.map_err(failed)?;
    }
    to.extend_from_slice(b"\r\n");
    Ok(())
}
