//! What can go wrong: what was attempted, on what, and why.

use std::fmt;

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The question cannot be asked so.
    Question,
    /// The place is not there, or is no place.
    Place,
    /// The place cannot be read.
    Environment,
    /// What was to be written cannot be.
    Output,
    /// There was not enough memory for the answer.
    Memory,
    /// Something went wrong inside.
    Internal,
}

/// An error.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    text: String,
}

/// What most functions here return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// What to branch on.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// An error of the engine, made while doing something.
    pub(crate) fn of_engine(doing: &str, error: datafusion::error::DataFusionError) -> Self {
        use datafusion::error::DataFusionError as From;
        let kind = match error.find_root() {
            From::SQL(..) | From::Plan(_) | From::SchemaError(..) | From::NotImplemented(_) => {
                Kind::Question
            }
            From::Execution(_) | From::ArrowError(..) => Kind::Question,
            From::ResourcesExhausted(_) => Kind::Memory,
            From::IoError(_) | From::ObjectStore(_) => Kind::Environment,
            From::External(inner) => match inner.downcast_ref::<Self>() {
                Some(own) => return Self::new(own.kind, own.text.clone()),
                None => Kind::Internal,
            },
            _ => Kind::Internal,
        };
        let text = error.find_root().strip_backtrace();
        let text = match kind {
            Kind::Memory => format!("{doing}: {text}; allow more with --memory"),
            _ => format!("{doing}: {text}"),
        };
        Self::new(kind, text)
    }
}

impl From<forebear_archive::Error> for Error {
    fn from(error: forebear_archive::Error) -> Self {
        use forebear_archive::Kind as Place;
        let kind = match error.kind() {
            Place::Configuration | Place::NoBucket => Kind::Place,
            _ => Kind::Environment,
        };
        Self::new(kind, error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
