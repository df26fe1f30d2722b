//! The canonical text of a query: lower-case `and`, `or` and `not`, every value quoted, no
//! parentheses but those that are needed.
//!
//! Invariant: parsing the text gives the same tree again, but for where things stand.

use std::fmt;

use crate::ast::{Comparison, Expr, Operator};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(members) => join(f, members, " and "),
            Self::Any(members) => join(f, members, " or "),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Comparison(comparison) => comparison.fmt(f),
        }
    }
}

/// Members with a word between them. Only an `or` within an `and` needs parentheses.
fn join(f: &mut fmt::Formatter<'_>, members: &[Expr], word: &str) -> fmt::Result {
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match member {
            Expr::Any(_) => write!(f, "({member})")?,
            _ => write!(f, "{member}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} '{}'", self.property, self.operator, self.value.replace('\'', "''"))
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
