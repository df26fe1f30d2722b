//! The columns of `events`: the exported format as Arrow sees it, from its types.
//!
//! Objects are structs, lists are lists, objects with keys of somebody's choice are maps; whole
//! numbers are 64 bits wide, moments are nanoseconds in UTC, everything else is text. The column
//! [`LINE`] is the event as it was written, so that nothing is out of reach.
//!
//! Every column may be absent. A struct that is absent has absent fields below it, because
//! field access does not look at the struct.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use forebear_events::fields;

/// The column that holds the whole event.
pub const LINE: &str = "line";

/// Every column.
pub fn schema() -> SchemaRef {
    static SCHEMA: OnceLock<SchemaRef> = OnceLock::new();
    Arc::clone(SCHEMA.get_or_init(|| {
        let catalogue = fields::catalogue();
        let mut columns = below(&catalogue, "");
        columns.push(Arc::new(Field::new(LINE, DataType::Utf8, true)));
        Arc::new(Schema::new(columns))
    }))
}

/// The fields directly below a path, which ends in a full stop or is empty.
fn below(catalogue: &[fields::Field], above: &str) -> Vec<Arc<Field>> {
    let direct = catalogue.iter().filter_map(|field| {
        let name = field.path.strip_prefix(above).filter(|name| !name.contains('.'))?;
        Some((name, field))
    });
    direct.map(|(name, field)| Arc::new(Field::new(name, of(catalogue, field), true))).collect()
}

fn of(catalogue: &[fields::Field], field: &fields::Field) -> DataType {
    if let Some(values) = &field.values {
        return map(scalar(values));
    }
    match field.kind.as_str() {
        "object" | "process" => {
            DataType::Struct(below(catalogue, &format!("{}.", field.path)).into())
        }
        kind => match kind.strip_prefix("array of ") {
            Some(items) => DataType::new_list(scalar(items), true),
            None => scalar(kind),
        },
    }
}

fn scalar(kind: &str) -> DataType {
    match kind {
        "integer" => DataType::Int64,
        "boolean" => DataType::Boolean,
        "timestamp" => moment(),
        _ => DataType::Utf8,
    }
}

/// The type of moments.
pub(crate) fn moment() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

fn map(values: DataType) -> DataType {
    let entry = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", values, true),
    ]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entry), false)), false)
}

/// Names on the way to a field, such as `self`, `tty`, `major`.
pub(crate) type Path = Vec<String>;

/// The part of a schema that holds these paths, in the order of the schema. A path that ends above
/// a struct's fields takes them all.
pub(crate) fn prune(schema: &Schema, paths: &BTreeSet<Path>) -> SchemaRef {
    Arc::new(Schema::new(pruned(schema.fields(), paths, 0)))
}

fn pruned(fields: &Fields, paths: &BTreeSet<Path>, depth: usize) -> Fields {
    let kept = fields.iter().filter_map(|field| {
        let inside: BTreeSet<Path> = paths
            .iter()
            .filter(|path| path.get(depth).is_some_and(|name| name == field.name()))
            .cloned()
            .collect();
        let is_whole = inside.iter().any(|path| path.len() == depth + 1);
        match field.data_type() {
            _ if inside.is_empty() => None,
            DataType::Struct(below) if !is_whole => {
                let below = pruned(below, &inside, depth + 1);
                Some(Arc::new(field.as_ref().clone().with_data_type(DataType::Struct(below))))
            }
            _ => Some(Arc::clone(field)),
        }
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_format_is_a_column_or_in_one() {
        let schema = schema();
        for field in fields::catalogue() {
            let mut names = field.path.split('.');
            let first = names.next().unwrap();
            let column = schema.field_with_name(first).unwrap();
            names.fold(column.clone(), |above, name| match above.data_type() {
                DataType::Struct(below) => below.find(name).unwrap().1.as_ref().clone(),
                other => panic!("{}: {other}", field.path),
            });
        }
    }

    #[test]
    fn a_part_of_the_schema_holds_what_was_asked_for_and_no_more() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Path>();
        let paths = BTreeSet::from(["self.tty.major", "self.name", "seq"].map(path));
        let part = prune(&schema(), &paths);
        let shown: Vec<&str> = part.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(shown, ["seq", "self"]);
        let DataType::Struct(own) = part.field(1).data_type() else { panic!() };
        let shown: Vec<&str> = own.iter().map(|field| field.name().as_str()).collect();
        assert_eq!(shown, ["name", "tty"]);
        let whole = prune(&schema(), &BTreeSet::from([path("self"), path("self.name")]));
        assert_eq!(whole.field(0), schema().field_with_name("self").unwrap());
    }
}
