//! Rows in the format that was asked for.

use anyhow::Result;
use forebear_engine::arrow::array::RecordBatch;
use forebear_engine::cells;
use forebear_engine::parquet::Writer;

use crate::args::RowFormat;
use crate::asking::table::Table;
use crate::failure::Failure;
use crate::printer::Printer;

/// Where rows go.
pub(super) struct Out {
    printer: Printer,
    format: RowFormat,
    table: Option<Table>,
    /// The Parquet file under construction; its bytes go to the printer after each batch.
    parquet: Option<Writer<Vec<u8>>>,
    rows: usize,
}

impl Out {
    /// # Errors
    /// When a person would see bytes.
    pub(super) fn new(printer: Printer, format: RowFormat) -> Result<Self> {
        if format == RowFormat::Parquet && printer.is_terminal() {
            let what = "--format parquet: a terminal cannot show it; write to a file with >";
            return Err(Failure::usage(what).into());
        }
        Ok(Self { printer, format, table: None, parquet: None, rows: 0 })
    }

    /// Writes some rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let is_first = self.rows == 0;
        // Only a file of columns says something without rows: which columns there are.
        if batch.num_rows() == 0 && self.format != RowFormat::Parquet {
            return Ok(());
        }
        self.rows += batch.num_rows();
        let mut bytes = Vec::new();
        match self.format {
            RowFormat::Parquet => {
                let parquet = match self.parquet.take() {
                    Some(parquet) => parquet,
                    None => Writer::new(batch.schema(), Vec::new())?,
                };
                let parquet = self.parquet.insert(parquet);
                parquet.write(batch)?;
                bytes = parquet.take_bytes()?;
            }
            RowFormat::Ndjson => cells::ndjson(batch, &mut bytes)?,
            RowFormat::Csv => {
                if is_first {
                    cells::csv(names(batch).iter().map(String::as_str), &mut bytes)?;
                }
                for row in cells::texts(batch)? {
                    let row = row.iter().map(|cell| cell.as_deref().unwrap_or_default());
                    cells::csv(row, &mut bytes)?;
                }
            }
            RowFormat::Table => {
                let is_terminal = self.printer.is_terminal();
                let table = self.table.get_or_insert_with(|| Table::new(names(batch), is_terminal));
                for row in cells::texts(batch)? {
                    table.push(row, &mut bytes);
                }
            }
        }
        self.printer.write(&bytes)?;
        // Whoever waits for the next row sees the ones before it.
        self.printer.flush()
    }

    /// Writes what is held back; how many rows there were.
    pub(super) fn finish(mut self) -> Result<usize> {
        if let Some(parquet) = self.parquet.take() {
            self.printer.write(&parquet.finish()?)?;
        }
        if let Some(table) = &mut self.table {
            let mut bytes = Vec::new();
            table.finish(&mut bytes);
            self.printer.write(&bytes)?;
        }
        self.printer.finish()?;
        Ok(self.rows)
    }
}

fn names(batch: &RecordBatch) -> Vec<String> {
    batch.schema().fields().iter().map(|field| field.name().clone()).collect()
}
