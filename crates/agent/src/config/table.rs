//! One table of a configuration: its keys looked up, checked for their kind, and for being known.

use std::fmt::Display;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{self, Section};
use super::problems::Problems;

/// A table, or the absence of one.
pub(super) struct Table<'a, 't, 'p> {
    section: &'static Section,
    entries: Option<&'a DeTable<'t>>,
    /// Where it begins in the text.
    pub(super) place: usize,
    pub(super) problems: &'p mut Problems<'t>,
}

/// A value and where its key is.
type Entry<'a, 't> = (&'a DeValue<'t>, usize);

/// A key with its value.
type Place<'a, 't> = (&'a Spanned<std::borrow::Cow<'t, str>>, &'a Spanned<DeValue<'t>>);

impl<'a, 't, 'p> Table<'a, 't, 'p> {
    /// A table; its unknown keys are told.
    pub(super) fn new(
        section: &'static Section,
        entries: Option<&'a DeTable<'t>>,
        place: usize,
        problems: &'p mut Problems<'t>,
    ) -> Self {
        let table = Self { section, entries, place, problems };
        for key in entries.into_iter().flat_map(|entries| entries.keys()) {
            if !table.knows(key.get_ref()) {
                let text = table.unknown(key.get_ref());
                table.problems.at(key.span().start, text);
            }
        }
        table
    }

    fn knows(&self, key: &str) -> bool {
        self.section.keys.iter().any(|known| known.name == key)
            || keys::SECTIONS.iter().any(|section| self.is_outer_of(section, key))
    }

    /// Whether the key is this table in it.
    fn is_outer_of(&self, inner: &Section, key: &str) -> bool {
        match inner.name.split_once('.') {
            None => self.section.is_top() && inner.name == key,
            Some((outer, name)) => self.section.name == outer && name == key,
        }
    }

    /// What to say of a key that does not exist: the nearest one, in this table or in another.
    fn unknown(&self, key: &str) -> String {
        let title = self.section.title();
        let elsewhere = keys::SECTIONS
            .iter()
            .filter(|section| section.name != self.section.name)
            .find(|section| section.keys.iter().any(|known| known.name == key));
        if let Some(section) = elsewhere {
            return format!("{title} has no key {key:?}; it belongs to {}", section.title());
        }
        let tables = keys::SECTIONS.iter().filter_map(|section| {
            let name = section.name.rsplit('.').next()?;
            self.is_outer_of(section, name).then_some(name).filter(|name| !name.is_empty())
        });
        let names = self.section.keys.iter().map(|known| known.name).chain(tables);
        let nearness = |name: &&str| (strsim::jaro_winkler(name, key) * 1e6) as u64;
        let nearest = names.max_by_key(nearness).unwrap_or_default();
        format!("{title} has no key {key:?}; the nearest is {nearest:?}")
    }

    fn entry(&self, name: &str) -> Option<Entry<'a, 't>> {
        debug_assert!(self.knows(name), "{name} is not declared");
        let (key, value) = self.entries?.get_key_value(name)?;
        Some((value.get_ref(), key.span().start))
    }

    /// Where a key is, or else the table.
    pub(super) fn place_of(&self, name: &str) -> usize {
        self.entry(name).map_or(self.place, |(_, place)| place)
    }

    /// Tells a problem of a key.
    pub(super) fn wrong(&mut self, name: &str, text: impl Display) {
        let place = self.place_of(name);
        let text = format!("{} {name}: {text}", self.section.title());
        self.problems.at(place, text);
    }

