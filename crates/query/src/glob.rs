//! Patterns over whole values: `*` any run, `?` one character, `[…]` one of a set.
//!
//! The text that is matched may hold U+FFFD in the place of bytes that are not UTF-8; that is a
//! character like any other.
//!
//! Cost: between two `*` a part without `?` and sets is searched in linear time; a part with them
//! costs its own length for each place at which it may stand. Nothing is tried twice, so there is
//! no pattern that takes exponential time.

use memchr::memmem::Finder;

use self::set::Set;

mod set;

pub(crate) use set::Fault;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    /// How it was written.
    pattern: String,
    /// The parts between the runs; one more than there are `*`. Those in the middle are not empty.
    parts: Vec<Part>,
    has_run: bool,
}

/// A part of a pattern without `*`.
#[derive(Clone, Debug)]
enum Part {
    Literal { text: String, finder: Box<Finder<'static>> },
    Mixed(Vec<Atom>),
}

#[derive(Clone, Debug)]
enum Atom {
    One(char),
    Any,
    Set(Set),
}

impl Glob {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is not well formed, and where in the pattern.
    pub(crate) fn new(pattern: &str) -> Result<Self, Fault> {
        let mut parts = Vec::new();
        let mut atoms = Vec::new();
        let mut has_run = false;
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let mut length = first.len_utf8();
            match first {
                '*' => {
                    // Two runs beside each other are one.
                    if !has_run || !atoms.is_empty() {
                        parts.push(Part::new(std::mem::take(&mut atoms)));
                    }
                    has_run = true;
                }
                '?' => atoms.push(Atom::Any),
                '[' => {
                    let at = pattern.len() - rest.len();
                    let (set, consumed) = Set::parse(rest).map_err(|fault| fault.behind(at))?;
                    length = consumed;
                    // `[*]` is a way to write the character itself.
                    atoms.push(set.single().map_or(Atom::Set(set), Atom::One));
                }
                c => atoms.push(Atom::One(c)),
            }
            rest = &rest[length..];
        }
        parts.push(Part::new(atoms));
        Ok(Self { pattern: pattern.to_owned(), parts, has_run })
    }

    /// A pattern that matches this text only.
    pub(crate) fn exactly(text: &str) -> Self {
        Self {
            pattern: text.to_owned(),
            parts: vec![Part::new(text.chars().map(Atom::One).collect())],
            has_run: false,
        }
    }

    /// Compiles a pattern; `None` if it is not well formed.
    pub fn compile(pattern: &str) -> Option<Self> {
        Self::new(pattern).ok()
    }

    /// How it was written.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The only text that it matches, if it is one.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Literal { text, .. }] => Some(text),
            _ => None,
        }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else {
            return text.is_empty();
        };
        if !self.has_run {
            return first.at_start(text) == Some(text.len());
        }
        let Some(start) = first.at_start(text) else { return false };
        let Some(end) = last.at_end(&text[start..]) else { return false };
        let mut between = &text[start..start + end];
        let middle = self.parts.get(1..self.parts.len() - 1).unwrap_or_default();
        for part in middle {
            // The leftmost place leaves the most to the parts behind it.
            let Some(behind) = part.find(between) else { return false };
            between = &between[behind..];
        }
        true
    }
}

impl Part {
    fn new(atoms: Vec<Atom>) -> Self {
        let text: Option<String> = atoms
            .iter()
            .map(|atom| match atom {
                Atom::One(c) => Some(*c),
                Atom::Any | Atom::Set(_) => None,
            })
            .collect();
        match text {
            Some(text) => {
                let finder = Box::new(Finder::new(&text).into_owned());
                Self::Literal { text, finder }
            }
            None => Self::Mixed(atoms),
        }
    }

    /// If the text begins with it: where it ends.
    fn at_start(&self, text: &str) -> Option<usize> {
        match self {
            Self::Literal { text: own, .. } => text.starts_with(own.as_str()).then_some(own.len()),
            Self::Mixed(atoms) => {
                let mut chars = text.char_indices();
                for atom in atoms {
                    let (_, c) = chars.next()?;
                    if !atom.matches(c) {
                        return None;
                    }
                }
                Some(chars.offset())
            }
        }
    }

    /// If the text ends with it: where it begins.
    fn at_end(&self, text: &str) -> Option<usize> {
        match self {
            Self::Literal { text: own, .. } => {
                text.ends_with(own.as_str()).then(|| text.len() - own.len())
            }
            Self::Mixed(atoms) => {
                let mut chars = text.char_indices().rev();
                let mut start = text.len();
                for atom in atoms.iter().rev() {
                    let (at, c) = chars.next()?;
                    if !atom.matches(c) {
                        return None;
                    }
                    start = at;
                }
                Some(start)
            }
        }
    }

    /// Where its leftmost occurrence ends.
    fn find(&self, text: &str) -> Option<usize> {
        match self {
            Self::Literal { text: own, finder } => {
                finder.find(text.as_bytes()).map(|at| at + own.len())
            }
            Self::Mixed(_) => text
                .char_indices()
                .find_map(|(at, _)| self.at_start(&text[at..]).map(|length| at + length)),
        }
    }
}

impl Atom {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::One(own) => *own == c,
            Self::Any => true,
            Self::Set(set) => set.matches(c),
        }
    }
}

/// The items of a comma list: blanks around them are dropped. A comma or an outer blank that
/// belongs to an item stands in brackets, `[,]`.
pub(crate) fn items(list: &str) -> Vec<(usize, &str)> {
    let mut items = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(c) = list[at..].chars().next() {
        match c {
            ',' => {
                items.push(trimmed(list, start, at));
                at += 1;
                start = at;
            }
            '[' => match Set::parse(&list[at..]) {
                Ok((_, length)) => at += length,
                // The pattern's own check tells what is wrong; nothing behind it can be trusted.
                Err(_) => break,
            },
            c => at += c.len_utf8(),
        }
    }
    items.push(trimmed(list, start, list.len()));
    items
}

fn trimmed(list: &str, start: usize, end: usize) -> (usize, &str) {
    let item = &list[start..end];
    let before = item.len() - item.trim_start().len();
    (start + before, item.trim())
}

#[cfg(test)]
mod tests;
