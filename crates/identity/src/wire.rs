//! The frames between a login and the agent, on the identity socket.
//!
//! ```text
//! | version, 1 byte | kind, 1 byte | length, 2 bytes, big-endian | so many bytes |
//! ```
//!
//! | kind | from | what follows |
//! | --- | --- | --- |
//! | 1 | login | Hello: service, user, host, terminal, each a byte of length and text |
//! | 2 | login | Answer: bytes |
//! | 65 | agent | Ask: a byte, 1 if the answer may be seen, then text |
//! | 66 | agent | Tell: text |
//! | 67 | agent | Verified: nothing |
//! | 68 | agent | Refused: text |
//!
//! Constraints:
//! - A frame has at most [`MAX_FRAME`] bytes with its head. A longer one is an error as soon as its
//!   head is there, so nobody has to keep more than that.
//! - Text is UTF-8 without control characters, but for newlines in what is shown to a person.
//! - An unknown version or kind is an error, and after an error the connection is of no use.
//! - A number of a kind is never used for another one.
//!
//! Invariants: decoding takes no memory, and never looks beyond the bytes it is given; what is
//! encoded is decoded as the same. What a Hello says is for the record only: who is calling the
//! agent learns from the kernel.

use std::fmt;
use std::str;

/// The version of these frames.
pub const VERSION: u8 = 1;
/// The longest frame with its head, in bytes.
pub const MAX_FRAME: usize = 1024;
/// The head of a frame, in bytes.
pub const HEAD: usize = 4;
/// The most that a frame carries, in bytes.
pub const MAX_BODY: usize = MAX_FRAME - HEAD;
/// The longest of the texts of a [`Hello`], in bytes.
pub const MAX_FIELD: usize = 250;

/// Why bytes are no frame, or a frame cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Another version.
    #[error("the frame has version {0}, and only {VERSION} is known; are both of one release?")]
    Version(u8),
    /// A kind that does not exist, or is never sent in this direction.
    #[error("the frame is of kind {0}, which is not one that is sent this way")]
    Kind(u8),
    /// Too long.
    #[error("the frame carries {0} bytes, and at most {MAX_BODY} are allowed")]
    TooLong(usize),
    /// What it carries is not what its kind says.
    #[error("what the frame carries is not of its kind")]
    Body,
}

/// What the login says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hello<'a> {
    /// The PAM service, such as `sshd`.
    pub service: &'a str,
    /// The Linux user that is being logged in.
    pub user: &'a str,
    /// Where from; empty if it is local.
    pub host: &'a str,
    /// The terminal; empty if there is none.
    pub terminal: &'a str,
}

/// A frame from the login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FromLogin<'a> {
    /// The first one.
    Hello(Hello<'a>),
    /// What was typed.
    Answer(&'a [u8]),
}

/// A frame from the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromAgent<'a> {
    /// A question.
    Ask {
        /// Whether the terminal may show what is typed.
        is_echoed: bool,
        /// The question; lines but the last are shown above it.
        text: &'a str,
    },
    /// Something to show.
    Tell(&'a str),
    /// The person is known.
    Verified,
    /// The person is not, and no more is asked.
    Refused(&'a str),
}

/// A frame, and how many bytes it took.
type Decoded<T> = Result<Option<(T, usize)>, WireError>;

impl<'a> FromLogin<'a> {
    /// Appends the frame.
    ///
    /// # Errors
    /// It carries too much, or text with control characters. Nothing has been appended then.
    pub fn encode(&self, to: &mut Vec<u8>) -> Result<(), WireError> {
        match self {
            Self::Hello(hello) => {
                let fields = [hello.service, hello.user, hello.host, hello.terminal];
                let mut body = Vec::with_capacity(MAX_FRAME);
                for field in fields {
                    let length = u8::try_from(field.len()).map_err(|_| WireError::Body)?;
                    if field.len() > MAX_FIELD || !is_plain(field) {
                        return Err(WireError::Body);
                    }
                    body.push(length);
                    body.extend_from_slice(field.as_bytes());
                }
                frame(1, &[&body], to)
            }
            Self::Answer(bytes) => frame(2, &[bytes], to),
        }
    }

    /// The frame at the front of these bytes; `None` if it is not all there yet.
    ///
    /// # Errors
    /// It is not a frame of the login.
    pub fn decode(bytes: &'a [u8]) -> Decoded<Self> {
        let Some((kind, body, length)) = open(bytes, |kind| matches!(kind, 1 | 2))? else {
            return Ok(None);
        };
        let frame = match kind {
            1 => Self::Hello(hello(body).ok_or(WireError::Body)?),
            _ => Self::Answer(body),
        };
        Ok(Some((frame, length)))
    }
}

/// What was typed is a secret.
impl fmt::Debug for FromLogin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(hello) => f.debug_tuple("Hello").field(hello).finish(),
            Self::Answer(_) => f.write_str("Answer(..)"),
        }
    }
}

