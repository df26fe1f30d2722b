//! JSON strings and numbers, byte for byte as `serde_json` writes them.
//!
//! Escaped are quotation mark, backslash and control characters below U+0020, nothing else.
//! Text is looked at eight bytes at a time, and what needs no escape is copied whole.

use std::borrow::Cow;

use crate::bytes;

/// Appends what it is told, as JSON.
pub(crate) struct Json<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> Json<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// JSON that is already rendered.
    #[inline]
    pub(crate) fn raw(&mut self, json: &[u8]) -> &mut Self {
        self.out.extend_from_slice(json);
        self
    }

    #[inline]
    pub(crate) fn number(&mut self, number: impl itoa::Integer) -> &mut Self {
        self.raw(itoa::Buffer::new().format(number).as_bytes())
    }

    #[inline]
    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { b"true" } else { b"false" })
    }

    /// A string with its quotation marks.
    #[inline]
    pub(crate) fn string(&mut self, text: &str) -> &mut Self {
        self.raw(b"\"");
        self.escaped(text.as_bytes(), END_OF_NOTHING);
        self.raw(b"\"")
    }

    /// The base64 of bytes, as a string.
    pub(crate) fn base64(&mut self, exact: &[u8]) -> &mut Self {
        self.raw(b"\"").raw(bytes::encode(exact).as_bytes()).raw(b"\"")
    }

    /// A list of arguments, each followed by a NUL byte, as an array of strings.
    /// Returns whether every argument is said exactly.
    pub(crate) fn arguments(&mut self, list: &[u8]) -> bool {
        if list.is_empty() {
            self.raw(b"[]");
            return true;
        }
        let terminated = list.strip_suffix(b"\0").unwrap_or(list);
        // NUL is UTF-8 and part of no longer sequence, so the list as a whole is UTF-8 if and
        // only if every argument is, and replacing in the whole replaces in each.
        let (text, is_exact) = bytes::readable(terminated);
        self.raw(b"[\"");
        self.escaped(text.as_bytes(), b"\",\"");
        self.raw(b"\"]");
        is_exact
    }

    /// The exact bytes of a list of arguments, as an array of base64 strings.
    pub(crate) fn arguments_base64(&mut self, list: &[u8]) -> &mut Self {
        let terminated = list.strip_suffix(b"\0").unwrap_or(list);
        self.raw(b"[");
        for (index, argument) in terminated.split(|byte| *byte == 0).enumerate() {
            if index > 0 {
                self.raw(b",");
            }
            self.base64(argument);
        }
        self.raw(b"]")
    }

    /// A string of bytes that may not be UTF-8; returns the exact bytes if it is not.
    pub(crate) fn text<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        match bytes::readable(text) {
            (Cow::Borrowed(readable), true) => {
                self.string(readable);
                None
            }
            (readable, _) => {
                self.string(&readable);
                Some(text)
            }
        }
    }

    /// Text without quotation marks; `end_of_argument` stands for each NUL byte in it, or if that
    /// is [`END_OF_NOTHING`], NUL is a control character as any other.
    fn escaped(&mut self, text: &[u8], end_of_argument: &[u8]) {
        let mut rest = text;
        loop {
            let plain = plain_prefix(rest);
            let (copied, special) = rest.split_at(plain);
            self.raw(copied);
            let Some((byte, after)) = special.split_first() else { return };
            match byte {
                0 if !end_of_argument.is_empty() => self.raw(end_of_argument),
                b'"' => self.raw(b"\\\""),
                b'\\' => self.raw(b"\\\\"),
                b'\n' => self.raw(b"\\n"),
                b'\r' => self.raw(b"\\r"),
                b'\t' => self.raw(b"\\t"),
                0x08 => self.raw(b"\\b"),
                0x0c => self.raw(b"\\f"),
                control => {
                    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 0xf)];
                    self.raw(&[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(*control)])
                }
            };
            rest = after;
        }
    }
}

const END_OF_NOTHING: &[u8] = b"";

/// How many bytes at the start need no escape.
#[inline]
fn plain_prefix(text: &[u8]) -> usize {
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            // The lowest marked byte is the first: the false marks that a borrow can make lie
            // above a true one.
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let in_tail = tail.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\'));
    text.len() - tail.len() + in_tail.unwrap_or(tail.len())
}

/// The top bit of each byte that needs an escape, the lowest of them exactly.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & TOPS;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    below(word, 0x20) | equal(b'"') | equal(b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        Json::new(&mut out).string(text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn control_characters_and_quotes_are_escaped_and_line_separators_are_not() {
        assert_eq!(
            string("a\"\\\u{1b}[0m\n\u{2028}\u{7f}"),
            "\"a\\\"\\\\\\u001b[0m\\n\u{2028}\u{7f}\""
        );
    }

    #[test]
    fn a_list_without_arguments_and_one_with_an_empty_argument_differ() {
        let list = |bytes: &[u8]| {
            let mut out = Vec::new();
            assert!(Json::new(&mut out).arguments(bytes));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(list(b""), "[]");
        assert_eq!(list(b"\0"), r#"[""]"#);
        assert_eq!(list(b"\0\0"), r#"["",""]"#);
        assert_eq!(list(b"ls\0-l\0"), r#"["ls","-l"]"#);
        assert_eq!(list(b"ls\0-"), r#"["ls","-"]"#);
    }

    proptest! {
        #[test]
        fn a_string_is_written_as_serde_json_writes_it(text: String, dense in "[\0-\x30\"\\\\\u{7f}-\u{100}]*") {
            for text in [text, dense] {
                prop_assert_eq!(string(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }
}
