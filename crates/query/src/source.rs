//! Where a query takes values from: anything that can be asked for a field by its path.
//!
//! Paths are those of the exported format, `self.tty.major`; keys that the operator chooses stand
//! behind them, `host.labels.project`.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// Text, with U+FFFD where its bytes are not UTF-8; also a word, a UUID, a time in RFC 3339.
    Text(Cow<'v, str>),
    /// A list of texts.
    Texts(Vec<Cow<'v, str>>),
    /// A whole number.
    Integer(i128),
    /// Yes or no.
    Boolean(bool),
    /// A moment, in nanoseconds since the Unix epoch.
    Time(i128),
}

/// Something that has fields.
pub trait Source {
    /// The field at this path; `None` if it is not there.
    fn value(&self, path: &str) -> Option<Value<'_>>;
}

/// A few fields that are known without any event, such as those of a session that logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Value<'static>>);

impl Facts {
    /// Nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what is known of the field at this path.
    ///
    /// ```
    /// use forebear_query::{Facts, Moment, Query};
    ///
    /// # let moment = Moment { now: "2026-11-24T12:00:00Z".parse()?, zone: jiff::tz::TimeZone::UTC };
    /// let query = Query::compile("session_user = 'root' and session_ip_type = 'external'", moment)
    ///     .map_err(|problems| problems[0].message.clone())?;
    /// let session = Facts::new()
    ///     .with("inception_session.user", "root")
    ///     .with("inception_session.source.ip", "203.0.113.7");
    /// assert!(query.evaluate(&session).is_true());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<Value<'static>>) -> Self {
        debug_assert!(crate::catalogue::find(path).is_some(), "{path} is no field of an event");
        self.0.insert(path.to_owned(), value.into());
        self
    }
}

impl Source for Facts {
    fn value(&self, path: &str) -> Option<Value<'_>> {
        self.0.get(path).cloned()
    }
}

impl From<&str> for Value<'static> {
    fn from(text: &str) -> Self {
        Self::Text(Cow::Owned(text.to_owned()))
    }
}

impl From<String> for Value<'static> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Vec<String>> for Value<'static> {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts.into_iter().map(Cow::Owned).collect())
    }
}

impl From<bool> for Value<'static> {
    fn from(holds: bool) -> Self {
        Self::Boolean(holds)
    }
}

impl From<u32> for Value<'static> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<jiff::Timestamp> for Value<'static> {
    fn from(moment: jiff::Timestamp) -> Self {
        Self::Time(moment.as_nanosecond())
    }
}