    fn wrong_kind(&mut self, name: &str, value: &DeValue<'_>, wanted: &str) {
        let found = value.type_str();
        self.wrong(name, format!("write {wanted}; this is of type {found}"));
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        let (value, _) = self.entry(name)?;
        let text = value.as_str();
        if text.is_none() {
            let example = self.section.example(name);
            self.wrong_kind(name, value, &format!("a text in quotes, such as {example}"));
        }
        text
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let (value, _) = self.entry(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong_kind(name, value, "true or false, without quotes");
        }
        flag
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        name: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let (value, _) = self.entry(name)?;
        let Some(integer) = value.as_integer() else {
            let example = self.section.example(name);
            self.wrong_kind(name, value, &format!("a whole number, such as {example}"));
            return None;
        };
        match u64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => {
                let text = integer.as_str();
                let text = format!("{text} is not from {} to {}", bounds.start(), bounds.end());
                self.wrong(name, text);
                None
            }
        }
    }

    /// A text that means something else, checked.
    pub(super) fn parsed<Q, T>(
        &mut self,
        name: &str,
        check: impl FnOnce(Q) -> Result<T, String>,
    ) -> Option<T>
    where
        Q: FromStr,
        Q::Err: Display,
    {
        let text = self.text(name)?;
        let checked = text.parse().map_err(|error: Q::Err| error.to_string()).and_then(check);
        match checked {
            Ok(value) => Some(value),
            Err(problem) => {
                self.wrong(name, format!("{text:?}: {problem}"));
                None
            }
        }
    }

    /// The texts of a table in it.
    pub(super) fn texts(&mut self, name: &str) -> Vec<(String, String, usize)> {
        let Some((value, _)) = self.entry(name) else { return vec![] };
        let Some(entries) = value.as_table() else {
            let example = self.section.example(name);
            self.wrong_kind(name, value, &format!("a table, such as {example}"));
            return vec![];
        };
        let mut texts = vec![];
        for (key, value) in entries {
            match value.get_ref().as_str() {
                Some(text) => {
                    texts.push((key.get_ref().to_string(), text.to_owned(), key.span().start));
                }
                None => {
                    let title = self.section.title();
                    let text = format!("{title} {name}.{}: write a text in quotes", key.get_ref());
                    self.problems.at(key.span().start, text);
                }
            }
        }
        texts
    }
}

/// Where a section is, in the top table or in the one that its name begins with.
fn entry<'a, 't>(top: &'a DeTable<'t>, section: &Section) -> Option<Place<'a, 't>> {
    match section.name.split_once('.') {
        None => top.get_key_value(section.name),
        // That the outer one is a table is told where it is read.
        Some((outer, name)) => top.get(outer)?.get_ref().as_table()?.get_key_value(name),
    }
}

/// The table of that name in the top table; a value that is no table is told.
pub(super) fn inner<'a, 't>(
    top: &'a DeTable<'t>,
    section: &'static Section,
    problems: &mut Problems<'t>,
) -> (Option<&'a DeTable<'t>>, usize) {
    let Some((key, value)) = entry(top, section) else { return (None, 0) };
    let place = key.span().start;
    let table = value.get_ref().as_table();
    if table.is_none() {
        let title = section.title();
        problems
            .at(place, format!("{} is a table: write {title} and its keys below", section.name));
    }
    (table, place)
}

/// The tables of that name, each with where it begins.
pub(super) fn several<'a, 't>(
    top: &'a DeTable<'t>,
    section: &'static Section,
    problems: &mut Problems<'t>,
) -> Vec<(&'a DeTable<'t>, usize)> {
    let Some((key, value)) = entry(top, section) else { return vec![] };
    let Some(array) = value.get_ref().as_array() else {
        let (name, title) = (section.name, section.title());
        let text = format!("there may be several of {name}: write {title} with two brackets");
        problems.at(key.span().start, text);
        return vec![];
    };
    let of = |item: &'a Spanned<DeValue<'t>>| {
        let table = item.get_ref().as_table()?;
        Some((table, item.span().start))
    };
    let tables: Vec<_> = array.iter().filter_map(of).collect();
    if tables.len() < array.len() {
        let text = format!("{} holds something that is no table", section.title());
        problems.at(key.span().start, text);
    }
    tables
}
