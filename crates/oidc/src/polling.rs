//! Asking until a provider has decided (RFC 8628, 3.4 and 3.5).

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use crate::device::{LONGEST_INTERVAL, Pending};
use crate::error::{Error, Failure, printable};
use crate::http::Credentials;

/// What is added to the interval whenever the provider wants it slower (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);

const ATTEMPT: &str = "ask whether the person has signed in";

/// What a person's sign-in gives.
pub(crate) struct Tokens {
    pub(crate) id: Zeroizing<String>,
    pub(crate) access: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
struct Document<'b> {
    #[serde(borrow)]
    id_token: Option<Cow<'b, str>>,
    #[serde(borrow)]
    access_token: Option<Cow<'b, str>>,
}

/// Why a provider gives no tokens (RFC 6749, 5.2).
#[derive(Deserialize)]
pub(crate) struct Refusal {
    pub(crate) error: String,
    #[serde(default)]
    error_description: String,
}

impl Refusal {
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// In the provider's own words.
    pub(crate) fn words(&self) -> String {
        printable(&format!("{} {}", self.error, self.error_description)).trim_end().to_owned()
    }
}

/// Asks until it is decided, or the code has expired.
pub(crate) async fn tokens(pending: &Pending, client: Credentials<'_>) -> Result<Tokens, Failure> {
    let url = &pending.metadata.token;
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", &*pending.grant.secret),
    ];
    let mut interval = pending.grant.interval;
    loop {
        let next = Instant::now() + interval;
        if next >= pending.expires {
            sleep_until(pending.expires).await;
            return Err(Failure::Expired);
        }
        sleep_until(next).await;
        let answer = match pending.http.post(ATTEMPT, url, &fields, client).await {
            Ok(answer) => answer,
            // As RFC 8628, 3.5, wants it: less and less often.
            Err(error) if error.is_passing() => {
                interval = (interval * 2).min(LONGEST_INTERVAL);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let unusable = |reason: &str| Error::new(ATTEMPT, url.as_str(), reason);
        if answer.status.is_success() {
            return read(&answer.body).map_err(|reason| unusable(reason).into());
        }
        let refusal = Refusal::read(&answer.body)
            .ok_or_else(|| unusable(&format!("{}, and no reason", answer.status)))?;
        match &*refusal.error {
            "authorization_pending" => {}
            "slow_down" => interval = (interval + SLOWER).min(LONGEST_INTERVAL),
            "access_denied" => return Err(Failure::Declined),
            "expired_token" => return Err(Failure::Expired),
            _ => return Err(unusable(&refusal.words()).into()),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Tokens, &'static str> {
    let document: Document<'_> =
        serde_json::from_slice(bytes).map_err(|_| "the answer holds no tokens")?;
    let kept = |text: Cow<'_, str>| Zeroizing::new(text.into_owned());
    let id = document.id_token.map(kept);
    let id = id.ok_or("there is no ID token; is the scope `openid` granted to this client?")?;
    Ok(Tokens { id, access: document.access_token.map(kept) })
}
