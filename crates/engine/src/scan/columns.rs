//! Lines into columns: a schema's arrays under construction, filled by a JSON reader.
//!
//! What the schema does not have is passed over. A value of a wrong type counts as absent and is
//! counted; items of a wrong type are left out of their list. Of a key that stands twice in an
//! object, the first value counts.
//!
//! Invariant: after every line, read or refused, all columns are equally long.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BooleanArray, BooleanBuilder, Int64Builder, ListArray, MapArray,
    NullBufferBuilder, RecordBatch, RecordBatchOptions, StringBuilder, StructArray,
    TimestampNanosecondBuilder,
};
use datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, Fields, SchemaRef};
use datafusion::arrow::error::ArrowError;
use forebear_events::v1::Timestamp;
use serde::de::value::StrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::schema::LINE;

/// Rows under construction.
pub(super) struct Rows {
    schema: SchemaRef,
    root: Object,
    /// The column of whole lines, if it is wanted, and where it stands.
    line: Option<(usize, StringBuilder)>,
    /// Bytes, about, that went in since the last batch.
    bytes: usize,
    /// The rows that are no events.
    refused: Vec<usize>,
}

/// What became of a line.
pub(super) struct Read {
    /// Whether it is an event.
    pub is_event: bool,
    /// Values of wrong types.
    pub wrong: u64,
}

impl Rows {
    pub(super) fn new(schema: SchemaRef) -> Self {
        let at = schema.index_of(LINE).ok();
        let events: Fields =
            schema.fields().iter().filter(|field| field.name() != LINE).cloned().collect();
        let line = at.map(|at| (at, StringBuilder::new()));
        Self { schema, root: Object::new(&events), line, bytes: 0, refused: Vec::new() }
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.root.length
    }

    /// Their bytes, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a row. One that is no event is a row, too, without values.
    pub(super) fn push(&mut self, line: &str) -> Read {
        let mut wrong = 0;
        let length = self.root.length + 1;
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let visitor = Whole { object: &mut self.root, wrong: &mut wrong };
        let read = deserializer.deserialize_map(visitor).and_then(|()| deserializer.end());
        // What was read of a broken line is no row of its own.
        self.root.pad(length);
        self.keep(line);
        if read.is_err() {
            self.refused.push(length - 1);
        }
        Read { is_event: read.is_ok(), wrong }
    }

    /// Adds a row of which only the line is wanted, and known to be an event.
    pub(super) fn push_line(&mut self, line: &str) {
        self.root.pad(self.root.length + 1);
        self.keep(line);
    }

    /// Keeps the line itself, if it is wanted. Some columns of a line are a small part of it.
    fn keep(&mut self, line: &str) {
        match &mut self.line {
            Some((_, lines)) => {
                lines.append_value(line);
                self.bytes += line.len();
            }
            None => self.bytes += line.len() / 16,
        }
    }

    /// Whether nothing but the line is wanted.
    pub(super) fn is_only_line(&self) -> bool {
        self.root.columns.is_empty()
    }

    /// The rows so far that are events; the next ones begin anew.
    pub(super) fn finish_events(&mut self) -> Result<RecordBatch, ArrowError> {
        let refused = std::mem::take(&mut self.refused);
        let batch = self.finish()?;
        if refused.is_empty() {
            return Ok(batch);
        }
        let mut are_events = vec![true; batch.num_rows()];
        for row in refused {
            if let Some(is_event) = are_events.get_mut(row) {
                *is_event = false;
            }
        }
        filter_record_batch(&batch, &BooleanArray::from(are_events))
    }

    /// All rows so far; the next ones begin anew.
    pub(super) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = self.len();
        let mut columns = self.root.finish_columns()?;
        if let Some((at, lines)) = &mut self.line {
            columns.insert(*at, Arc::new(lines.finish()));
        }
        self.root.length = 0;
        self.bytes = 0;
        self.refused.clear();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}

/// A column under construction.
enum Column {
    Text(StringBuilder),
    Integer(Int64Builder),
    Boolean(BooleanBuilder),
    Moment(TimestampNanosecondBuilder, DataType),
    List(List),
    Map(Map),
    Object(Object),
}

/// Fields of an object.
struct Object {
    fields: Fields,
    columns: Vec<Column>,
    validity: NullBufferBuilder,
    length: usize,
}

struct List {
    field: Arc<Field>,
    items: Box<Column>,
    offsets: Vec<i32>,
    validity: NullBufferBuilder,
}

struct Map {
    field: Arc<Field>,
    entries: Fields,
    keys: StringBuilder,
    values: Box<Column>,
    offsets: Vec<i32>,
    validity: NullBufferBuilder,
}

