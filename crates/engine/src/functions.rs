//! Functions of SQL beyond the engine's own: those that CQL needs, and a way to fields that are no
//! columns.
//!
//! | function | what it gives |
//! |---|---|
//! | `glob(text, pattern)` | whether the whole text matches |
//! | `glob_any(list, pattern)` | whether an item does |
//! | `arguments(list, without)` | the items joined by blanks, without the first so many |
//! | `ip_type(text)` | `internal` or `external`; NULL for what is no address |
//! | `weekday(moment, zone)` | the day of the week by the zone, Monday is 0 |
//! | `time_of_day(moment, zone)` | nanoseconds since midnight by the zone |
//! | `json(line, path)` | a field of the event by its path, as text |
//!
//! A zone is `UTC`, an offset such as `+09:00`, or a name such as `Europe/Berlin`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimestampNanosecondType};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{ColumnarValue, Volatility, create_udf};
use forebear_query::condition::is_internal;
use forebear_query::{Glob, Moment};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::schema::moment;

/// Makes them known.
pub(crate) fn register(session: &SessionContext) {
    let texts = DataType::new_list(DataType::Utf8, true);
    let text = || DataType::Utf8;
    add(session, "glob", vec![text(), text()], DataType::Boolean, glob);
    add(session, "glob_any", vec![texts.clone(), text()], DataType::Boolean, glob_any);
    add(session, "arguments", vec![texts, DataType::Int64], text(), arguments);
    add(session, "ip_type", vec![text()], text(), ip_type);
    add(session, "weekday", vec![moment(), text()], DataType::Int64, weekday);
    add(session, "time_of_day", vec![moment(), text()], DataType::Int64, time_of_day);
    add(session, "json", vec![text(), text()], text(), json);
}

fn add(
    session: &SessionContext,
    name: &str,
    takes: Vec<DataType>,
    gives: DataType,
    of_arrays: fn(&[ArrayRef]) -> Result<ArrayRef>,
) {
    let of_values = move |values: &[ColumnarValue]| {
        let is_one = values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let result = of_arrays(&ColumnarValue::values_to_arrays(values)?)?;
        Ok(match is_one {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    };
    session.register_udf(create_udf(
        name,
        takes,
        gives,
        Volatility::Immutable,
        Arc::new(of_values),
    ));
}

/// The arguments of a call; their number has been checked by their types.
fn pair(arrays: &[ArrayRef]) -> Result<(&ArrayRef, &ArrayRef)> {
    match arrays {
        [one, other] => Ok((one, other)),
        _ => exec_err!("two arguments are needed"),
    }
}

/// Texts of an argument; NULL where there is none.
fn text(array: &StringArray, row: usize) -> Option<&str> {
    (array.is_valid(row)).then(|| array.value(row))
}

/// What was made of the last text: most often it is the same in every row.
struct Made<T> {
    of: Option<String>,
    made: Option<T>,
}

impl<T> Made<T> {
    fn new() -> Self {
        Self { of: None, made: None }
    }

    fn get(&mut self, of: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<Option<&T>> {
        if self.of.as_deref() != Some(of) {
            self.made = Some(make(of)?);
            self.of = Some(of.to_owned());
        }
        Ok(self.made.as_ref())
    }
}

fn pattern(text: &str) -> Result<Glob> {
    match Glob::compile(text) {
        Some(glob) => Ok(glob),
        None => exec_err!("{text:?} is not well formed as a pattern"),
    }
}

fn glob(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (values, patterns) = pair(arrays)?;
    let (values, patterns) = (values.as_string::<i32>(), patterns.as_string::<i32>());
    let mut made = Made::new();
    let rows = (0..values.len()).map(|row| {
        let Some((value, wanted)) = text(values, row).zip(text(patterns, row)) else {
            return Ok(None);
        };
        Ok(made.get(wanted, pattern)?.map(|glob| glob.matches(value)))
    });
    Ok(Arc::new(rows.collect::<Result<BooleanArray>>()?))
}

/// The items of a list of texts, those that are there.
fn items(lists: &ListArray, row: usize) -> Option<Vec<String>> {
    lists.is_valid(row).then(|| {
        let items = lists.value(row);
        items.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
    })
}

fn glob_any(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (lists, patterns) = pair(arrays)?;
    let (lists, patterns) = (lists.as_list::<i32>(), patterns.as_string::<i32>());
    let mut made = Made::new();
    let rows = (0..lists.len()).map(|row| {
        let Some((items, wanted)) = items(lists, row).zip(text(patterns, row)) else {
            return Ok(None);
        };
        let glob = made.get(wanted, pattern)?;
        Ok(glob.map(|glob| items.iter().any(|item| glob.matches(item))))
    });
    Ok(Arc::new(rows.collect::<Result<BooleanArray>>()?))
}

fn arguments(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (lists, without) = pair(arrays)?;
    let (lists, without) = (lists.as_list::<i32>(), without.as_primitive::<Int64Type>());
    let rows = (0..lists.len()).map(|row| {
        let without = without.is_valid(row).then(|| without.value(row))?;
        let without = usize::try_from(without).unwrap_or(0);
        Some(items(lists, row)?.get(without..).unwrap_or_default().join(" "))
    });
    Ok(Arc::new(rows.collect::<StringArray>()))
}

fn ip_type(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let [addresses] = arrays else { return exec_err!("one argument is needed") };
    let addresses = addresses.as_string::<i32>();
    let rows = addresses.iter().map(|address| {
        is_internal(address?).map(|is_internal| if is_internal { "internal" } else { "external" })
    });
    Ok(Arc::new(rows.collect::<StringArray>()))
}

fn zone(text: &str) -> Result<Moment> {
    let zone = if text == "UTC" { Some(TimeZone::UTC) } else { crate::zone::read(text) };
    match zone {
        Some(zone) => Ok(Moment { now: Timestamp::UNIX_EPOCH, zone }),
        None => exec_err!("{text:?} is no zone: write UTC, +09:00 or a name such as Europe/Berlin"),
    }
}

fn weekday(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    clock(arrays, |moment, ns| moment.weekday(ns).map(i64::from))
}

fn time_of_day(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    clock(arrays, |moment, ns| moment.time_of_day(ns).and_then(|ns| i64::try_from(ns).ok()))
}

fn clock(arrays: &[ArrayRef], of: fn(&Moment, i128) -> Option<i64>) -> Result<ArrayRef> {
    let (moments, zones) = pair(arrays)?;
    let moments = moments.as_primitive::<TimestampNanosecondType>();
    let zones = zones.as_string::<i32>();
    let mut made = Made::new();
    let rows = (0..moments.len()).map(|row| {
        let Some(name) = text(zones, row).filter(|_| moments.is_valid(row)) else {
            return Ok(None);
        };
        let moment = made.get(name, zone)?;
        Ok(moment.and_then(|moment| of(moment, moments.value(row).into())))
    });
    Ok(Arc::new(rows.collect::<Result<Int64Array>>()?))
}

fn json(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (lines, paths) = pair(arrays)?;
    let (lines, paths) = (lines.as_string::<i32>(), paths.as_string::<i32>());
    let rows = (0..lines.len()).map(|row| {
        let value: Value = serde_json::from_str(text(lines, row)?).ok()?;
        let mut keys = text(paths, row)?.split('.');
        let found = keys.try_fold(&value, |value, key| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            value => value.get(key),
        });
        match found? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    });
    Ok(Arc::new(rows.collect::<StringArray>()))
}
