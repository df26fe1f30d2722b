//! A code and an address for a person (RFC 8628, 3.2).

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::address::Issuer;
use crate::discovery::Metadata;
use crate::http::Http;

/// The longest code for a person, in characters; those in use have some ten.
const LONGEST_CODE: usize = 64;
/// The longest device code, in bytes.
const LONGEST_SECRET: usize = 4096;
/// How long a code is taken to be good at most, whatever the provider says.
const LONGEST_LIFE: Duration = Duration::from_secs(1800);
/// How long is waited between two questions at least, whatever the provider says.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(3);
/// How long is waited where the provider does not say (RFC 8628, 3.2).
const USUAL_INTERVAL: u64 = 5;
/// How long is waited at most.
pub(crate) const LONGEST_INTERVAL: Duration = Duration::from_secs(60);

/// What a provider has granted, checked.
pub(crate) struct Grant {
    pub(crate) secret: Zeroizing<String>,
    code: String,
    address: String,
    complete: Option<String>,
    life: Duration,
    pub(crate) interval: Duration,
}

#[derive(Deserialize)]
struct Document<'b> {
    #[serde(borrow)]
    device_code: std::borrow::Cow<'b, str>,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl Grant {
    /// Reads it; the text says why it cannot be used.
    pub(crate) fn read(bytes: &[u8], issuer: &Issuer) -> Result<Self, &'static str> {
        let document: Document<'_> =
            serde_json::from_slice(bytes).map_err(|_| "the answer is no device authorization")?;
        let secret = &document.device_code;
        let is_secret = (1..=LONGEST_SECRET).contains(&secret.len());
        let code = document.user_code.trim();
        let is_code = (1..=LONGEST_CODE).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if !is_secret || !is_code {
            return Err("the code is empty, too long or not printable");
        }
        let address = issuer.address(&document.verification_uri);
        let address = address.ok_or("the address for people is no encrypted URL")?;
        // Without it people type the code, which is as good.
        let complete = document.verification_uri_complete;
        let complete = complete.and_then(|text| issuer.address(&text)).map(String::from);
        let interval = Duration::from_secs(document.interval.unwrap_or(USUAL_INTERVAL));
        Ok(Self {
            secret: Zeroizing::new(secret.clone().into_owned()),
            code: code.to_owned(),
            address: address.into(),
            complete,
            life: Duration::from_secs(document.expires_in).min(LONGEST_LIFE),
            interval: interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL),
        })
    }
}

/// A person is to sign in.
pub struct Pending {
    pub(crate) grant: Grant,
    pub(crate) metadata: Metadata,
    pub(crate) expires: Instant,
    pub(crate) http: Http,
}

impl Pending {
    pub(crate) fn new(grant: Grant, metadata: Metadata, http: Http) -> Self {
        let expires = Instant::now() + grant.life;
        Self { grant, metadata, expires, http }
    }

    /// What the person types at the address: printable ASCII.
    pub fn code(&self) -> &str {
        &self.grant.code
    }

    /// Where the person goes: a URL of graphic ASCII.
    pub fn address(&self) -> &str {
        &self.grant.address
    }

    /// The address with the code in it, for a camera.
    pub fn complete(&self) -> Option<&str> {
        self.grant.complete.as_deref()
    }

    /// How long the code is good.
    pub fn life(&self) -> Duration {
        self.grant.life
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending(..)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document() -> Value {
        json!({
            "device_code": "a secret",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://id.example.com/device",
            "verification_uri_complete": "https://id.example.com/device?user_code=WDJB-MJHT",
            "expires_in": 600,
        })
    }

    fn read(document: &Value) -> Result<Grant, &'static str> {
        let issuer = "https://id.example.com".parse().unwrap();
        Grant::read(document.to_string().as_bytes(), &issuer)
    }

    #[test]
    fn a_grant_has_a_code_an_address_and_times() {
        let grant = read(&document()).unwrap();
        assert_eq!(grant.code, "WDJB-MJHT");
        assert_eq!(grant.secret.as_str(), "a secret");
        assert_eq!(grant.address, "https://id.example.com/device");
        assert!(grant.complete.is_some());
        assert_eq!(grant.life, Duration::from_secs(600));
        assert_eq!(grant.interval, Duration::from_secs(5));
    }

    #[test]
    fn what_could_do_harm_on_a_terminal_is_refused() {
        for (key, value) in [
            ("user_code", json!("\u{1b}[2J")),
            ("user_code", json!("a\nb")),
            ("user_code", json!("\u{202e}abc")),
            ("user_code", json!("x".repeat(65))),
            ("user_code", json!("")),
            ("device_code", json!("")),
            ("device_code", json!("x".repeat(4097))),
            ("verification_uri", json!("https://id.example.com/\u{1b}[2J")),
            ("verification_uri", json!("javascript:alert(1)")),
            ("verification_uri", json!("http://id.example.com/device")),
            ("verification_uri", json!(format!("https://a/{}", "x".repeat(2000)))),
            ("expires_in", json!("600")),
        ] {
            let mut document = document();
            document[key] = value;
            assert!(read(&document).is_err(), "{document}");
        }
    }

    #[test]
    fn an_address_with_the_code_that_is_no_good_is_done_without() {
        let mut document = document();
        document["verification_uri_complete"] = json!("ftp://id.example.com");
        assert_eq!(read(&document).unwrap().complete, None);
    }

    #[test]
    fn times_have_bounds_whatever_the_provider_says() {
        let mut document = document();
        document["expires_in"] = json!(u64::MAX);
        for (told, taken) in [(0, 3), (4, 4), (u64::MAX, 60)] {
            document["interval"] = json!(told);
            let grant = read(&document).unwrap();
            assert_eq!(grant.interval, Duration::from_secs(taken));
            assert_eq!(grant.life, LONGEST_LIFE);
        }
    }
}
