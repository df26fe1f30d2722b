//! A person proves at an OpenID provider, on another device, who they are.
//!
//! This is the device authorization grant (RFC 8628) of a provider that is found by OpenID Connect
//! Discovery 1.0: [`Provider::begin`] gets a code and an address for the person, and
//! [`Provider::finish`] asks until the provider has decided, checks the ID token, and reads who it
//! is.
//!
//! # Conventions
//! - The caller has a tokio runtime, and ends a call by dropping it; every request has a timeout.
//! - Nothing of the provider is trusted before it is checked: an answer has a largest size, texts
//!   that people see are short and printable, addresses are encrypted ones, redirects are not
//!   followed, and no proxy of the environment is used.
//! - Who somebody is comes from a token that the provider's keys have signed, for this client, and
//!   that has not expired; or from the provider's own answer to that token's user.
//! - The client's secret, the device code and the tokens are overwritten when they are done with,
//!   and are in no `Debug` output and in no error. What TLS and HTTP hold of them while it is sent
//!   is theirs.
//!
//! Deliberately not here: accounts and whether they are revoked, what is shown on a terminal, and
//! how long a person may take beyond what the provider says.

#![forbid(unsafe_code)]

mod address;
mod claims;
mod device;
mod discovery;
mod error;
mod http;
mod polling;
mod provider;
mod signature;
mod token;

pub use address::{AddressError, Issuer};
pub use claims::{Person, Roles, Unfit};
pub use device::Pending;
pub use error::{Error, Failure};
pub use provider::{Provider, Settings};

/// Reads bytes as each of the provider's answers: for the fuzz target, whose promise is that
/// nothing panics.
#[doc(hidden)]
pub fn read_anything(bytes: &[u8]) {
    let Ok(issuer) = "https://id.example.com".parse::<Issuer>() else { return };
    let _ = discovery::Metadata::read(bytes, &issuer);
    let _ = device::Grant::read(bytes, &issuer);
    let _ = polling::Refusal::read(bytes);
    if let Ok(claims) = serde_json::from_slice(bytes) {
        let _ = claims::read(&claims, Some("a.b"));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = token::check(text, bytes, &issuer, "client");
    }
}
