//! One of several characters: `[abc]`, `[a-z]`, `[!…]`, `[[:digit:]]`.
//!
//! As in POSIX a `]` directly behind the opening is a member, a `-` at either end is one too, and
//! a backslash is a character like any other. Classes are those of the POSIX locale: ASCII.

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The first byte in the pattern.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
    pub message: String,
    pub help: String,
}

impl Fault {
    /// The same, seen from so many bytes before.
    pub(crate) fn behind(mut self, bytes: usize) -> Self {
        self.start += bytes;
        self.end += bytes;
        self
    }
}

/// A set of characters.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    is_negated: bool,
    members: Vec<Member>,
}

#[derive(Clone, Debug)]
enum Member {
    Range(char, char),
    Class(Contains),
}

/// Whether a character is in a class.
type Contains = fn(&char) -> bool;

/// The classes that have a name.
const CLASSES: [(&str, Contains); 12] = [
    ("alnum", char::is_ascii_alphanumeric),
    ("alpha", char::is_ascii_alphabetic),
    ("blank", |c| matches!(c, ' ' | '\t')),
    ("cntrl", char::is_ascii_control),
    ("digit", char::is_ascii_digit),
    ("graph", char::is_ascii_graphic),
    ("lower", char::is_ascii_lowercase),
    ("print", |c| c.is_ascii_graphic() || *c == ' '),
    ("punct", char::is_ascii_punctuation),
    // POSIX counts the vertical tab, Rust's own function does not.
    ("space", |c| c.is_ascii_whitespace() || *c == '\x0b'),
    ("upper", char::is_ascii_uppercase),
    ("xdigit", char::is_ascii_hexdigit),
];

impl Set {
    /// Reads the set at the beginning of a pattern, which is its `[`. Returns its length too.
    pub(crate) fn parse(pattern: &str) -> Result<(Self, usize), Fault> {
        let mut reader = Reader { pattern, at: 1 };
        if pattern[1..].starts_with('^') {
            return Err(Fault {
                start: 1,
                end: 2,
                message: "a set does not begin with ^".to_owned(),
                help: "write [!…] for all but these, or put the ^ behind another member".to_owned(),
            });
        }
        let is_negated = reader.take('!');
        let mut members = Vec::new();
        loop {
            if !members.is_empty() && reader.take(']') {
                return Ok((Self { is_negated, members }, reader.at));
            }
            members.push(reader.member()?);
        }
    }

    /// Its only member, if it is a way to write one character.
    pub(crate) fn single(&self) -> Option<char> {
        match self.members.as_slice() {
            [Member::Range(from, to)] if from == to && !self.is_negated => Some(*from),
            _ => None,
        }
    }

    pub(crate) fn matches(&self, c: char) -> bool {
        let is_member = self.members.iter().any(|member| match member {
            Member::Range(from, to) => (*from..=*to).contains(&c),
            Member::Class(contains) => contains(&c),
        });
        is_member != self.is_negated
    }
}

struct Reader<'p> {
    pattern: &'p str,
    at: usize,
}

impl Reader<'_> {
    fn member(&mut self) -> Result<Member, Fault> {
        let start = self.at;
        if self.pattern[self.at..].starts_with("[:") {
            return self.class();
        }
        let from = self.take_any()?;
        // A minus before the end is a member itself.
        if !self.pattern[self.at..].starts_with('-') || self.pattern[self.at..].starts_with("-]") {
            return Ok(Member::Range(from, from));
        }
        self.at += 1;
        let to = self.take_any()?;
        if to < from {
            return Err(Fault {
                start,
                end: self.at,
                message: format!("the range {from}-{to} runs backwards"),
                help: format!("write {to}-{from}; a minus itself goes to the end of the set"),
            });
        }
        Ok(Member::Range(from, to))
    }

    fn class(&mut self) -> Result<Member, Fault> {
        let start = self.at;
        let inside = &self.pattern[start + 2..];
        let Some(length) = inside.find(":]") else { return Err(self.unclosed()) };
        let name = &inside[..length];
        self.at = start + 2 + length + 2;
        match CLASSES.iter().find(|(known, _)| *known == name) {
            Some((_, contains)) => Ok(Member::Class(*contains)),
            None => Err(Fault {
                start,
                end: self.at,
                message: format!("there is no class [:{name}:]"),
                help: format!("the classes are {}", CLASSES.map(|(name, _)| name).join(", ")),
            }),
        }
    }

    fn take(&mut self, c: char) -> bool {
        let is_there = self.pattern[self.at..].starts_with(c);
        if is_there {
            self.at += c.len_utf8();
        }
        is_there
    }

    fn take_any(&mut self) -> Result<char, Fault> {
        let c = self.pattern[self.at..].chars().next().ok_or_else(|| self.unclosed())?;
        self.at += c.len_utf8();
        Ok(c)
    }

    fn unclosed(&self) -> Fault {
        Fault {
            start: 0,
            end: 1,
            message: "the set that begins here is not closed".to_owned(),
            help: "close it with ]; the character [ itself is written [[]".to_owned(),
        }
    }
}
