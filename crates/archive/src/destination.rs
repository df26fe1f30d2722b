//! What an operator says about a destination, and what is wrong with it.
//!
//! Checking is pure and tells everything at once; whether the place exists and lets us in is
//! found by [`Archive::probe`](crate::Archive::probe).
//!
//! Deliberately not here: credentials. They are never configured, only found (see
//! [`Environment`](crate::Environment)).

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::compress::Compression;
use crate::error::Cloud;

/// A place for objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// What status, metrics and errors call it.
    pub name: String,
    /// `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` or `file:///folder`.
    pub url: String,
    /// How new objects are compressed.
    pub compression: Compression,
    /// Where the service answers, if not at its cloud's usual address. For S3 with the bucket in
    /// the host name, write `{bucket}` where it goes: `https://{bucket}.objects.example.com`.
    pub endpoint: Option<String>,
    /// The region of the bucket (S3).
    pub region: Option<String>,
    /// Whether an endpoint without TLS is accepted.
    pub allow_http: bool,
    /// Whether to send no credentials (emulators, public buckets).
    pub anonymous: bool,
    /// How long one request may take, its body included.
    pub request_timeout: Duration,
}

/// Something in a destination that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, as the configuration file calls it.
    pub key: &'static str,
    /// What is wrong and what would be right.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

/// A destination's address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Bucket { cloud: Cloud, bucket: String, prefix: String },
    Folder(PathBuf),
}

