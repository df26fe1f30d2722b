//! Tokens into a tree.
//!
//! ```text
//! query      = [ "where" ] any
//! any        = all { "or" all }
//! all        = term { "and" term }
//! term       = "(" any ")" | "not" "(" any ")" | comparison
//! comparison = property operator value
//! ```
//!
//! After a mistake the parser goes on behind the next `and`, `or` or closing parenthesis, so that
//! several are found at once.
//!
//! Invariant: it calls itself for parentheses only, and not deeper than [`MAX_DEPTH`].

use crate::ast::{Comparison, Expr, Operator};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::lexer::{Kind, Token, tokens};

/// The longest query, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;

/// How deeply parentheses may be nested.
pub const MAX_DEPTH: usize = 64;

/// How many mistakes are told at once.
pub(crate) const MAX_DIAGNOSTICS: usize = 16;

/// Words that are not bare values.
const KEYWORDS: [&str; 5] = ["and", "or", "not", "in", "where"];

/// Reads a query's text.
///
/// # Errors
/// Every mistake of syntax, in the order of the text.
pub fn parse(text: &str) -> Result<Expr, Vec<Diagnostic>> {
    match parse_partly(text) {
        (Some(expr), problems) if problems.is_empty() => Ok(expr),
        (_, problems) => Err(problems),
    }
}

/// What could be read of a query's text, and the mistakes. Without a mistake there is a tree.
pub(crate) fn parse_partly(text: &str) -> (Option<Expr>, Vec<Diagnostic>) {
    if text.len() > MAX_LENGTH {
        let span = Span { start: MAX_LENGTH, end: text.len() };
        let message = format!("the query has {} bytes", text.len());
        let problem = Diagnostic::new(Code::TooLong, span, message)
            .expected(format!("at most {MAX_LENGTH} bytes"));
        return (None, vec![problem]);
    }
    let mut problems = Vec::new();
    let tokens = tokens(text, &mut problems);
    let mut parser = Parser { tokens, at: 0, depth: 0, problems };
    let expr = parser.query();
    let mut problems = parser.problems;
    problems.sort_by_key(|problem| problem.span.start);
    problems.truncate(MAX_DIAGNOSTICS);
    (expr, problems)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    problems: Vec<Diagnostic>,
}

impl Parser {
    fn query(&mut self) -> Option<Expr> {
        self.take_word("where");
        if matches!(self.kind(), Kind::End) && self.problems.is_empty() {
            let problem = Diagnostic::new(Code::Empty, self.span(), "the query is empty");
            self.problems.push(problem.help("such as: cmd_root IN 'wget,curl'"));
            return None;
        }
        let expr = self.any();
        while !matches!(self.kind(), Kind::End) {
            self.syntax("and, or, or the end");
            self.skip();
            while matches!(self.kind(), Kind::Close) {
                self.next();
                self.skip();
            }
            if self.take_word("and") || self.take_word("or") {
                self.any();
            }
        }
        expr
    }

    fn any(&mut self) -> Option<Expr> {
        let mut members = Vec::new();
        loop {
            members.extend(self.every());
            if !self.take_word("or") {
                return Expr::any(members);
            }
        }
    }

    fn every(&mut self) -> Option<Expr> {
        let mut members = Vec::new();
        loop {
            members.extend(self.term());
            if !self.take_word("and") {
                return Expr::all(members);
            }
        }
    }

    fn term(&mut self) -> Option<Expr> {
        if matches!(self.kind(), Kind::Open) {
            return self.group();
        }
        // A property may be called `not` by nobody, so this is the extension.
        if self.is_word("not") {
            let span = self.span();
            self.next();
            if matches!(self.kind(), Kind::Open) {
                return self.group().map(|inner| Expr::Not(Box::new(inner)));
            }
            let problem = Diagnostic::new(Code::LooseNot, span, "`not` stands before no group");
            let help = "write not ( … ), or negate with != or NOT IN";
            self.problems.push(problem.expected("( after not").help(help));
            // What follows is read all the same, to find more mistakes.
            return self.comparison();
        }
        self.comparison()
    }

    fn group(&mut self) -> Option<Expr> {
        let open = self.span();
        if self.depth == MAX_DEPTH {
            let message = format!("parentheses are nested more than {MAX_DEPTH} deep");
            self.problems.push(Diagnostic::new(Code::TooDeep, open, message));
            self.at = self.tokens.len() - 1;
            return None;
        }
        self.next();
        self.depth += 1;
        let inner = self.any();
        self.depth -= 1;
        if matches!(self.kind(), Kind::Close) {
            self.next();
            return inner;
        }
        if matches!(self.kind(), Kind::End) {
            // One that is too deep has said so, and is not closed either.
            if self.problems.last().is_none_or(|problem| problem.code != Code::TooDeep) {
                let problem = Diagnostic::new(Code::Syntax, open, "this parenthesis is not closed");
                self.problems.push(problem.expected("a closing )"));
            }
            return inner;
        }
        self.syntax("and, or, or a closing )");
        self.skip();
        while self.take_word("and") || self.take_word("or") {
            self.any();
            self.skip();
        }
        if matches!(self.kind(), Kind::Close) {
            self.next();
        }
        inner
    }

