//! What is wrong with a configuration, each with its line.

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub text: String,
}

/// The problems of one text.
#[derive(Debug)]
pub(super) struct Problems<'t> {
    text: &'t str,
    /// Lines that are not TOML, so that what was made out in them means nothing.
    broken: Vec<usize>,
    list: Vec<Problem>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, broken: vec![], list: vec![] }
    }

    /// The line of a place in the text.
    pub(super) fn line(&self, place: usize) -> usize {
        let before = self.text.as_bytes().get(..place).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// A line that is not TOML.
    pub(super) fn broken(&mut self, place: usize, text: String) {
        let line = self.line(place);
        self.broken.push(line);
        self.list.push(Problem { line, text });
    }

    /// A problem at a place.
    pub(super) fn at(&mut self, place: usize, text: String) {
        let line = self.line(place);
        if !self.broken.contains(&line) {
            self.list.push(Problem { line, text });
        }
    }

    /// Something that is not there; unless it may be there and could not be made out.
    pub(super) fn missing(&mut self, place: usize, text: String) {
        if self.broken.is_empty() {
            self.at(place, text);
        }
    }

    /// All of them by line.
    pub(super) fn into_list(mut self) -> Vec<Problem> {
        self.list.sort();
        self.list.dedup();
        self.list
    }
}
