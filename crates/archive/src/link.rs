//! The chain of one host's objects at one destination.
//!
//! Every object names the SHA-256 of the plain bytes of the object before it, and carries a chain
//! value that covers all objects before it:
//!
//! ```text
//! chain(n) = SHA-256( "forebear-chain-v1\n" || chain(n-1) or 32 zero bytes || sha256(n)
//!                     || host || boot || run || first seq || last seq )     numbers big-endian
//! ```
//!
//! So an object cannot be changed, removed or put elsewhere without changing the chain value of
//! every later object of the host: whoever keeps one value elsewhere can prove all before it.

use crate::digest::{Digest, Hasher};
use crate::layout::BatchName;

const DOMAIN: &[u8] = b"forebear-chain-v1\n";

/// The end of a chain: what the next object refers to.
///
/// The uploader keeps [`Link::to_bytes`] beside its position for each destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    /// SHA-256 of the plain bytes of the last object.
    pub sha256: Digest,
    /// The chain value of the last object.
    pub chain: Digest,
}

impl Link {
    /// The length of its bytes.
    pub const LEN: usize = 64;

    /// The link of a batch that follows `previous`.
    pub(crate) fn after(previous: Option<&Self>, sha256: Digest, name: &BatchName) -> Self {
        let chain = chain(previous.map(|link| link.chain), sha256, name);
        Self { sha256, chain }
    }

    /// As bytes, to be kept.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..32].copy_from_slice(&self.sha256.0);
        bytes[32..].copy_from_slice(&self.chain.0);
        bytes
    }

    /// From what was kept; `None` if that is not a link, an empty note included.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (sha256, chain) = bytes.split_first_chunk::<32>()?;
        let chain = <[u8; 32]>::try_from(chain).ok()?;
        Some(Self { sha256: Digest(*sha256), chain: Digest(chain) })
    }
}

/// The chain value of an object.
pub(crate) fn chain(previous: Option<Digest>, sha256: Digest, name: &BatchName) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(DOMAIN);
    hasher.update(&previous.map_or([0; 32], |digest| digest.0));
    hasher.update(&sha256.0);
    for id in [name.host, name.boot, name.run] {
        hasher.update(id.as_bytes());
    }
    hasher.update(&name.first_seq.to_be_bytes());
    hasher.update(&name.last_seq.to_be_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_survives_being_kept() {
        let link = Link { sha256: Digest::of(b"a"), chain: Digest::of(b"b") };
        assert_eq!(Link::from_bytes(&link.to_bytes()), Some(link));
        assert_eq!(Link::from_bytes(b""), None);
        assert_eq!(Link::from_bytes(&[0; 63]), None);
        assert_eq!(Link::from_bytes(&[0; 65]), None);
    }
}
