//! What a provider says that it can do, and where (OpenID Connect Discovery 1.0).

use serde::Deserialize;
use url::Url;

use crate::address::Issuer;
use crate::error::printable;
use crate::http::ClientProof;

/// What is needed of it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) device: Url,
    pub(crate) token: Url,
    pub(crate) keys: Url,
    /// Where more is told of a person; a provider need not have it.
    pub(crate) user: Option<Url>,
    /// How a client with a secret shows it.
    pub(crate) proof: ClientProof,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    device_authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Metadata {
    /// Reads it; the text says why it cannot be used.
    pub(crate) fn read(bytes: &[u8], issuer: &Issuer) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(bytes).map_err(|_| "the answer is no discovery document")?;
        if document.issuer != issuer.as_str() {
            return Err(format!(
                "the provider calls itself {}; write exactly this as issuer if it is yours",
                printable(&document.issuer)
            ));
        }
        let needed = |name: &str, text: Option<String>| {
            let text = text.ok_or_else(|| format!("the provider has no {name}"))?;
            let unusable = || format!("the {name} {} is not encrypted", printable(&text));
            issuer.address(&text).ok_or_else(unusable)
        };
        Ok(Self {
            device: needed(
                "device_authorization_endpoint",
                document.device_authorization_endpoint,
            )?,
            token: needed("token_endpoint", document.token_endpoint)?,
            keys: needed("jwks_uri", document.jwks_uri)?,
            user: document.userinfo_endpoint.and_then(|text| issuer.address(&text)),
            proof: proof(document.token_endpoint_auth_methods_supported.as_deref()),
        })
    }
}

/// The way that is to be used where none is named is the header (Discovery 1.0, 3).
fn proof(methods: Option<&[String]>) -> ClientProof {
    let has = |name: &str| methods.is_none_or(|methods| methods.iter().any(|it| it == name));
    match !has("client_secret_basic") && has("client_secret_post") {
        true => ClientProof::Form,
        false => ClientProof::Header,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document() -> Value {
        json!({
            "issuer": "https://id.example.com",
            "device_authorization_endpoint": "https://id.example.com/device/auth",
            "token_endpoint": "https://id.example.com/token",
            "jwks_uri": "https://keys.example.com/jwks",
            "userinfo_endpoint": "https://id.example.com/me",
            "something_else": [1],
        })
    }

    fn read(document: &Value) -> Result<Metadata, String> {
        let issuer = "https://id.example.com".parse().unwrap();
        Metadata::read(document.to_string().as_bytes(), &issuer)
    }

    #[test]
    fn what_is_needed_is_found() {
        let metadata = read(&document()).unwrap();
        assert_eq!(metadata.device.as_str(), "https://id.example.com/device/auth");
        assert_eq!(metadata.keys.as_str(), "https://keys.example.com/jwks");
        assert_eq!(metadata.proof, ClientProof::Header);
    }

    #[test]
    fn a_provider_that_cannot_be_used_is_refused_with_the_reason() {
        for (key, value, reason) in [
            ("issuer", json!("https://id.example.com/"), "calls itself https://id.example.com/;"),
            ("issuer", json!(null), "no discovery document"),
            ("device_authorization_endpoint", json!(null), "has no device_authorization_endpoint"),
            ("token_endpoint", json!("http://id.example.com/token"), "is not encrypted"),
            ("jwks_uri", json!("http://127.0.0.1/keys"), "is not encrypted"),
        ] {
            let mut document = document();
            document[key] = value;
            let error = read(&document).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert!(read(&json!([])).is_err());
    }

    #[test]
    fn a_secret_goes_into_the_form_only_if_the_provider_takes_no_header() {
        for (methods, wanted) in [
            (json!(["client_secret_post"]), ClientProof::Form),
            (json!(["client_secret_post", "client_secret_basic"]), ClientProof::Header),
            (json!(["private_key_jwt"]), ClientProof::Header),
        ] {
            let mut document = document();
            document["token_endpoint_auth_methods_supported"] = methods;
            assert_eq!(read(&document).unwrap().proof, wanted);
        }
    }
}
