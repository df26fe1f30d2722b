//! Events that are there twice: as lines, and as columns that were made of them.
//!
//! Names tell: an object of columns holds everything of its run from its first number to its last.

use forebear_archive::layout::EVENTS;
use forebear_archive::{BatchName, ObjectKey};

use crate::source::{Format, Object};

/// The objects but those whose events are in an object of columns besides.
pub(crate) fn without_doubles(objects: Vec<Object>) -> Vec<Object> {
    let names: Vec<Option<BatchName>> = objects.iter().map(name).collect();
    let columns = objects.iter().zip(&names).enumerate();
    let mut columns: Vec<(BatchName, usize)> = columns
        .filter(|(_, (object, _))| object.format == Format::Parquet)
        .filter_map(|(index, (_, name))| Some(((*name)?, index)))
        .collect();
    if columns.is_empty() {
        return objects;
    }
    columns.sort();
    let is_double = |index: usize, name: &BatchName| {
        let begin = columns.partition_point(|(other, _)| run(other) < run(name));
        let of_run = columns.iter().skip(begin).take_while(|(other, _)| run(other) == run(name));
        let mut others = of_run.filter(|(_, at)| *at != index);
        // Of two that cover each other the first one stays.
        others.any(|(other, at)| {
            other.covers(name)
                && (*at < index || !name.covers(other) || {
                    objects.get(index).is_some_and(|object| object.format == Format::Lines)
                })
        })
    };
    let doubles: Vec<bool> = names
        .iter()
        .enumerate()
        .map(|(index, name)| name.as_ref().is_some_and(|name| is_double(index, name)))
        .collect();
    objects.into_iter().zip(doubles).filter(|(_, it)| !it).map(|(object, _)| object).collect()
}

/// What the numbers of a batch count in.
fn run(name: &BatchName) -> impl Ord + use<> {
    (name.hour, name.host, name.boot, name.run)
}

/// What the archive calls an object, if it is one of its own.
fn name(object: &Object) -> Option<BatchName> {
    let at = object.name.rfind(&format!("{EVENTS}/"))?;
    let path = object.name.get(at..)?;
    match object.format {
        Format::Parquet => BatchName::parse_columns(path).ok(),
        Format::Lines => ObjectKey::parse(path).ok().map(|key| key.batch),
    }
}

#[cfg(test)]
mod tests {
    use crate::source::Body;

    use super::*;

    const RUN: &str = "events-v1/date=2026-11-24/hour=03/host=5f2b9f3c-53a4-8c1e-a0de-0d2f6a3ee1aa/\
                       0e2c1c1a-7f6e-4b55-9c59-1f1a4a4f6b10-7d8a4a36-92a6-4f65-b6a6-51f1f8f0a001";

    #[track_caller]
    fn stay(of: &[&str], wanted: &[&str]) {
        let object = |rest: &&str| {
            let name = match rest.starts_with('-') {
                true => format!("s3://bucket/prefix/{RUN}{rest}"),
                false => (*rest).to_owned(),
            };
            let format = Format::of(&name).unwrap();
            Object { name, place: Body::Stdin, size: 1, format }
        };
        let names = |objects: Vec<Object>| objects.into_iter().map(|it| it.name);
        let left: Vec<String> = names(without_doubles(of.iter().map(object).collect())).collect();
        let wanted: Vec<String> = names(wanted.iter().map(object).collect()).collect();
        assert_eq!(left, wanted);
    }

    #[test]
    fn lines_stay_as_long_as_their_columns_are_not_there() {
        stay(&["-1-9.ndjson.zst", "-10-20.ndjson"], &["-1-9.ndjson.zst", "-10-20.ndjson"]);
        stay(
            &["-1-9.ndjson.zst", "-10-20.ndjson", "-1-9.parquet"],
            &["-10-20.ndjson", "-1-9.parquet"],
        );
        stay(
            &["-1-20.parquet", "-1-9.ndjson.zst", "-10-20.ndjson", "-21-30.ndjson"],
            &["-1-20.parquet", "-21-30.ndjson"],
        );
        stay(&["-5-20.parquet", "-1-9.ndjson"], &["-5-20.parquet", "-1-9.ndjson"]);
        stay(
            &["x.ndjson", "-1-9.parquet", "x.parquet"],
            &["x.ndjson", "-1-9.parquet", "x.parquet"],
        );
    }

    #[test]
    fn of_columns_that_hold_the_same_one_object_stays() {
        stay(&["-1-9.parquet", "-1-9.parquet"], &["-1-9.parquet"]);
        stay(&["-1-9.parquet", "-10-20.parquet", "-1-20.parquet"], &["-1-20.parquet"]);
    }
}
