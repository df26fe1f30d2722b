//! Compression, bounded in both directions.
//!
//! Writing: the result is kept in memory, and stops at a limit. The same input gives the same
//! bytes (no time, no name, no thread count in the stream).
//! Reading: as much output at a time as there is room for, whatever a stream claims about itself;
//! the window is bounded, so that a stream made to exhaust memory is refused.

mod decoder;

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

pub use decoder::{Decoder, Undecodable};

/// How objects are compressed at one destination.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Zstandard (RFC 8878), level 1: what repeats in events is far apart and long, and higher
    /// levels find no more of it for twice the time.
    #[default]
    Zstd,
    /// Gzip (RFC 1952), level 1: read by everything. Whoever wants it smaller takes Zstandard, which
    /// is a fifth of the size for a third of the time.
    Gzip,
    /// None.
    None,
}

/// A compression that is not one of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown compression {0:?}: zstd, gzip or none")]
pub struct UnknownCompression(pub String);

impl Compression {
    /// What is appended to `.ndjson`.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::None => "",
        }
    }

    pub(crate) fn of_extension(extension: &str) -> Option<Self> {
        [Self::Zstd, Self::Gzip, Self::None]
            .into_iter()
            .find(|compression| compression.extension() == extension)
    }

    /// The value of Content-Encoding; `None` where there is none (IANA's registered codings).
    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Self::Zstd => Some("zstd"),
            Self::Gzip => Some("gzip"),
            Self::None => None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
            Self::None => "none",
        })
    }
}

impl FromStr for Compression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, UnknownCompression> {
        match text {
            "zstd" => Ok(Self::Zstd),
            "gzip" => Ok(Self::Gzip),
            "none" => Ok(Self::None),
            _ => Err(UnknownCompression(text.to_owned())),
        }
    }
}

const ZSTD_LEVEL: i32 = 1;
const GZIP_LEVEL: u32 = 1;

/// A compressed stream in the making.
pub(crate) enum Encoder {
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
    None(Vec<u8>),
}

impl Encoder {
    pub(crate) fn new(compression: Compression) -> std::io::Result<Self> {
        Ok(match compression {
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
                // Four bytes that tell a broken stream from a whole one.
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
            Compression::Gzip => {
                Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL)))
            }
            Compression::None => Self::None(Vec::new()),
        })
    }

    pub(crate) fn write(&mut self, plain: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Zstd(encoder) => encoder.write_all(plain),
            Self::Gzip(encoder) => encoder.write_all(plain),
            Self::None(bytes) => {
                bytes.extend_from_slice(plain);
                Ok(())
            }
        }
    }

    /// The bytes that have come out so far.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Zstd(encoder) => encoder.get_ref().len(),
            Self::Gzip(encoder) => encoder.get_ref().len(),
            Self::None(bytes) => bytes.len(),
        }
    }

    pub(crate) fn finish(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::None(bytes) => Ok(bytes),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoder({} bytes)", self.len())
    }
}