/// An offset; a batch is far smaller than what does not fit.
fn offset(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

impl Object {
    fn new(fields: &Fields) -> Self {
        let columns = fields.iter().map(|field| Column::new(field)).collect();
        Self { fields: fields.clone(), columns, validity: NullBufferBuilder::new(0), length: 0 }
    }

    /// Reads the object's fields; the caller ends the row.
    fn read<'v, A: MapAccess<'v>>(&mut self, mut map: A, wrong: &mut u64) -> Result<(), A::Error> {
        let mut next = 0;
        while let Some(found) = map.next_key_seed(Key { fields: &self.fields, next })? {
            match found.and_then(|at| Some((at, self.columns.get_mut(at)?))) {
                Some((at, column)) if column.len() == self.length => {
                    next = at + 1;
                    map.next_value_seed(Cell { column, wrong, is_item: false })?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    /// Ends a row that is there.
    fn end(&mut self) {
        self.length += 1;
        self.columns.iter_mut().for_each(|column| column.pad(self.length));
        self.validity.append_non_null();
    }

    /// Makes it so long, with rows that are not there.
    fn pad(&mut self, length: usize) {
        self.columns.iter_mut().for_each(|column| column.pad(length));
        self.validity.append_n_nulls(length.saturating_sub(self.length));
        self.length = self.length.max(length);
    }

    fn finish_columns(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        // The root has no validity of its own: every row is there.
        self.validity = NullBufferBuilder::new(0);
        self.columns.iter_mut().map(Column::finish).collect()
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let columns: Result<Vec<ArrayRef>, ArrowError> =
            self.columns.iter_mut().map(Column::finish).collect();
        let nulls = self.validity.finish();
        let length = std::mem::take(&mut self.length);
        let fields = self.fields.clone();
        Ok(Arc::new(StructArray::try_new_with_length(fields, columns?, nulls, length)?))
    }
}

impl Column {
    fn new(field: &Field) -> Self {
        match field.data_type() {
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Timestamp(..) => {
                Self::Moment(TimestampNanosecondBuilder::new(), field.data_type().clone())
            }
            DataType::Struct(fields) => Self::Object(Object::new(fields)),
            DataType::List(item) => Self::List(List {
                field: Arc::clone(item),
                items: Box::new(Self::new(item)),
                offsets: vec![0],
                validity: NullBufferBuilder::new(0),
            }),
            DataType::Map(entries, _) => {
                let fields = match entries.data_type() {
                    DataType::Struct(fields) => fields.clone(),
                    _ => Fields::empty(),
                };
                let values = fields
                    .get(1)
                    .map_or_else(|| Self::Text(StringBuilder::new()), |values| Self::new(values));
                Self::Map(Map {
                    field: Arc::clone(entries),
                    entries: fields,
                    keys: StringBuilder::new(),
                    values: Box::new(values),
                    offsets: vec![0],
                    validity: NullBufferBuilder::new(0),
                })
            }
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(builder) => builder.len(),
            Self::Integer(builder) => builder.len(),
            Self::Boolean(builder) => builder.len(),
            Self::Moment(builder, _) => builder.len(),
            Self::Object(object) => object.length,
            Self::List(List { offsets, .. }) | Self::Map(Map { offsets, .. }) => offsets.len() - 1,
        }
    }

    /// Makes it so long, with values that are not there.
    fn pad(&mut self, length: usize) {
        let many = length.saturating_sub(self.len());
        match self {
            Self::Object(object) => object.pad(length),
            _ if many == 0 => {}
            Self::Text(builder) => builder.append_nulls(many),
            Self::Integer(builder) => builder.append_nulls(many),
            Self::Boolean(builder) => builder.append_nulls(many),
            Self::Moment(builder, _) => builder.append_nulls(many),
            Self::List(list) => {
                let end = offset(list.items.len());
                list.offsets.extend(std::iter::repeat_n(end, many));
                list.validity.append_n_nulls(many);
            }
            Self::Map(map) => {
                // A broken line may have left a key without its value.
                map.values.pad(map.keys.len());
                let end = offset(map.keys.len());
                map.offsets.extend(std::iter::repeat_n(end, many));
                map.validity.append_n_nulls(many);
            }
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Moment(builder, kind) => Arc::new(builder.finish().with_data_type(kind.clone())),
            Self::Object(object) => object.finish()?,
            Self::List(list) => {
                let offsets = std::mem::replace(&mut list.offsets, vec![0]);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let items = list.items.finish()?;
                let nulls = list.validity.finish();
                Arc::new(ListArray::try_new(Arc::clone(&list.field), offsets, items, nulls)?)
            }
            Self::Map(map) => {
                let offsets = std::mem::replace(&mut map.offsets, vec![0]);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                let columns: Vec<ArrayRef> =
                    vec![Arc::new(map.keys.finish()), map.values.finish()?];
                let entries = StructArray::try_new(map.entries.clone(), columns, None)?;
                let nulls = map.validity.finish();
                Arc::new(MapArray::try_new(Arc::clone(&map.field), offsets, entries, nulls, false)?)
            }
        })
    }
}

/// A line: an object, nothing else.
struct Whole<'c> {
    object: &'c mut Object,
    wrong: &'c mut u64,
}

impl<'v> Visitor<'v> for Whole<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'v>>(self, map: A) -> Result<(), A::Error> {
        self.object.read(map, self.wrong)
    }
}

/// A key, and which field it is; looked for first where the format has it.
struct Key<'f> {
    fields: &'f Fields,
    next: usize,
}

