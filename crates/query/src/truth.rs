//! Three-valued logic (Kleene's strong one): a condition is true, false, or nobody can know.

/// What a condition is on one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// It does not hold.
    False,
    /// It asks for something that the event does not have.
    Unknown,
    /// It holds: only such events are an answer.
    True,
}

impl Truth {
    /// Whether the event is an answer.
    pub fn is_true(self) -> bool {
        self == Self::True
    }

    /// True if both are, false if one is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// True if one is, false if both are.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}
