//! What is wrong with a query: a stable code, a place, what was expected, and help.
//!
//! Deliberately not here: colours, terminals, exit codes. [`render`] gives plain text.

use std::fmt;

/// A part of the query's text, in bytes: `start` is in it, `end` is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last one.
    pub end: usize,
}

/// Declares the codes, each with its text and meaning.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $text:literal,)*) => {
        /// What kind of mistake it is. The text of a code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its text.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),*).trim_ascii_start(),)*
                }
            }
        }
    };
}

codes! {
    /// The query says nothing.
    Empty = "empty",
    /// The query's text is too long.
    TooLong = "too-long",
    /// Parentheses are nested too deeply.
    TooDeep = "too-deep",
    /// Its macros make the query too large.
    TooLarge = "too-large",
    /// A quoted value does not end.
    UnclosedQuote = "unclosed-quote",
    /// A character has no meaning here.
    UnexpectedCharacter = "unexpected-character",
    /// A part is missing, or stands where another one should.
    Syntax = "syntax",
    /// `not` stands before something else than a group.
    LooseNot = "loose-not",
    /// No property has this name.
    UnknownProperty = "unknown-property",
    /// The name is that of a group of fields, which has no value itself.
    Group = "group",
    /// The property does not take this operator.
    WrongOperator = "wrong-operator",
    /// A glob pattern is not well formed.
    BadPattern = "bad-pattern",
    /// An item of a list is empty.
    EmptyItem = "empty-item",
    /// The value is not a whole number.
    BadInteger = "bad-integer",
    /// The value is neither true nor false.
    BadBoolean = "bad-boolean",
    /// The value is not a time.
    BadTime = "bad-time",
    /// The value is not a time of day.
    BadHour = "bad-hour",
    /// The value is none of the words that the property may have.
    BadWord = "bad-word",
    /// The value is not a UUID.
    BadUuid = "bad-uuid",
    /// No saved query has this name.
    UnknownMacro = "unknown-macro",
    /// The saved query behind a macro is wrong itself.
    BrokenMacro = "broken-macro",
    /// A macro needs itself.
    MacroCycle = "macro-cycle",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub code: Code,
    /// What is wrong, as half a sentence.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What would have been right there.
    pub expected: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, expected: None, help: None }
    }

    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds help if there is any.
    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

/// How many columns of a query are shown around a mistake.
const COLUMNS: usize = 72;

/// The mistakes of a query as plain text, each with its place underlined; ends with a newline.
pub fn render(query: &str, diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let Diagnostic { code, message, span, expected, help } = diagnostic;
        let place = Place::find(query, *span);
        text += &format!("error[{code}]: {}\n", one_line(message));
        if let Some(line) = place.line_number {
            text += &format!("  line {line}:\n");
        }
        text += &format!("  {}\n  {}{}\n", place.shown, place.blanks, place.carets);
        if let Some(expected) = expected {
            text += &format!("  expected: {}\n", one_line(expected));
        }
        if let Some(help) = help {
            text += &format!("  help: {}\n", one_line(help));
        }
    }
    text
}

/// A place as it is shown.
struct Place {
    /// From 1; `None` if the query has one line only.
    line_number: Option<usize>,
    shown: String,
    blanks: String,
    carets: String,
}

impl Place {
    fn find(query: &str, span: Span) -> Self {
        let start = floor(query, span.start.min(query.len()));
        let end = floor(query, span.end.clamp(start, query.len()));
        let (before, from) = query.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = from.find('\n').map_or(query.len(), |at| start + at);
        let prefix: Vec<char> = query[line_start..start].chars().collect();
        let marked: Vec<char> = query[start..end.min(line_end)].chars().collect();
        let suffix: Vec<char> =
            query[end.clamp(start, line_end)..line_end].chars().take(COLUMNS).collect();

        // The mark comes first; what room it leaves is shared by what is around it.
        let marked_len = marked.len().clamp(1, COLUMNS);
        let room = COLUMNS - marked_len;
        let before_len = prefix.len().min(room.saturating_sub(suffix.len().min(room / 2)));
        let after_len = suffix.len().min(room - before_len);

        let mut shown = String::new();
        let mut blanks = before_len;
        if before_len < prefix.len() {
            shown.push('…');
            blanks += 1;
        }
        let marked_cut = marked.len().min(COLUMNS);
        shown.extend(prefix[prefix.len() - before_len..].iter().copied().map(harmless));
        shown.extend(marked[..marked_cut].iter().copied().map(harmless));
        let is_cut = marked_cut < marked.len();
        if !is_cut {
            shown.extend(suffix[..after_len].iter().copied().map(harmless));
        }
        if is_cut || after_len < suffix.len() {
            shown.push('…');
        }
        let line_number = query.trim_end().contains('\n').then(|| 1 + before.matches('\n').count());
        let shown = shown.trim_end().to_owned();
        Self { line_number, shown, blanks: " ".repeat(blanks), carets: "^".repeat(marked_len) }
    }
}

/// The start of the character at this byte.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A text that may hold parts of the query, as one line.
fn one_line(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// A character that moves no cursor.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{FFFD}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shows(query: &str, start: usize, end: usize, expected: &str) {
        let wrong = Diagnostic::new(Code::Syntax, Span { start, end }, "wrong");
        assert_eq!(render(query, &[wrong]), format!("error[syntax]: wrong\n{expected}"));
    }

    #[test]
    fn the_place_is_underlined() {
        shows("a = b", 2, 3, "  a = b\n    ^\n");
        shows("é = b", 3, 4, "  é = b\n    ^\n");
    }

    #[test]
    fn the_end_has_a_place_too() {
        shows("a =", 3, 3, "  a =\n     ^\n");
    }

    #[test]
    fn of_several_lines_the_right_one_is_shown() {
        shows("a = b\nand\tc", 10, 11, "  line 2:\n  and c\n      ^\n");
    }

    #[test]
    fn a_long_query_is_shown_around_the_place() {
        let query = format!("{}X{}", "a".repeat(500), "b".repeat(500));
        let wrong = Diagnostic::new(Code::Syntax, Span { start: 500, end: 501 }, "wrong");
        let text = render(&query, &[wrong]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= COLUMNS + 4), "{text}");
        let column = lines[2].find('^').unwrap();
        assert_eq!(lines[1].chars().nth(column), Some('X'), "{text}");
    }

    #[test]
    fn a_place_that_is_longer_than_a_line_is_cut() {
        let query = format!("'{}", "x".repeat(500));
        let wrong = Diagnostic::new(Code::UnclosedQuote, Span { start: 0, end: 501 }, "wrong");
        let text = render(&query, &[wrong]);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS + 4), "{text}");
    }

    #[test]
    fn nothing_of_a_query_reaches_the_terminal_as_a_command() {
        shows("\u{1b}[2J", 0, 1, "  \u{FFFD}[2J\n  ^\n");
        let wrong = Diagnostic::new(Code::BadWord, Span::default(), "`\u{1b}\n` is wrong");
        let text = render("x", &[wrong]);
        assert!(text.starts_with("error[bad-word]: `\u{FFFD}\u{FFFD}` is wrong\n"), "{text}");
    }
}
