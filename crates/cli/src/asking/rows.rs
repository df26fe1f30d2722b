//! Rows in the format that was asked for.

use anyhow::Result;
use forebear_engine::arrow::array::RecordBatch;
use forebear_engine::cells;

use crate::args::RowFormat;
use crate::asking::table::Table;
use crate::printer::Printer;

/// Where rows go.
pub(super) struct Out {
    printer: Printer,
    format: RowFormat,
    table: Option<Table>,
    rows: usize,
}

impl Out {
    pub(super) fn new(printer: Printer, format: RowFormat) -> Self {
        Self { printer, format, table: None, rows: 0 }
    }

    /// Writes some rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let is_first = self.rows == 0;
        self.rows += batch.num_rows();
        let mut bytes = Vec::new();
        match self.format {
            RowFormat::Ndjson => cells::ndjson(batch, &mut bytes)?,
            RowFormat::Csv => {
                if is_first && batch.num_rows() > 0 {
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
