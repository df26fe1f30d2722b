//! Bytes that nobody must see.
//!
//! Invariants: overwritten when dropped; compared in constant time; not in `Debug` output.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret, such as the key of an authenticator.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// New bytes from the system.
    pub(crate) fn random(length: usize) -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new(vec![0; length]);
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes, for computing with.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as people and authenticators write them: base32 (RFC 4648) without padding.
    pub fn to_base32(&self) -> Zeroizing<String> {
        // Room for all at once, so that growing leaves no copy behind.
        let mut text = Zeroizing::new(String::with_capacity(BASE32_NOPAD.encode_len(self.0.len())));
        BASE32_NOPAD.encode_append(&self.0, &mut text);
        text
    }

    /// Reads what [`to_base32`](Self::to_base32) wrote; `None` if it is something else.
    pub fn from_base32(text: &str) -> Option<Self> {
        BASE32_NOPAD.decode(text.as_bytes()).ok().map(Self::new)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_is_not_in_its_debug_output() {
        assert_eq!(format!("{:?}", Secret::new(b"hunter2".to_vec())), "Secret(..)");
    }

    #[test]
    fn base32_is_that_of_the_standard() {
        assert_eq!(*Secret::new(b"foobar".to_vec()).to_base32(), "MZXW6YTBOI");
        for wrong in ["mzxw6ytboi", "MZXW6YTBO", "MZXW6YTBOI======", "MZXW 6YTBOI", "M1"] {
            assert_eq!(Secret::from_base32(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(bytes: Vec<u8>) {
            let secret = Secret::new(bytes);
            prop_assert_eq!(Secret::from_base32(&secret.to_base32()), Some(secret));
        }
    }
}
