//! Text from an event, made safe for a terminal.
//!
//! What a process is called and given is chosen by whoever ran it, perhaps to fool the reader.
//! Escaped are therefore: control characters (C0, DEL, C1: terminals obey them), characters
//! that change the direction of the text around them or are not seen at all, and line and
//! paragraph separators.

use std::fmt::{self, Display, Formatter, Write as _};

/// Text as it is, with what could act on a terminal escaped: `\t`, `\x1b`, `\u{202e}`.
pub(super) struct Shown<'a>(pub(super) &'a str);

/// An argument as a shell would take it: bare where no shell would touch it, else in single
/// quotes, and in the `$'...'` form of bash and zsh where something had to be escaped.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| if acts(c) { escape(c, f) } else { f.write_char(c) })
    }
}

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = self.0;
        if text.chars().any(acts) {
            f.write_str("$'")?;
            for c in text.chars() {
                match c {
                    '\'' | '\\' => write!(f, "\\{c}")?,
                    c if acts(c) => escape(c, f)?,
                    c => f.write_char(c)?,
                }
            }
            f.write_char('\'')
        } else if is_bare(text) {
            f.write_str(text)
        } else {
            f.write_char('\'')?;
            f.write_str(&text.replace('\'', r"'\''"))?;
            f.write_char('\'')
        }
    }
}

/// Whether a shell takes the text as one word, as it stands.
fn is_bare(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "%+,-./:=@_^\u{FFFD}".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

/// Whether a character does something else than to show itself.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' // zero width, direction marks
            | '\u{2028}'..='\u{202e}' // separators, direction embeddings and overrides
            | '\u{2060}'..='\u{206f}' // invisible operators, direction isolates
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}') // tags, variation selectors
}

fn escape(c: char, f: &mut Formatter<'_>) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        c if c.is_ascii() => write!(f, "\\x{:02x}", u32::from(c)),
        c if u32::from(c) <= 0xffff => write!(f, "\\u{:04x}", u32::from(c)),
        c => write!(f, "\\U{:08x}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, quoted: &str) {
        assert_eq!(Quoted(text).to_string(), quoted);
    }

    #[test]
    fn an_argument_is_quoted_only_where_a_shell_needs_it() {
        check("--color=auto", "--color=auto");
        check("", "''");
        check("a b", "'a b'");
        check("it's", r"'it'\''s'");
        check("$HOME;*", "'$HOME;*'");
        check("naïve", "naïve");
        check("~", "'~'");
    }

    #[test]
    fn what_acts_on_a_terminal_is_escaped() {
        check("\u{1b}]0;x\u{7}", r"$'\x1b]0;x\x07'");
        check("a\nb", r"$'a\nb'");
        check("\u{9b}31m'\\", r"$'\u009b31m\'\\'");
        check("a\u{202e}b", r"$'a\u202eb'");
        check("\u{e0041}", r"$'\U000e0041'");
        assert_eq!(Shown("\u{7f}a b").to_string(), r"\x7fa b");
    }

    proptest! {
        #[test]
        fn nothing_that_acts_comes_through(text: String) {
            let (shown, quoted) = (Shown(&text).to_string(), Quoted(&text).to_string());
            prop_assert!(!shown.chars().any(acts) && !quoted.chars().any(acts));
        }
    }
}
