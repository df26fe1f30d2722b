//! One provider, and the way to it.

use std::fmt;
use std::time::Duration;

use forebear_identity::Secret;

use crate::address::Issuer;
use crate::claims::{self, Claims, Person, Unfit};
use crate::device::{Grant, Pending};
use crate::discovery::Metadata;
use crate::error::{Error, Failure};
use crate::http::{ClientProof, Credentials, Http};
use crate::polling::{self, Refusal, Tokens};
use crate::token;

/// What has to be known of a provider.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it calls itself.
    pub issuer: Issuer,
    /// What it calls this client.
    pub client: String,
    /// By what the client proves that it is itself; UTF-8. Without it the client is a public one.
    pub secret: Option<Secret>,
    /// What is asked for, with blanks in between: `openid` and more.
    pub scopes: String,
    /// The claim that holds a person's roles: a name, or a path of names with dots.
    pub roles_claim: Option<String>,
    /// Certificates (PEM) of the only authorities that are trusted; without it, the machine's.
    pub authorities: Option<Vec<u8>>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// A provider.
pub struct Provider {
    settings: Settings,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.settings.issuer)
    }
}

impl Provider {
    /// A provider that nobody has spoken to yet.
    ///
    /// # Errors
    /// The authorities are no certificates, or the machine has none.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let provider = Self { settings };
        provider.http()?;
        Ok(provider)
    }

    /// A client for one sign-in: its connections belong to the runtime that they are made in.
    fn http(&self) -> Result<Http, Error> {
        let Settings { issuer, authorities, timeout, .. } = &self.settings;
        Http::new(issuer.as_str(), !issuer.is_local(), authorities.as_deref(), *timeout)
    }

    /// Gets a code and an address for a person. What the provider can do is asked anew each time:
    /// a login is rare, and what is kept grows old.
    ///
    /// # Errors
    /// Nobody answers, or what the provider says cannot be used.
    pub async fn begin(&self) -> Result<Pending, Error> {
        const FIND: &str = "find out what the provider can do";
        const ASK: &str = "get a code for a person";
        let issuer = &self.settings.issuer;
        let http = self.http()?;
        let place = issuer.discovery();
        let wrong = |reason: &str| Error::new(FIND, &place, reason);
        let url = issuer.address(&place).ok_or_else(|| wrong("it is no address"))?;
        let answer = http.get(FIND, &url, None).await?.good(FIND, &url)?;
        let metadata = Metadata::read(&answer.body, issuer).map_err(|reason| wrong(&reason))?;
        let fields = [("scope", &*self.settings.scopes)];
        let client = self.credentials(&metadata);
        let answer = http.post(ASK, &metadata.device, &fields, client).await?;
        let wrong = |reason: &str| Error::new(ASK, metadata.device.as_str(), reason);
        if !answer.status.is_success() {
            let words = Refusal::read(&answer.body).map(|refusal| refusal.words());
            return Err(wrong(&words.unwrap_or_else(|| answer.status.to_string())));
        }
        let grant = Grant::read(&answer.body, issuer).map_err(wrong)?;
        Ok(Pending::new(grant, metadata, http))
    }

    /// Waits until the person has signed in, and says who it is.
    ///
    /// # Errors
    /// They declined, or did not do it in time; or what the provider says cannot be relied on.
    pub async fn finish(&self, pending: &Pending) -> Result<Person, Failure> {
        let client = self.credentials(&pending.metadata);
        let tokens = polling::tokens(pending, client).await?;
        Ok(self.person(pending, &tokens).await?)
    }

    fn credentials(&self, metadata: &Metadata) -> Credentials<'_> {
        let secret = self.settings.secret.as_ref().map(Secret::expose);
        let proof = if secret.is_some() { metadata.proof } else { ClientProof::Public };
        Credentials { id: &self.settings.client, secret, proof }
    }

    async fn person(&self, pending: &Pending, tokens: &Tokens) -> Result<Person, Error> {
        const CHECK: &str = "check who has signed in";
        let Settings { issuer, client, roles_claim, .. } = &self.settings;
        let url = &pending.metadata.keys;
        let keys = pending.http.get(CHECK, url, None).await?.good(CHECK, url)?;
        let wrong = |reason: &str| Error::new(CHECK, issuer.as_str(), reason);
        let mut claims = token::check(&tokens.id, &keys.body, issuer, client).map_err(wrong)?;
        let lacks = |name: &str| claims::find(&claims, name).is_none();
        if lacks("email") || roles_claim.as_deref().is_some_and(lacks) {
            Self::ask_for_more(pending, tokens, &mut claims).await?;
        }
        claims::read(&claims, roles_claim.as_deref())
            .map_err(|unfit: Unfit| wrong(&unfit.to_string()))
    }

    /// Claims that are not in the token may be told elsewhere: providers that keep to OpenID
    /// Connect Core 1.0, 5.4, do so. What the token says stays.
    async fn ask_for_more(
        pending: &Pending,
        tokens: &Tokens,
        claims: &mut Claims,
    ) -> Result<(), Error> {
        const MORE: &str = "find out more about who has signed in";
        let (Some(url), Some(access)) = (&pending.metadata.user, &tokens.access) else {
            return Ok(());
        };
        let answer = pending.http.get(MORE, url, Some(access)).await?.good(MORE, url)?;
        let wrong = |reason: &str| Error::new(MORE, url.as_str(), reason);
        let more: Claims = serde_json::from_slice(&answer.body)
            .map_err(|_| wrong("the answer is no object of claims"))?;
        // That it is the same person is what makes it count (Core 1.0, 5.3.2).
        if more.get("sub").is_none() || more.get("sub") != claims.get("sub") {
            return Err(wrong("the answer is about somebody else"));
        }
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
        Ok(())
    }
}
