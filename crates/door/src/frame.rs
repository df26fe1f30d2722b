//! Frames: so many bytes of one kind.

use std::io::{self, Read, Write};

use zeroize::Zeroize as _;

/// The version of the protocol that is spoken, and the only one that is understood.
pub const VERSION: u8 = 3;

/// The longest payload, in bytes: a QR code of 77 columns, in characters of three bytes, and words.
pub const MAX_PAYLOAD: usize = 12 << 10;

/// The longest payload of a login, in bytes: names, or an answer.
pub const MAX_FROM_LOGIN: usize = 1024;

const HEAD: usize = 4;

/// Why the other side is not understood.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The other side has gone away.
    #[error("it went away in the middle")]
    Gone,
    /// The stream failed.
    #[error("{0}")]
    Io(#[source] io::Error),
    /// Another version of the protocol.
    #[error(
        "the other side speaks version {0} of the protocol, not {VERSION}; install agent and module of one version"
    )]
    Version(u8),
    /// More than a frame may hold.
    #[error("a message of {0} bytes is longer than {1}")]
    TooLong(usize, usize),
    /// A kind of message that does not exist, or not in this direction.
    #[error("there is no message of kind {0}")]
    Kind(u8),
    /// The payload is not what the kind asks for.
    #[error("a message is malformed: {0}")]
    Malformed(&'static str),
}

/// One frame, read or to be written. It is overwritten when it is dropped or read into again.
pub struct Frame {
    bytes: [u8; HEAD + MAX_PAYLOAD],
    length: usize,
}

impl Default for Frame {
    fn default() -> Self {
        Self { bytes: [0; HEAD + MAX_PAYLOAD], length: HEAD }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl std::fmt::Debug for Frame {
    /// Without the payload, which may be an answer.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame(kind {}, {} bytes)", self.kind(), self.payload().len())
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Gone,
            _ => Self::Io(error),
        }
    }
}

impl Frame {
    /// Its kind.
    pub(crate) fn kind(&self) -> u8 {
        self.bytes[1]
    }

    /// What it holds.
    pub(crate) fn payload(&self) -> &[u8] {
        self.bytes.get(HEAD..self.length).unwrap_or_default()
    }

    /// Makes it this, of at most so many bytes.
    pub(crate) fn set(&mut self, kind: u8, parts: &[&[u8]], most: usize) -> Result<(), Error> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let too_long = || Error::TooLong(length, most);
        if length > most.min(MAX_PAYLOAD) {
            return Err(too_long());
        }
        self.bytes.zeroize();
        let size = u16::try_from(length).map_err(|_| too_long())?;
        let [high, low] = size.to_be_bytes();
        self.bytes[..HEAD].copy_from_slice(&[VERSION, kind, high, low]);
        let mut rest = &mut self.bytes[HEAD..];
        for part in parts {
            rest.write_all(part)?;
        }
        self.length = HEAD + length;
        Ok(())
    }

    /// Reads the next one, of at most so many bytes.
    pub(crate) fn read(&mut self, from: &mut impl Read, most: usize) -> Result<(), Error> {
        self.bytes.zeroize();
        self.length = HEAD;
        from.read_exact(&mut self.bytes[..HEAD])?;
        let [version, _, high, low] = [self.bytes[0], self.bytes[1], self.bytes[2], self.bytes[3]];
        if version != VERSION {
            return Err(Error::Version(version));
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > most {
            return Err(Error::TooLong(length, most));
        }
        let whole = self.bytes.get_mut(HEAD..HEAD + length);
        let payload = whole.ok_or(Error::TooLong(length, MAX_PAYLOAD))?;
        from.read_exact(payload)?;
        self.length = HEAD + length;
        Ok(())
    }

    /// Writes it, in one piece.
    pub(crate) fn write(&self, to: &mut impl Write) -> Result<(), Error> {
        to.write_all(self.bytes.get(..self.length).unwrap_or_default())?;
        Ok(to.flush()?)
    }
}
