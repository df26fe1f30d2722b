//! Lines: newline-delimited JSON, one event each.
//!
//! Reading ignores fields, event types and words that this version does not know, as the format
//! asks of every reader.
//! Deliberately not here: where lines come from.

use serde::Deserialize;

use crate::v1;

/// Why a line could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The line is not an object with an event type.
    #[error("cannot read the line as an event: {0}")]
    NotAnEvent(#[source] serde_json::Error),
    /// The line says what it is, but does not have what such an event has.
    #[error("cannot read the line as an event of type {event_type}: {source}")]
    WrongShape {
        /// What it says it is.
        event_type: String,
        /// What is wrong, and at which column.
        source: serde_json::Error,
    },
}

impl Error {
    /// The column of the line at which reading stopped, from 1.
    pub fn column(&self) -> usize {
        match self {
            Self::NotAnEvent(source) | Self::WrongShape { source, .. } => source.column(),
        }
    }
}

/// Reads one line, with or without its newline. `None` for an event type that this version does
/// not know.
pub fn read(line: &[u8]) -> Result<Option<v1::Event>, Error> {
    // Two passes, the first of which skips nearly everything: a tagged enum would be read into an
    // intermediate value, which is slower and forgets the columns.
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow)]
        event_type: std::borrow::Cow<'a, str>,
    }
    let tag: Tag<'_> = serde_json::from_slice(line).map_err(Error::NotAnEvent)?;
    match &*tag.event_type {
        "EXEC" => shape(line, &tag.event_type).map(|event| Some(v1::Event::Exec(event))),
        "BUILTIN" => shape(line, &tag.event_type).map(|event| Some(v1::Event::Builtin(event))),
        "BACKFILL" => shape(line, &tag.event_type).map(|event| Some(v1::Event::Backfill(event))),
        "VERIFY" => shape(line, &tag.event_type).map(|event| Some(v1::Event::Verify(event))),
        "AGENT" => shape(line, &tag.event_type).map(|event| Some(v1::Event::Agent(event))),
        _ => Ok(None),
    }
}

fn shape<'a, T: Deserialize<'a>>(line: &'a [u8], event_type: &str) -> Result<T, Error> {
    serde_json::from_slice(line)
        .map_err(|source| Error::WrongShape { event_type: event_type.to_owned(), source })
}

/// The line of an event, with its newline.
pub fn line(event: &v1::Event) -> String {
    // Only maps with keys that are not strings could fail, and there are none.
    let mut line = serde_json::to_string(event).unwrap_or_default();
    line.push('\n');
    line
}
