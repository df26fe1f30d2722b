//! Requests to a provider, bounded in every way: time, size, redirects.

use std::error::Error as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, RequestBuilder, StatusCode, redirect};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};
use zeroize::Zeroizing;

use crate::error::Error;

/// The largest answer, in bytes. Sets of keys with their certificates have some 20 KiB.
const LARGEST: usize = 256 << 10;

/// A client of one provider.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    timeout: Duration,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// How the client proves to the provider that it is itself (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientProof {
    /// It does not.
    Public,
    /// Name and secret in a header.
    Header,
    /// Name and secret in the form.
    Form,
}

/// Name and secret of a client.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'s> {
    pub(crate) id: &'s str,
    pub(crate) secret: Option<&'s [u8]>,
    pub(crate) proof: ClientProof,
}

impl Http {
    /// A client that trusts these authorities (PEM), or else those of the machine.
    pub(crate) fn new(
        issuer: &str,
        is_encrypted: bool,
        authorities: Option<&[u8]>,
        timeout: Duration,
    ) -> Result<Self, Error> {
        let wrong = |error: &reqwest::Error| {
            Error::new("make a client for requests", issuer, innermost(error))
        };
        let mut builder = Client::builder()
            .use_rustls_tls()
            .https_only(is_encrypted)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(timeout)
            .timeout(timeout)
            .pool_idle_timeout(Duration::from_secs(90))
            .pool_max_idle_per_host(1)
            .tls_built_in_root_certs(is_encrypted && authorities.is_none())
            .user_agent(concat!("forebear-agent/", env!("CARGO_PKG_VERSION")));
        for certificate in authorities.map(Certificate::from_pem_bundle).into_iter() {
            for certificate in certificate.map_err(|error| wrong(&error))? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let client = builder.build().map_err(|error| wrong(&error))?;
        Ok(Self { client, timeout })
    }

    /// Gets something; with a token where one is asked for.
    pub(crate) async fn get(
        &self,
        attempt: &'static str,
        url: &Url,
        token: Option<&str>,
    ) -> Result<Answer, Error> {
        let mut request = self.client.get(url.clone());
        if let Some(token) = token {
            let text = Zeroizing::new(format!("Bearer {token}"));
            request = request.header(AUTHORIZATION, secret_header(attempt, url, &text)?);
        }
        self.send(attempt, url, request).await
    }

    /// Sends a form in the name of the client.
    pub(crate) async fn post(
        &self,
        attempt: &'static str,
        url: &Url,
        fields: &[(&str, &str)],
        client: Credentials<'_>,
    ) -> Result<Answer, Error> {
        let mut request = self.client.post(url.clone());
        let secret = client.secret.and_then(|secret| std::str::from_utf8(secret).ok());
        // Room for all at once, so that growing leaves no copy of a secret behind.
        let mut form = Serializer::new(String::with_capacity(8 << 10));
        form.extend_pairs(fields);
        match (client.proof, secret) {
            (ClientProof::Header, Some(secret)) => {
                let text = basic(client.id, secret);
                request = request.header(AUTHORIZATION, secret_header(attempt, url, &text)?);
            }
            (ClientProof::Form, Some(secret)) => {
                form.append_pair("client_id", client.id).append_pair("client_secret", secret);
            }
            _ => _ = form.append_pair("client_id", client.id),
        }
        let request =
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish());
        self.send(attempt, url, request).await
    }

    async fn send(
        &self,
        attempt: &'static str,
        url: &Url,
        request: RequestBuilder,
    ) -> Result<Answer, Error> {
        let failed = |error: reqwest::Error| {
            let reason = match error.is_timeout() {
                true => format!("no answer within {} s", self.timeout.as_secs()),
                false => innermost(&error),
            };
            Error::new(attempt, url.as_str(), reason).passing()
        };
        let mut response =
            request.header(ACCEPT, "application/json").send().await.map_err(failed)?;
        let status = response.status();
        if status.is_redirection() {
            let reason = "it leads to another address, which is not followed";
            return Err(Error::new(attempt, url.as_str(), reason));
        }
        let mut body = Zeroizing::new(Vec::with_capacity(8 << 10));
        while let Some(part) = response.chunk().await.map_err(failed)? {
            if body.len() + part.len() > LARGEST {
                let reason = format!("the answer has more than {LARGEST} bytes");
                return Err(Error::new(attempt, url.as_str(), reason));
            }
            body.extend_from_slice(&part);
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Error::new(attempt, url.as_str(), status).passing());
        }
        Ok(Answer { status, body })
    }
}

impl Answer {
    /// What was answered, if it is what was asked for.
    pub(crate) fn good(self, attempt: &'static str, url: &Url) -> Result<Self, Error> {
        match self.status.is_success() {
            true => Ok(self),
            false => Err(Error::new(attempt, url.as_str(), self.status)),
        }
    }
}

/// Name and secret as a header has them (RFC 6749, 2.3.1: encoded as in a form first).
fn basic(id: &str, secret: &str) -> Zeroizing<String> {
    let mut pair = Zeroizing::new(String::with_capacity(3 * (id.len() + secret.len()) + 1));
    pair.extend(byte_serialize(id.as_bytes()));
    pair.push(':');
    pair.extend(byte_serialize(secret.as_bytes()));
    let mut text = Zeroizing::new(String::with_capacity(pair.len() * 4 / 3 + 12));
    text.push_str("Basic ");
    STANDARD.encode_string(pair.as_bytes(), &mut text);
    text
}

fn secret_header(attempt: &'static str, url: &Url, text: &str) -> Result<HeaderValue, Error> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| {
        Error::new(attempt, url.as_str(), "the provider gave a token that cannot be sent")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The reason behind all reasons, which is the one that helps.
fn innermost(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut reason = error.to_string();
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_secret_are_encoded_before_they_are_put_together() {
        // "a%3Ab:c+d%25" in base64.
        assert_eq!(*basic("a:b", "c d%"), "Basic YSUzQWI6YytkJTI1");
    }

    #[test]
    fn a_secret_is_in_no_debug_output() {
        let url: Url = "https://a.b".parse().unwrap();
        let value = secret_header("x", &url, "Bearer hunter2").unwrap();
        assert!(!format!("{value:?}").contains("hunter2"));
    }
}
