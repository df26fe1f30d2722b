//! The texts behind a record's fixed part, and paths that arrive leaf first.
//!
//! Invariant: nothing is read beyond what the record's own lengths add up to, and a length that
//! does not fit is an error, never a shorter text.

use super::Malformed;

/// Takes texts off the end of a record, one after another.
pub(super) struct Texts<'r> {
    rest: &'r [u8],
}

impl<'r> Texts<'r> {
    pub(super) fn new(rest: &'r [u8]) -> Self {
        Self { rest }
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: u32) -> Result<&'r [u8], Malformed> {
        let (text, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or(Malformed::Length)?;
        self.rest = rest;
        Ok(text)
    }

    /// The next `length` bytes, which end with the only NUL; the text without it.
    pub(super) fn take_terminated(&mut self, length: u32) -> Result<&'r [u8], Malformed> {
        match self.take(length)?.split_last() {
            Some((0, text)) if !text.contains(&0) => Ok(text),
            _ => Err(Malformed::Text),
        }
    }
}

/// Appends a path from its components, which are NUL-terminated and leaf first; none mean `/`.
pub(super) fn append_reversed(components: &[u8], path: &mut Vec<u8>) -> Result<(), Malformed> {
    let Some((last, components)) = components.split_last() else {
        path.push(b'/');
        return Ok(());
    };
    if *last != 0 {
        return Err(Malformed::Text);
    }
    for component in components.rsplit(|byte| *byte == 0) {
        if component.is_empty() {
            return Err(Malformed::Text);
        }
        path.push(b'/');
        path.extend_from_slice(component);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reversed(components: &[u8]) -> Option<String> {
        let mut path = Vec::new();
        append_reversed(components, &mut path).ok()?;
        String::from_utf8(path).ok()
    }

    #[test]
    fn components_arrive_leaf_first() {
        assert_eq!(reversed(b"python3.11\0bin\0usr\0").as_deref(), Some("/usr/bin/python3.11"));
        assert_eq!(reversed(b"").as_deref(), Some("/"));
        assert_eq!(reversed(b"etc\0").as_deref(), Some("/etc"));
        assert_eq!(reversed(b"etc"), None);
        assert_eq!(reversed(b"a\0\0b\0"), None);
    }

    #[test]
    fn a_text_longer_than_the_record_is_refused() {
        let mut texts = Texts::new(b"ab\0c\0");
        assert_eq!(texts.take_terminated(3), Ok(&b"ab"[..]));
        assert_eq!(texts.take(3), Err(Malformed::Length));
        assert_eq!(texts.take_terminated(1), Err(Malformed::Text));
    }
}
