//! The fields of one line: splitting, quoting, and looking values up by name.

use super::Error;

/// One field of a line.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) value: Value,
    /// Where the field begins, from 1.
    pub(super) column: usize,
    used: std::cell::Cell<bool>,
}

/// A value before its meaning is known.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// The bare name.
    Yes,
    Word(String),
    Bytes(Vec<u8>),
}

/// The fields of a line, each to be asked for once.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    fields: Vec<Field>,
    /// The line's length, where a missing field would have stood.
    end: usize,
}

impl Fields {
    /// Splits what follows a line's first word. `start` is the column of `text`, from 1.
    pub(super) fn split(text: &str, start: usize) -> Result<Self, Error> {
        let mut fields = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let column = start + text.len() - rest.len();
            let name_end = rest.find(['=', ' ']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(name_end);
            if name.is_empty() {
                return Err(Error { column, problem: "expected a field's name".to_owned() });
            }
            let (value, after) = match after.strip_prefix('=') {
                None => (Value::Yes, after),
                Some(after) if after.starts_with('"') => {
                    let (bytes, after) = unquote(after, column + name_end + 1)?;
                    (Value::Bytes(bytes), after)
                }
                Some(after) => {
                    let end = after.find(' ').unwrap_or(after.len());
                    (Value::Word(after[..end].to_owned()), &after[end..])
                }
            };
            if fields.iter().any(|field: &Field| field.name == name) {
                return Err(Error { column, problem: format!("`{name}` is given twice") });
            }
            let name = name.to_owned();
            fields.push(Field { name, value, column, used: std::cell::Cell::new(false) });
            rest = match after.strip_prefix(' ') {
                Some(rest) => rest,
                None if after.is_empty() => after,
                None => {
                    let column = start + text.len() - after.len();
                    return Err(Error { column, problem: "expected a blank".to_owned() });
                }
            };
        }
        Ok(Self { fields, end: start + text.len() })
    }

    /// The field with this name, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&Field> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        field.used.set(true);
        Some(field)
    }

    /// The field with this name.
    pub(super) fn need(&self, name: &str) -> Result<&Field, Error> {
        self.get(name).ok_or_else(|| match self.mistyped(name) {
            Some(field) => Error {
                column: field.column,
                problem: format!("the field `{name}` is missing; is `{}` meant?", field.name),
            },
            None => {
                let problem = format!("the field `{name}` is missing");
                Error { column: self.end, problem }
            }
        })
    }

    /// A field that nobody has asked for and whose name is nearly this one.
    fn mistyped(&self, name: &str) -> Option<&Field> {
        self.unused().find(|field| strsim::damerau_levenshtein(&field.name, name) <= 2)
    }

    /// Whether the bare name is there.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.get(name) {
            None => Ok(false),
            Some(Field { value: Value::Yes, .. }) => Ok(true),
            Some(field) => Err(field.wrong("no value")),
        }
    }

    /// Whether any field's name begins so.
    pub(super) fn any_below(&self, prefix: &str) -> bool {
        self.fields.iter().any(|field| field.name.starts_with(prefix))
    }

    /// The fields that nobody has asked for.
    pub(super) fn unused(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.used.get())
    }
}

impl Field {
    /// An error at this field that says what would be right.
    pub(super) fn wrong(&self, expected: &str) -> Error {
        let found = match &self.value {
            Value::Yes => "nothing".to_owned(),
            Value::Word(word) => format!("`{word}`"),
            Value::Bytes(_) => "text in quotes".to_owned(),
        };
        let problem = format!("`{}` takes {expected}, found {found}", self.name);
        Error { column: self.column, problem }
    }

    pub(super) fn word(&self, expected: &str) -> Result<&str, Error> {
        match &self.value {
            Value::Word(word) => Ok(word),
            Value::Yes | Value::Bytes(_) => Err(self.wrong(expected)),
        }
    }

    pub(super) fn bytes(&self) -> Result<&[u8], Error> {
        match &self.value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Yes | Value::Word(_) => Err(self.wrong("bytes in double quotes")),
        }
    }
}

/// Writes bytes in double quotes.
pub(super) fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            b' '..=b'~' => out.push(byte),
            0 => out.extend(b"\\0"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            _ => {
                let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                out.extend([b'\\', b'x', digit(byte >> 4), digit(byte & 0xf)]);
            }
        }
    }
    out.push(b'"');
}

/// Reads bytes in double quotes from the start of `text`; returns them and the rest.
fn unquote(text: &str, start: usize) -> Result<(Vec<u8>, &str), Error> {
    let mut bytes = Vec::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((bytes, text.get(at + 1..).unwrap_or_default())),
            '\\' => {
                let escaped = match chars.next().map(|(_, escape)| escape) {
                    Some('0') => Some(0),
                    Some('n') => Some(b'\n'),
                    Some('r') => Some(b'\r'),
                    Some('t') => Some(b'\t'),
                    Some('"') => Some(b'"'),
                    Some('\\') => Some(b'\\'),
                    Some('x') => {
                        let digits = text.get(at + 2..at + 4).unwrap_or_default();
                        chars.nth(1);
                        u8::from_str_radix(digits, 16).ok()
                    }
                    _ => None,
                };
                let problem = "unknown escape; known are \\0 \\n \\r \\t \\\" \\\\ and \\xNN";
                bytes.push(
                    escaped
                        .ok_or_else(|| Error { column: start + at, problem: problem.to_owned() })?,
                );
            }
            ' '..='~' => bytes.push(char as u8),
            _ => {
                let problem = "only printable ASCII stands unescaped in quotes".to_owned();
                return Err(Error { column: start + at, problem });
            }
        }
    }
    Err(Error { column: start, problem: "the closing quote is missing".to_owned() })
}
