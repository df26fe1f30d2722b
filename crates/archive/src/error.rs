//! What goes wrong with a bucket, told so that the caller can decide and a person can act.
//!
//! Invariants: an error names the operation, the object or place, what was found and what to do
//! about it; its text is one line of bounded length, whatever a server answered; it never holds a
//! secret.
//!
//! Deliberately not here: whether to try again (see [`Backoff`](crate::Backoff)).

mod diagnosis;

use std::error::Error as StdError;
use std::fmt;

pub use diagnosis::{Cloud, Diagnosis, diagnose};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of trouble it is: what callers branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The service could not be reached: name, route, refused or broken connection.
    Network,
    /// The service was reached and did not answer in time.
    Timeout,
    /// The service asks for fewer requests.
    Busy,
    /// The service failed by itself.
    Server,
    /// No credentials were found, or those found are wrong or have expired.
    Credentials,
    /// The credentials are good and may not do this.
    Permission,
    /// This machine's clock is too far from the service's.
    Clock,
    /// The bucket is in another region than was said.
    Region,
    /// There is no such bucket or folder.
    NoBucket,
    /// There is no such object.
    NotFound,
    /// An object of that name exists and holds something else.
    Conflict,
    /// What was read is not what was written: a broken stream, a wrong checksum, a torn line.
    Damaged,
    /// More than the limit that this side or the service sets.
    TooLarge,
    /// What the operator wrote cannot work.
    Configuration,
    /// The service does not know this operation.
    Unsupported,
    /// The local file system refused: full, read-only, failing.
    Local,
    /// An answer that fits nothing above.
    Unexpected,
}

impl Kind {
    /// The kind as one word or two, for metrics and status.
    pub fn word(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
            Self::Server => "server",
            Self::Credentials => "credentials",
            Self::Permission => "permission",
            Self::Clock => "clock",
            Self::Region => "region",
            Self::NoBucket => "no_bucket",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
            Self::Configuration => "configuration",
            Self::Unsupported => "unsupported",
            Self::Local => "local",
            Self::Unexpected => "unexpected",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An operation on a place that failed.
///
/// `Display` gives everything in one line: what was attempted, on what, why it failed and what to
/// do. `source` is the error of the client underneath, which repeats parts of that.
#[derive(Debug)]
pub struct Error(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: Kind,
    operation: &'static str,
    subject: String,
    detail: String,
    remedy: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error found on this side. `operation` completes "cannot ...".
    pub(crate) fn new(
        kind: Kind,
        operation: &'static str,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Parts {
            kind,
            operation,
            subject: subject.into(),
            detail: detail.into(),
            remedy: String::new(),
            source: None,
        }))
    }

    /// An error that the client of a store reported.
    pub(crate) fn from_store(
        operation: &'static str,
        subject: impl Into<String>,
        cloud: Cloud,
        source: object_store::Error,
    ) -> Self {
        let Diagnosis { kind, detail, remedy } = diagnose(cloud, &source);
        let mut error = Self::new(kind, operation, subject, detail).with_remedy(remedy);
        error.0.source = Some(Box::new(source));
        error
    }

    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = remedy.into();
        self
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What was attempted, completing "cannot ...".
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The object, bucket, file or setting that it was attempted on.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Why it failed.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What to do; `None` where nothing can be said.
    pub fn remedy(&self) -> Option<&str> {
        (!self.0.remedy.is_empty()).then_some(self.0.remedy.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { operation, subject, detail, remedy, .. } = &*self.0;
        write!(f, "cannot {operation} {subject}: {detail}")?;
        if !remedy.is_empty() {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
