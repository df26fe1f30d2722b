//! Text into tokens.
//!
//! A word is a property, a keyword or a bare value; which of them, the parser knows.

use crate::ast::Operator;
use crate::diagnostic::{Code, Diagnostic, Span};

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word(String),
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
    End,
}

/// Typographical and other quotes that are not ours.
const FOREIGN_QUOTES: &str = "\"`‘’“”´";

/// Splits a text. What is no token becomes a diagnostic and is left out.
pub(crate) fn tokens(text: &str, problems: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: Kind::End, span: Span { start, end: start } });
            return tokens;
        };
        let (kind, length) = match first {
            '(' => (Some(Kind::Open), 1),
            ')' => (Some(Kind::Close), 1),
            '\'' => quoted(rest, start, problems),
            c if FOREIGN_QUOTES.contains(c) => foreign_quote(rest, start, problems),
            _ => match operator(rest) {
                Some((operator, length)) => (Some(Kind::Operator(operator)), length),
                None => {
                    let length = word(rest);
                    (Some(Kind::Word(rest[..length].to_owned())), length)
                }
            },
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, span: Span { start, end: start + length } });
        }
        rest = &rest[length..];
    }
}

/// A quoted value; a quote in it is written twice.
fn quoted(rest: &str, start: usize, problems: &mut Vec<Diagnostic>) -> (Option<Kind>, usize) {
    let mut value = String::new();
    let mut at = 1;
    while let Some(length) = rest[at..].find('\'') {
        value.push_str(&rest[at..at + length]);
        at += length + 1;
        if !rest[at..].starts_with('\'') {
            return (Some(Kind::Quoted(value)), at);
        }
        value.push('\'');
        at += 1;
    }
    let span = Span { start, end: start + rest.len() };
    problems.push(
        Diagnostic::new(Code::UnclosedQuote, span, "this quoted value does not end")
            .expected("a closing '")
            .help("a quote in a value is written twice: 'it''s'"),
    );
    value.push_str(&rest[at..]);
    (Some(Kind::Quoted(value)), rest.len())
}

/// Says how values are quoted, and goes on as if it had been quoted so.
fn foreign_quote(
    rest: &str,
    start: usize,
    problems: &mut Vec<Diagnostic>,
) -> (Option<Kind>, usize) {
    let is_foreign = |c| FOREIGN_QUOTES.contains(c);
    let opening = rest.chars().next().map_or(0, char::len_utf8);
    let inside = &rest[opening..];
    let (content, length) = match inside.char_indices().find(|(_, c)| is_foreign(*c)) {
        Some((at, c)) => (&inside[..at], opening + at + c.len_utf8()),
        None => (inside, rest.len()),
    };
    let span = Span { start, end: start + opening };
    problems.push(
        Diagnostic::new(
            Code::UnexpectedCharacter,
            span,
            format!("{} does not quote a value", &rest[..opening]),
        )
        .help("values are quoted by ': cmd_root = 'wget'"),
    );
    (Some(Kind::Quoted(content.to_owned())), length)
}

fn operator(rest: &str) -> Option<(Operator, usize)> {
    let signs = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let (sign, operator) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
    Some((operator, sign.len()))
}

/// The length of the word at the beginning; it has one character at least.
fn word(rest: &str) -> usize {
    let ends = |(at, c): &(usize, char)| {
        c.is_whitespace()
            || "()'=<>".contains(*c)
            || FOREIGN_QUOTES.contains(*c)
            || rest[*at..].starts_with("!=")
    };
    rest.char_indices().skip(1).find(ends).map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn gives(text: &str, expected: &[Kind]) {
        let mut problems = Vec::new();
        let kinds: Vec<Kind> =
            tokens(text, &mut problems).into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds.split_last().map(|(_, kinds)| kinds), Some(expected));
        assert_eq!(problems, []);
    }

    fn word(text: &str) -> Kind {
        Kind::Word(text.to_owned())
    }

    #[test]
    fn operators_need_no_blanks() {
        gives("a!=b", &[word("a"), Kind::Operator(Operator::NotEqual), word("b")]);
        gives("a<=3", &[word("a"), Kind::Operator(Operator::AtMost), word("3")]);
    }

    #[test]
    fn a_quote_in_a_value_is_doubled() {
        gives("'it''s'", &[Kind::Quoted("it's".to_owned())]);
        gives("''", &[Kind::Quoted(String::new())]);
    }

    #[test]
    fn a_word_may_hold_a_pattern() {
        gives("[!a-z]*.sh", &[word("[!a-z]*.sh")]);
    }
}