    fn comparison(&mut self) -> Option<Expr> {
        let property_at = self.span();
        let property = match self.kind() {
            Kind::Word(word) if !is_keyword(word) => word.clone(),
            _ => return self.fail("a property, ( or not"),
        };
        self.next();
        let operator_at = self.span();
        let Some((operator, operator_at)) = self.operator(operator_at) else {
            return self.fail("an operator: =, !=, <, >, <=, >=, IN or NOT IN");
        };
        let value_at = self.span();
        let value = match self.kind() {
            Kind::Quoted(value) => value.clone(),
            Kind::Word(word) if !is_keyword(word) => word.clone(),
            _ => return self.fail("a value"),
        };
        self.next();
        Some(Expr::Comparison(Comparison {
            property,
            property_at,
            operator,
            operator_at,
            value,
            value_at,
        }))
    }

    fn operator(&mut self, at: Span) -> Option<(Operator, Span)> {
        if let Kind::Operator(operator) = self.kind() {
            let operator = *operator;
            self.next();
            return Some((operator, at));
        }
        let is_negative = self.take_word("not");
        let end = self.span().end;
        if self.take_word("in") {
            let operator = if is_negative { Operator::NotIn } else { Operator::In };
            return Some((operator, Span { start: at.start, end }));
        }
        None
    }

    /// Tells that something else was expected here, and goes on behind it.
    fn fail(&mut self, expected: &str) -> Option<Expr> {
        self.syntax(expected);
        self.skip();
        None
    }

    fn syntax(&mut self, expected: &str) {
        let found = match self.kind() {
            Kind::End => "the query ends too early".to_owned(),
            Kind::Word(word) if is_keyword(word) => format!("`{word}` is a keyword"),
            Kind::Word(word) if word.chars().count() > 40 => "this word stands here".to_owned(),
            Kind::Word(word) => format!("`{word}` stands here"),
            Kind::Quoted(_) => "a quoted value stands here".to_owned(),
            Kind::Operator(operator) => format!("the operator {operator} stands here"),
            Kind::Open => "( stands here".to_owned(),
            Kind::Close => ") stands here".to_owned(),
        };
        let problem = Diagnostic::new(Code::Syntax, self.span(), found).expected(expected);
        let problem = problem.maybe_help(self.advice());
        self.problems.push(problem);
    }

    /// What people of other languages may have meant.
    fn advice(&self) -> Option<String> {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let before = before.map(|token| &token.kind);
        let advice = match (self.kind(), before) {
            (Kind::Operator(Operator::Equal), Some(Kind::Operator(Operator::Equal))) => {
                "equality is one sign: cmd_root = 'wget'"
            }
            (Kind::Operator(Operator::Greater), Some(Kind::Operator(Operator::Less))) => {
                "inequality is !="
            }
            (Kind::Open, Some(Kind::Word(word))) if word.eq_ignore_ascii_case("in") => {
                "a list is one quoted value with commas: cmd_root IN 'wget,curl'"
            }
            (Kind::Word(word), _) => match word.to_ascii_lowercase().as_str() {
                "&&" | "&" => "write and",
                "||" | "|" => "write or",
                "!" => "write not ( … ), or negate with != or NOT IN",
                "like" | "~" | "=~" | "matches" => {
                    "= matches a pattern: cmd = '*password*', with * for any run and ? for one character"
                }
                "and" | "or" | "not" | "in" | "where" => "quote it if it is meant as a value",
                _ => return None,
            },
            _ => return None,
        };
        Some(advice.to_owned())
    }

    /// Goes to the next `and`, `or` or closing parenthesis of this group, or to the end.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.kind() {
                Kind::End => return,
                Kind::Open => depth += 1,
                Kind::Close if depth == 0 => return,
                Kind::Close => depth -= 1,
                Kind::Word(_) if depth == 0 && (self.is_word("and") || self.is_word("or")) => {
                    return;
                }
                Kind::Word(_) | Kind::Quoted(_) | Kind::Operator(_) => {}
            }
            self.next();
        }
    }

    fn kind(&self) -> &Kind {
        self.tokens.get(self.at).map_or(&Kind::End, |token| &token.kind)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.at).or(self.tokens.last()).map(|token| token.span).unwrap_or_default()
    }

    /// The end is never left behind.
    fn next(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.kind(), Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_there = self.is_word(word);
        if is_there {
            self.next();
        }
        is_there
    }
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}
