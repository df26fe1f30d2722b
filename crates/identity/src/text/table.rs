//! One table of a store: its keys looked up and checked; what is wrong is told with its line.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// What is wrong with one text.
pub(super) struct Problems<'t> {
    text: &'t str,
    list: Vec<Problem>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, list: vec![] }
    }

    /// A problem at a place in the text.
    pub(super) fn at(&mut self, place: usize, text: impl Into<String>) {
        let before = self.text.as_bytes().get(..place).unwrap_or(self.text.as_bytes());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        self.list.push(Problem { line, text: text.into() });
    }

    /// All of them by line.
    pub(super) fn into_list(mut self) -> Vec<Problem> {
        self.list.sort();
        self.list.dedup();
        self.list
    }
}

/// A table and what it is called.
pub(super) struct Table<'a, 't, 'p> {
    name: &'static str,
    entries: &'a DeTable<'t>,
    /// Where it begins in the text.
    place: usize,
    pub(super) problems: &'p mut Problems<'t>,
}

impl<'a, 't, 'p> Table<'a, 't, 'p> {
    /// A table that may have these keys and no others.
    pub(super) fn new(
        name: &'static str,
        keys: &[&str],
        entries: &'a DeTable<'t>,
        place: usize,
        problems: &'p mut Problems<'t>,
    ) -> Self {
        for key in entries.keys().filter(|key| !keys.contains(&&**key.get_ref())) {
            // What it is called is not repeated: it may be a secret in the wrong place.
            let known = keys.join(", ");
            problems.at(key.span().start, format!("{name} has a key that is not one of {known}"));
        }
        Self { name, entries, place, problems }
    }

    /// Tells a problem of a key, where that is.
    pub(super) fn wrong(&mut self, key: &str, text: &str) {
        let entry = self.entries.get_key_value(key);
        let place = entry.map_or(self.place, |(key, _)| key.span().start);
        self.problems.at(place, format!("{} {key}: {text}", self.name));
    }

    fn value(&self, key: &str) -> Option<&'a DeValue<'t>> {
        self.entries.get(key).map(Spanned::get_ref)
    }

    /// A text that means something; what is not there or means nothing is told.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        wanted: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = self.value(key).and_then(DeValue::as_str).and_then(parse);
        if parsed.is_none() {
            self.wrong(key, &format!("write {wanted}"));
        }
        parsed
    }

    /// A whole number within bounds; what is not there or not one is told.
    pub(super) fn number(&mut self, key: &str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let number = self.optional_number(key, bounds.clone());
        if number.is_none() && self.value(key).is_none() {
            self.wrong(key, &format!("write a number from {} to {}", bounds.start(), bounds.end()));
        }
        number
    }

    /// A whole number within bounds, or nothing.
    pub(super) fn optional_number(
        &mut self,
        key: &str,
        bounds: RangeInclusive<u64>,
    ) -> Option<u64> {
        let integer = self.value(key)?.as_integer();
        let number =
            integer.and_then(|found| u64::from_str_radix(found.as_str(), found.radix()).ok());
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            self.wrong(key, &format!("write a number from {} to {}", bounds.start(), bounds.end()));
        }
        number
    }

    /// Yes or no; no if it is not there.
    pub(super) fn flag(&mut self, key: &str) -> bool {
        let Some(value) = self.value(key) else { return false };
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(key, "write true or false");
        }
        flag.unwrap_or_default()
    }

    /// A list of texts that mean something, of at most so many; empty if it is not there.
    pub(super) fn list<T>(
        &mut self,
        key: &str,
        most: usize,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.value(key) else { return vec![] };
        let Some(array) = value.as_array() else {
            self.wrong(key, &format!("write a list of {wanted}"));
            return vec![];
        };
        if array.len() > most {
            self.wrong(key, &format!("there are {} and at most {most} are kept", array.len()));
            return vec![];
        }
        let mut items = Vec::with_capacity(array.len());
        for item in array.iter() {
            match item.get_ref().as_str().and_then(&parse) {
                Some(value) => items.push(value),
                None => {
                    let text = format!("{} {key}: each is {wanted}", self.name);
                    self.problems.at(item.span().start, text);
                }
            }
        }
        items
    }

    /// A table in it, or nothing.
    pub(super) fn inner(&mut self, key: &str) -> Option<(&'a DeTable<'t>, usize)> {
        let (name, value) = self.entries.get_key_value(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(key, "write it as a table");
        }
        Some((table?, name.span().start))
    }

    /// The tables of a list in it; none if it is not there.
    pub(super) fn several(&mut self, key: &str) -> Vec<(&'a DeTable<'t>, usize)> {
        let Some(value) = self.value(key) else { return vec![] };
        let items = value.as_array().map(|array| array.iter().collect::<Vec<_>>());
        let of =
            |item: &&'a Spanned<DeValue<'t>>| Some((item.get_ref().as_table()?, item.span().start));
        let tables: Option<Vec<_>> = items.and_then(|items| items.iter().map(of).collect());
        if tables.is_none() {
            self.wrong(key, "write each as a table with two brackets");
        }
        tables.unwrap_or_default()
    }
}
