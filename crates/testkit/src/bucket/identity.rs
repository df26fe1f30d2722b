//! The services that tell a machine of a cloud who it is: instance metadata of Amazon (version 2)
//! and Google, and the endpoint of a container. They hand out what they are told.

use std::collections::BTreeMap;
use std::ops::Deref;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use super::door::{Answering, Door, Service};

/// The token of an instance's session with the metadata service.
const SESSION: &str = "session-of-the-instance";

/// A metadata service.
#[derive(Debug)]
pub struct Identity {
    door: Door,
}

impl Identity {
    /// Starts one that hands out the keys of an environment such as
    /// [`S3::environment`](super::S3::environment), and a Google token.
    pub fn start(keys: &BTreeMap<String, String>, google_token: &str) -> Self {
        let get = |name: &str| keys.get(name).cloned().unwrap_or_default();
        let amazon = serde_json::json!({
            "Code": "Success",
            "AccessKeyId": get("AWS_ACCESS_KEY_ID"),
            "SecretAccessKey": get("AWS_SECRET_ACCESS_KEY"),
            "Token": "token-of-the-role",
            "Expiration": "2099-01-01T00:00:00Z",
        });
        let google = serde_json::json!({
            "access_token": google_token, "expires_in": 3600, "token_type": "Bearer",
        });
        let answers = Answers { amazon: amazon.to_string(), google: google.to_string() };
        Self { door: Door::open(answers) }
    }

    /// The environment of a container that finds this service; `token_file` is any file.
    pub fn container(&self, token_file: &str) -> BTreeMap<String, String> {
        let uri = format!("{}/container", self.endpoint());
        [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token_file),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// The environment of an instance of Amazon that finds this service.
    pub fn instance(&self) -> BTreeMap<String, String> {
        [("AWS_EC2_METADATA_SERVICE_ENDPOINT".to_owned(), self.endpoint())].into()
    }

    /// The environment of an instance of Google that finds this service.
    pub fn google_instance(&self) -> BTreeMap<String, String> {
        let host = self.endpoint().trim_start_matches("http://").to_owned();
        [("GCE_METADATA_HOST".to_owned(), host)].into()
    }
}

/// The door, with its address and faults.
impl Deref for Identity {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

struct Answers {
    amazon: String,
    google: String,
}

impl Service for Answers {
    fn answer(&self, request: Request<Bytes>) -> Answering {
        const ROLE: &str = "/latest/meta-data/iam/security-credentials/";
        const GOOGLE: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let has_session = header("x-aws-ec2-metadata-token") == Some(SESSION);
        let has_flavor = header("metadata-flavor") == Some("Google");
        let (status, text) = match (request.method(), request.uri().path()) {
            (&Method::PUT, "/latest/api/token") => (StatusCode::OK, SESSION.to_owned()),
            (&Method::GET, ROLE) if has_session => (StatusCode::OK, "role".to_owned()),
            (&Method::GET, path) if path.strip_prefix(ROLE) == Some("role") && has_session => {
                (StatusCode::OK, self.amazon.clone())
            }
            (&Method::GET, "/container") if header("authorization").is_some() => {
                (StatusCode::OK, self.amazon.clone())
            }
            (&Method::GET, GOOGLE) if has_flavor => (StatusCode::OK, self.google.clone()),
            (&Method::GET, _) if !has_session => (StatusCode::UNAUTHORIZED, String::new()),
            _ => (StatusCode::NOT_FOUND, String::new()),
        };
        let mut answer = Response::new(Bytes::from(text));
        *answer.status_mut() = status;
        Box::pin(async move { answer })
    }
}