impl<'a> FromAgent<'a> {
    /// Appends the frame.
    ///
    /// # Errors
    /// It carries too much, or text with control characters. Nothing has been appended then.
    pub fn encode(&self, to: &mut Vec<u8>) -> Result<(), WireError> {
        match self {
            Self::Ask { text, .. } | Self::Tell(text) | Self::Refused(text) if !is_shown(text) => {
                Err(WireError::Body)
            }
            Self::Ask { is_echoed, text } => {
                frame(65, &[&[u8::from(*is_echoed)], text.as_bytes()], to)
            }
            Self::Tell(text) => frame(66, &[text.as_bytes()], to),
            Self::Verified => frame(67, &[], to),
            Self::Refused(text) => frame(68, &[text.as_bytes()], to),
        }
    }

    /// The frame at the front of these bytes; `None` if it is not all there yet.
    ///
    /// # Errors
    /// It is not a frame of the agent.
    pub fn decode(bytes: &'a [u8]) -> Decoded<Self> {
        let Some((kind, body, length)) = open(bytes, |kind| matches!(kind, 65..=68))? else {
            return Ok(None);
        };
        let frame = match (kind, body) {
            (65, [is_echoed @ (0 | 1), text @ ..]) => {
                Self::Ask { is_echoed: *is_echoed == 1, text: shown(text)? }
            }
            (66, text) => Self::Tell(shown(text)?),
            (67, []) => Self::Verified,
            (68, text) => Self::Refused(shown(text)?),
            _ => return Err(WireError::Body),
        };
        Ok(Some((frame, length)))
    }
}

/// Appends one frame.
fn frame(kind: u8, parts: &[&[u8]], to: &mut Vec<u8>) -> Result<(), WireError> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>();
    let head = u16::try_from(length).map_err(|_| WireError::TooLong(length))?;
    if length > MAX_BODY {
        return Err(WireError::TooLong(length));
    }
    to.extend_from_slice(&[VERSION, kind]);
    to.extend_from_slice(&head.to_be_bytes());
    parts.iter().for_each(|part| to.extend_from_slice(part));
    Ok(())
}

/// The kind, what is carried, and the length of the whole frame.
type Opened<'a> = (u8, &'a [u8], usize);

/// The frame at the front; `None` if it is not all there yet.
fn open(bytes: &[u8], is_kind: impl Fn(u8) -> bool) -> Result<Option<Opened<'_>>, WireError> {
    // As soon as each byte is there, so that nobody waits for the rest of nonsense.
    match bytes.first() {
        Some(version) if *version != VERSION => return Err(WireError::Version(*version)),
        _ => {}
    }
    match bytes.get(1) {
        Some(kind) if !is_kind(*kind) => return Err(WireError::Kind(*kind)),
        _ => {}
    }
    let Some((&[_, kind, high, low], rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_BODY {
        return Err(WireError::TooLong(length));
    }
    Ok(rest.get(..length).map(|body| (kind, body, HEAD + length)))
}

fn hello(body: &[u8]) -> Option<Hello<'_>> {
    let (service, rest) = field(body)?;
    let (user, rest) = field(rest)?;
    let (host, rest) = field(rest)?;
    let (terminal, rest) = field(rest)?;
    rest.is_empty().then_some(Hello { service, user, host, terminal })
}

fn field(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    let text = str::from_utf8(text).ok()?;
    (text.len() <= MAX_FIELD && is_plain(text)).then_some((text, rest))
}

fn shown(bytes: &[u8]) -> Result<&str, WireError> {
    str::from_utf8(bytes).ok().filter(|text| is_shown(text)).ok_or(WireError::Body)
}

fn is_plain(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn is_shown(text: &str) -> bool {
    !text.chars().any(|character| character.is_control() && character != '\n')
}

/// Checks the promises of both decoders over any bytes: they do not panic, take no more than they
/// were given, want no more than the longest frame, and what they make of it is encoded as the
/// same bytes again. For tests and the fuzzer.
///
/// # Panics
/// A promise is broken.
pub fn check(bytes: &[u8]) {
    let mut again = Vec::new();
    let mut rest = bytes;
    while let Some((frame, length)) = checked(rest, FromLogin::decode(rest)) {
        assert!(frame.encode(&mut again).is_ok(), "{frame:?} cannot be encoded again");
        assert!(rest.get(..length) == Some(&*again), "{frame:?} is encoded differently");
        again.clear();
        rest = rest.get(length..).unwrap_or_default();
    }
    let mut rest = bytes;
    while let Some((frame, length)) = checked(rest, FromAgent::decode(rest)) {
        assert!(frame.encode(&mut again).is_ok(), "{frame:?} cannot be encoded again");
        assert!(rest.get(..length) == Some(&*again), "{frame:?} is encoded differently");
        again.clear();
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn checked<T>(bytes: &[u8], decoded: Decoded<T>) -> Option<(T, usize)> {
    let (frame, length) = match decoded {
        Ok(Some(decoded)) => decoded,
        Ok(None) => {
            assert!(bytes.len() < MAX_FRAME, "the longest frame is not enough");
            return None;
        }
        Err(_) => return None,
    };
    assert!((HEAD..=MAX_FRAME.min(bytes.len())).contains(&length), "{length} bytes were taken");
    Some((frame, length))
}

#[cfg(test)]
mod tests;
