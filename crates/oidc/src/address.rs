//! Addresses of a provider: encrypted, but for a provider on this machine.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The longest address, in bytes.
const LONGEST: usize = 1024;

/// Why a text is no address of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("write a URL, such as https://id.example.com")]
    NoUrl,
    /// Not encrypted.
    #[error("only https:// is accepted, except for a provider on this machine (http://127.0.0.1)")]
    Open,
    /// It has parts that an issuer has not (OpenID Connect Discovery 1.0, 3).
    #[error("an issuer has no user, no query and no fragment")]
    Parts,
}

/// A provider, by the URL that it calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// As it was written: it is compared to what the provider says, character by character.
    text: String,
    is_local: bool,
}

impl Issuer {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is on this machine, without encryption.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// Where it says what it can do (OpenID Connect Discovery 1.0, 4).
    pub(crate) fn discovery(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.text.trim_end_matches('/'))
    }

    /// An address that it has named, if it may be used: as well protected as the provider's own.
    pub(crate) fn address(&self, text: &str) -> Option<Url> {
        let url = parse(text)?;
        let is_safe = url.scheme() == "https" || self.is_local && is_local(&url);
        is_safe.then_some(url)
    }
}

impl FromStr for Issuer {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let url = parse(text).ok_or(AddressError::NoUrl)?;
        let is_local = is_local(&url);
        if url.scheme() != "https" && !is_local {
            return Err(AddressError::Open);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Parts);
        }
        Ok(Self { text: text.to_owned(), is_local })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A URL with a host, of graphic ASCII alone, so that it is what it looks like on a terminal.
fn parse(text: &str) -> Option<Url> {
    let is_good = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = is_good.then(|| Url::parse(text).ok()).flatten()?;
    (url.has_host() && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// Whether it is this machine, without encryption. `localhost` is (RFC 6761, 6.3).
fn is_local(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Result<Issuer, AddressError> {
        text.parse()
    }

    #[test]
    fn an_issuer_is_encrypted_or_on_this_machine() {
        for good in [
            "https://id.example.com",
            "https://id.example.com/realms/a/",
            "https://id.example.com:8443",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "http://localhost:3000/x",
        ] {
            assert_eq!(issuer(good).map(|it| it.to_string()), Ok(good.to_owned()));
        }
        for open in ["http://id.example.com", "http://10.0.0.1", "http://localhost.example.com"] {
            assert_eq!(issuer(open), Err(AddressError::Open), "{open}");
        }
        for none in ["", "id.example.com", "ldaps://id.example.com", "https://", "https://ä.de"] {
            assert_eq!(issuer(none), Err(AddressError::NoUrl), "{none}");
        }
        for parts in ["https://a@b.c", "https://b.c/?x=1", "https://b.c/#x"] {
            assert_eq!(issuer(parts), Err(AddressError::Parts), "{parts}");
        }
    }

    #[test]
    fn an_encrypted_provider_cannot_lead_to_an_open_address() {
        let remote = issuer("https://id.example.com").unwrap();
        assert!(remote.address("https://login.example.com/device").is_some());
        for wrong in ["http://127.0.0.1/device", "http://id.example.com", "file:///etc/passwd"] {
            assert!(remote.address(wrong).is_none(), "{wrong}");
        }
        let local = issuer("http://127.0.0.1:3000").unwrap();
        assert!(local.address("http://127.0.0.1:3000/device").is_some());
        assert!(local.address("http://10.0.0.1/device").is_none());
    }

    #[test]
    fn discovery_is_below_the_issuer() {
        for text in ["https://a.b/c", "https://a.b/c/"] {
            let wanted = "https://a.b/c/.well-known/openid-configuration";
            assert_eq!(issuer(text).unwrap().discovery(), wanted);
        }
    }
}