impl<'v> DeserializeSeed<'v> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        let (before, behind) = self.fields.split_at(self.next.min(self.fields.len()));
        let is_it = |field: &Arc<Field>| field.name() == key;
        let at = behind.iter().position(is_it).map(|at| at + before.len());
        Ok(at.or_else(|| before.iter().position(is_it)))
    }
}

/// The place of a value.
struct Cell<'c> {
    column: &'c mut Column,
    wrong: &'c mut u64,
    /// An item of a list: what is of a wrong type leaves no hole.
    is_item: bool,
}

impl Cell<'_> {
    fn absent(self) {
        if !self.is_item {
            self.column.pad(self.column.len() + 1);
        }
    }

    fn wrong(self) {
        *self.wrong += 1;
        self.absent();
    }
}

impl<'v> DeserializeSeed<'v> for Cell<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'v> Visitor<'v> for Cell<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.absent();
        Ok(())
    }

    fn visit_bool<E: Error>(self, holds: bool) -> Result<(), E> {
        match self.column {
            Column::Boolean(builder) => builder.append_value(holds),
            _ => self.wrong(),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        match self.column {
            Column::Integer(builder) => builder.append_value(number),
            _ => self.wrong(),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => {
                self.wrong();
                Ok(())
            }
        }
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.wrong();
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match self.column {
            Column::Text(builder) => builder.append_value(text),
            Column::Moment(builder, _) => match moment(text) {
                Some(ns) => builder.append_value(ns),
                None => self.wrong(),
            },
            _ => self.wrong(),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'v>>(self, mut seq: A) -> Result<(), A::Error> {
        let Column::List(list) = self.column else {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            self.wrong();
            return Ok(());
        };
        loop {
            let item = Cell { column: &mut list.items, wrong: self.wrong, is_item: true };
            if seq.next_element_seed(item)?.is_none() {
                break;
            }
        }
        list.offsets.push(offset(list.items.len()));
        list.validity.append_non_null();
        Ok(())
    }

    fn visit_map<A: MapAccess<'v>>(self, mut map: A) -> Result<(), A::Error> {
        match self.column {
            Column::Object(object) => {
                object.read(map, self.wrong)?;
                object.end();
            }
            Column::Map(Map { keys, values, offsets, validity, .. }) => {
                while map.next_key_seed(MapKey(keys))?.is_some() {
                    map.next_value_seed(Cell {
                        column: values,
                        wrong: self.wrong,
                        is_item: false,
                    })?;
                }
                offsets.push(offset(keys.len()));
                validity.append_non_null();
            }
            _ => {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                self.wrong();
            }
        }
        Ok(())
    }
}

/// A key that somebody has chosen.
struct MapKey<'k>(&'k mut StringBuilder);

impl<'v> DeserializeSeed<'v> for MapKey<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'v>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MapKey<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        self.0.append_value(key);
        Ok(())
    }
}

/// Nanoseconds of a moment as events write it, or as RFC 3339 allows.
fn moment(text: &str) -> Option<i64> {
    quick_moment(text.as_bytes()).or_else(|| {
        let deserializer = StrDeserializer::<serde::de::value::Error>::new(text);
        Timestamp::deserialize(deserializer).ok().map(|Timestamp(ns)| ns)
    })
}

/// The form that events have: `2026-11-24T03:04:05.000000006Z`.
fn quick_moment(text: &[u8]) -> Option<i64> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        o1,
        o2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        m1,
        m2,
        b':',
        s1,
        s2,
        b'.',
        fraction @ ..,
        b'Z',
    ] = text
    else {
        return None;
    };
    if fraction.len() != 9 {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_i64, |sum, digit| {
            digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
        })
    };
    let (year, month, day) =
        (number(&[*y1, *y2, *y3, *y4])?, number(&[*o1, *o2])?, number(&[*d1, *d2])?);
    let (hour, minute, second) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?);
    // The last days of months, and leap seconds, are left to the careful reader.
    if !(1..=12).contains(&month) || !(1..=28).contains(&day) {
        return None;
    }
    if !(1700..=2200).contains(&year) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Days since the epoch of a year that begins in March, so that the leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000_000_000 + number(fraction)?)
}

#[cfg(test)]
mod tests;
