//! Columns as an object has them, made into those that are wanted.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StructArray, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::error::Result;

/// A batch with these columns: what is not there is absent, what is of another type is cast, and
/// absent where it cannot be.
pub(super) fn batch(batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch> {
    if batch.schema_ref() == wanted {
        return Ok(batch.clone());
    }
    let rows = batch.num_rows();
    let columns = wanted.fields().iter().map(|field| {
        column(batch.column_by_name(field.name()).map(|column| column.as_ref()), field, rows)
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(wanted), columns, &options)?)
}

fn column(found: Option<&dyn Array>, wanted: &Field, rows: usize) -> Result<ArrayRef> {
    let kind = wanted.data_type();
    let Some(found) = found else { return Ok(new_null_array(kind, rows)) };
    match (found.data_type(), kind) {
        (same, kind) if same == kind => Ok(found.slice(0, rows)),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let object = found.as_struct();
            let below = fields.iter().map(|field| {
                let inner = object.column_by_name(field.name()).map(|column| column.as_ref());
                column(inner, field, rows)
            });
            let below = below.collect::<Result<Vec<ArrayRef>>>()?;
            let nulls = object.nulls().cloned();
            let fields = fields.clone();
            Ok(Arc::new(StructArray::try_new_with_length(fields, below, nulls, rows)?))
        }
        _ => Ok(cast(found, kind).unwrap_or_else(|_| new_null_array(kind, rows))),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int32Array, StringArray};
    use datafusion::arrow::datatypes::{Fields, Schema};

    use super::*;

    #[test]
    fn what_is_absent_or_of_another_type_has_a_place_all_the_same() {
        let inner = Fields::from(vec![
            Field::new("name", DataType::Utf8, true),
            Field::new("shape", DataType::Utf8, true),
        ]);
        let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
        let own = StructArray::new(inner.clone(), vec![text("curl"), text("round")], None);
        let has = Schema::new(vec![
            Field::new("self", DataType::Struct(inner), true),
            Field::new("seq", DataType::Int32, true),
            Field::new("host", DataType::Utf8, true),
        ]);
        let columns: Vec<ArrayRef> =
            vec![Arc::new(own), Arc::new(Int32Array::from(vec![7])), text("h")];
        let found = RecordBatch::try_new(Arc::new(has), columns).unwrap();

        let asked = Fields::from(vec![
            Field::new("pid", DataType::Int64, true),
            Field::new("name", DataType::Utf8, true),
        ]);
        let host = Fields::from(vec![Field::new("id", DataType::Utf8, true)]);
        let wanted = Arc::new(Schema::new(vec![
            Field::new("seq", DataType::Int64, true),
            Field::new("self", DataType::Struct(asked), true),
            Field::new("host", DataType::Struct(host), true),
            Field::new("cmd_user", DataType::Utf8, true),
        ]));
        let fitted = batch(&found, &wanted).unwrap();
        assert_eq!(fitted.schema(), wanted);
        assert_eq!(
            fitted.column(0).as_primitive::<datafusion::arrow::datatypes::Int64Type>().value(0),
            7
        );
        let own = fitted.column(1).as_struct();
        assert!(own.column(0).is_null(0));
        assert_eq!(own.column(1).as_string::<i32>().value(0), "curl");
        assert!(fitted.column(2).is_null(0) && fitted.column(3).is_null(0));
    }
}
