//! What a query says, as a tree; names and values are as they were written.
//!
//! Invariants: a list of [`Expr::All`] or [`Expr::Any`] has two members at least, and none of them
//! is of the same kind as the list, since `and` and `or` are associative. [`Expr::all`] and
//! [`Expr::any`] keep that.
//!
//! Deliberately not here: whether a property exists, and what a value means.

use crate::diagnostic::Span;

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// Every member, joined by `and`.
    All(Vec<Expr>),
    /// At least one member, joined by `or`.
    Any(Vec<Expr>),
    /// `not ( … )`.
    Not(Box<Expr>),
    /// `property operator value`.
    Comparison(Comparison),
}

/// `property operator value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The property's name, as it was written.
    pub property: String,
    /// Where that stands.
    pub property_at: Span,
    /// The operator.
    pub operator: Operator,
    /// Where that stands.
    pub operator_at: Span,
    /// The value, without its quotes.
    pub value: String,
    /// Where that stands, with its quotes.
    pub value_at: Span,
}

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `IN`
    In,
    /// `NOT IN`
    NotIn,
}

impl Operator {
    /// Every operator, in the order of the reference.
    pub const ALL: [Self; 8] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::Greater,
        Self::AtMost,
        Self::AtLeast,
        Self::In,
        Self::NotIn,
    ];

    /// How it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
        }
    }

    /// Whether the value is a list.
    pub(crate) fn takes_list(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }

    /// Whether it is true where its positive twin is false.
    pub(crate) fn is_negative(self) -> bool {
        matches!(self, Self::NotEqual | Self::NotIn)
    }
}

impl Expr {
    /// All of these conditions; `None` for none.
    pub fn all(members: Vec<Self>) -> Option<Self> {
        Self::join(members, Self::All, |expr| match expr {
            Self::All(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// At least one of these conditions; `None` for none.
    pub fn any(members: Vec<Self>) -> Option<Self> {
        Self::join(members, Self::Any, |expr| match expr {
            Self::Any(inner) => Ok(inner),
            other => Err(other),
        })
    }

    fn join(
        members: Vec<Self>,
        list: fn(Vec<Self>) -> Self,
        open: fn(Self) -> Result<Vec<Self>, Self>,
    ) -> Option<Self> {
        let mut flat = Vec::with_capacity(members.len());
        for member in members {
            match open(member) {
                Ok(inner) => flat.extend(inner),
                Err(other) => flat.push(other),
            }
        }
        if flat.len() > 1 { Some(list(flat)) } else { flat.pop() }
    }
}