impl Destination {
    /// A destination with everything else at its default.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            compression: Compression::default(),
            endpoint: None,
            region: None,
            allow_http: false,
            anonymous: false,
            request_timeout: Duration::from_secs(60),
        }
    }

    /// The destination that somebody names on a command line: a URL or a folder.
    pub fn of_source(source: &str) -> Self {
        if source.contains("://") {
            return Self::new("source", source);
        }
        let path = std::path::absolute(source).unwrap_or_else(|_| PathBuf::from(source));
        let url = Url::from_file_path(&path).map_or_else(|()| source.to_owned(), String::from);
        Self::new("source", url)
    }

    /// Everything in it that cannot work. Empty if all is well.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut say = |key, text: String| problems.push(Problem { key, text });
        if !is_name(&self.name) {
            say("name", format!("{:?} is not 1 to 64 of a-z, A-Z, 0-9, - and _", self.name));
        }
        let place = self.place();
        if let Err(text) = &place {
            say("url", text.clone());
        }
        let is_folder = matches!(place, Ok(Place::Folder(_)));
        if let Some(endpoint) = &self.endpoint {
            if is_folder {
                say("endpoint", "a folder has none: remove it".to_owned());
            } else if let Err(text) = self.check_endpoint(endpoint) {
                say("endpoint", text);
            }
        }
        if let (Some(region), Ok(place)) = (&self.region, &place) {
            if !matches!(place, Place::Bucket { cloud: Cloud::S3, .. }) {
                say("region", "only s3:// has one: remove it".to_owned());
            } else if region.is_empty() || region.contains(|c: char| !is_region(c)) {
                say("region", format!("{region:?} is not a region such as eu-central-1"));
            }
        }
        if self.anonymous && is_folder {
            say("anonymous", "a folder needs no credentials: remove it".to_owned());
        }
        if self.request_timeout.is_zero() {
            say("request_timeout", "it must be longer than nothing".to_owned());
        }
        problems
    }

    /// The address, taken apart; the error says what is wrong with `url`.
    pub(crate) fn place(&self) -> Result<Place, String> {
        const FORM: &str = "write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix \
                            or file:///folder";
        let url =
            Url::parse(&self.url).map_err(|error| format!("{:?}: {error}; {FORM}", self.url))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials do not belong here: they are taken from the environment, \
                        profiles and metadata services"
                .to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() || url.port().is_some() {
            return Err(format!("{:?} has a query, a fragment or a port; {FORM}", self.url));
        }
        let cloud = match url.scheme() {
            "s3" => Cloud::S3,
            "gs" => Cloud::Gcs,
            "az" => Cloud::Azure,
            "file" => {
                let path = url.to_file_path().map_err(|()| {
                    format!("{:?} is no absolute path on this machine; {FORM}", self.url)
                })?;
                return Ok(Place::Folder(path));
            }
            scheme => return Err(format!("unknown scheme {scheme:?}; {FORM}")),
        };
        let bucket = url.host_str().unwrap_or_default();
        if !is_bucket(bucket) {
            return Err(format!("{bucket:?} is not the name of a bucket; {FORM}"));
        }
        let prefix = url.path().trim_matches('/');
        if object_store::path::Path::parse(prefix).is_err() {
            return Err(format!(
                "the prefix {prefix:?} has an empty part or a character that object names should \
                 not have"
            ));
        }
        Ok(Place::Bucket { cloud, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    fn check_endpoint(&self, endpoint: &str) -> Result<(), String> {
        const FORM: &str = "write https://host or https://host:port";
        let url = Url::parse(&endpoint.replace("{bucket}", "bucket"))
            .map_err(|error| format!("{endpoint:?}: {error}; {FORM}"))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => {
                return Err(format!(
                    "{endpoint:?} has no TLS: use https, or set allow_http = true"
                ));
            }
            scheme => return Err(format!("unknown scheme {scheme:?}; {FORM}")),
        }
        if url.host_str().is_none_or(str::is_empty) || url.query().is_some() {
            return Err(format!("{endpoint:?} is not an address; {FORM}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials do not belong here".to_owned());
        }
        Ok(())
    }
}

impl Place {
    /// The place as people write it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Bucket { cloud, bucket, prefix } => {
                let scheme = match cloud {
                    Cloud::Gcs => "gs",
                    Cloud::Azure => "az",
                    _ => "s3",
                };
                format!("{scheme}://{bucket}/{prefix}").trim_end_matches('/').to_owned()
            }
            Self::Folder(path) => format!("file://{}", Path::new(path).display()),
        }
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

/// Names that some service accepts: the rules of S3, GCS and Azure together.
fn is_bucket(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends_well = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    (1..=222).contains(&name.len())
        && name.bytes().all(fits)
        && ends_well(name.bytes().next())
        && ends_well(name.bytes().next_back())
}

fn is_region(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(destination: &Destination) -> Vec<&'static str> {
        destination.problems().iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn the_documented_forms_are_right() {
        for url in ["s3://bucket/prefix", "gs://b_1/a/b", "az://box", "file:///var/lib/events"] {
            assert_eq!(Destination::new("bucket", url).problems(), [], "{url}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let mut wrong = Destination::new("two words", "ftp://x/y");
        wrong.endpoint = Some("http://127.0.0.1:1".to_owned());
        wrong.request_timeout = Duration::ZERO;
        assert_eq!(keys(&wrong), ["name", "url", "endpoint", "request_timeout"]);
    }

    #[test]
    fn an_endpoint_without_tls_has_to_be_allowed() {
        let mut destination = Destination::new("a", "s3://bucket");
        destination.endpoint = Some("http://127.0.0.1:8333".to_owned());
        assert!(destination.problems()[0].text.contains("allow_http"));
        destination.allow_http = true;
        assert_eq!(destination.problems(), []);
    }

    #[test]
    fn credentials_in_an_address_are_refused() {
        let problems = Destination::new("a", "s3://key:secret@bucket/p").problems();
        assert!(problems[0].text.contains("do not belong"), "{problems:?}");
        assert!(!problems[0].text.contains("secret"), "{problems:?}");
    }

    #[test]
    fn settings_that_mean_nothing_are_told() {
        let mut destination = Destination::new("a", "file:///tmp");
        destination.region = Some("eu-central-1".to_owned());
        destination.endpoint = Some("https://x".to_owned());
        destination.anonymous = true;
        assert_eq!(keys(&destination), ["endpoint", "region", "anonymous"]);
    }

    #[test]
    fn a_path_is_a_source() {
        let source = Destination::of_source("some dir");
        assert!(source.url.starts_with("file:///") && source.url.ends_with("some%20dir"));
        let Ok(Place::Folder(path)) = source.place() else { panic!("{source:?}") };
        assert!(path.ends_with("some dir"));
        assert_eq!(Destination::of_source("gs://b/p").url, "gs://b/p");
    }

    proptest! {
        #[test]
        fn any_destination_is_checked(name in ".*", url in ".*", endpoint in ".*", region in ".*") {
            let mut destination = Destination::new(name, url);
            destination.endpoint = Some(endpoint);
            destination.region = Some(region);
            let _ = destination.problems();
        }
    }
}
