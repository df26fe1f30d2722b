//! Reading a store client's error: which kind of trouble, in whose words, and what helps.
//!
//! The clients give a class, an HTTP status inside a text and the body of the answer. The body's
//! code (`<Code>`, the same element at S3, GCS and Azure) says most, so it is asked first, then
//! the status, then how the connection ended. Codes are those of the services' error references:
//! S3 API "Error responses", Cloud Storage XML API "HTTP status and error codes", Azure "Blob
//! Storage error codes".
//!
//! Invariant: any text, however long or odd, gives a diagnosis; nothing here fails.

use std::error::Error as StdError;

use object_store::client::{HttpError, HttpErrorKind};

use super::Kind;

/// The service behind a place, as far as advice differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Amazon S3 and everything that speaks its language.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// A folder.
    Local,
    /// Memory of this process.
    Memory,
}

/// What a client's error means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What kind of trouble it is.
    pub kind: Kind,
    /// What was found, in one bounded line.
    pub detail: String,
    /// What to do; empty where nothing can be said.
    pub remedy: String,
}

/// The longest part of a server's own words that is repeated, in bytes.
const QUOTE: usize = 300;

/// The longest text that is looked through, in bytes: the rest of a body says nothing more.
const LOOK: usize = 16 << 10;

/// Reads an error of a store's client.
pub fn diagnose(cloud: Cloud, error: &object_store::Error) -> Diagnosis {
    let text = chain(error);
    let kind =
        match error {
            object_store::Error::NotFound { .. } if names_bucket(&text) => Kind::NoBucket,
            object_store::Error::NotFound { .. } => Kind::NotFound,
            object_store::Error::AlreadyExists { .. }
            | object_store::Error::Precondition { .. } => Kind::Conflict,
            object_store::Error::NotImplemented { .. }
            | object_store::Error::NotSupported { .. } => Kind::Unsupported,
            object_store::Error::InvalidPath { .. } => Kind::Configuration,
            _ => kind_of(&text, connection(error), local(error)),
        };
    let kind = match kind {
        Kind::Unexpected if matches!(error, object_store::Error::Unauthenticated { .. }) => {
            Kind::Credentials
        }
        // Nothing answers there: this machine has no role and no service account.
        kind if names(&text, &METADATA_SERVICES) && kind != Kind::Conflict => Kind::Credentials,
        // A refusal is about credentials; what breaks on the way there is not.
        Kind::Permission | Kind::NotFound | Kind::Unexpected | Kind::NoBucket
            if names(&text, &TOKEN_SERVICES) =>
        {
            Kind::Credentials
        }
        kind => kind,
    };
    // The words around a broken connection name the request, which the error does by itself.
    let words = match kind {
        Kind::Network | Kind::Timeout => root(error),
        _ => text.clone(),
    };
    Diagnosis {
        kind,
        detail: detail(&words, cloud, kind),
        remedy: remedy(cloud, kind, &text).to_owned(),
    }
}

/// The error and everything beneath it, each said once.
fn chain(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = error.source();
    }
    cut(&text, LOOK).to_owned()
}

/// The error beneath all others.
fn root(error: &object_store::Error) -> String {
    let mut root: &dyn StdError = error;
    while let Some(beneath) = root.source() {
        root = beneath;
    }
    root.to_string()
}

fn connection(error: &object_store::Error) -> Option<HttpErrorKind> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return Some(http.kind());
        }
        next = error.source();
    }
    None
}

fn local(error: &object_store::Error) -> Option<std::io::ErrorKind> {
    let mut next = error.source();
    let mut found = None;
    while let Some(error) = next {
        if error.downcast_ref::<HttpError>().is_some() {
            return None;
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            found = Some(io.kind());
        }
        next = error.source();
    }
    found
}

/// The kind, from the words of an answer, its status, and how the connection ended.
fn kind_of(
    text: &str,
    connection: Option<HttpErrorKind>,
    local: Option<std::io::ErrorKind>,
) -> Kind {
    if let Some(kind) = code(text).and_then(kind_of_code) {
        return kind;
    }
    if has_skew(text) {
        return Kind::Clock;
    }
    if text.contains("invalid_grant") || text.contains("invalid_client") {
        return Kind::Credentials;
    }
    if text.contains("redirect without LOCATION") {
        return Kind::Region;
    }
    match status(text) {
        Some(401) => return Kind::Credentials,
        Some(403) => return Kind::Permission,
        Some(404) => return Kind::NotFound,
        Some(301 | 307 | 308) => return Kind::Region,
        Some(408 | 504) => return Kind::Timeout,
        Some(413) => return Kind::TooLarge,
        Some(429 | 503) => return Kind::Busy,
        Some(405 | 501) => return Kind::Unsupported,
        Some(500..=599) => return Kind::Server,
        Some(_) => return Kind::Unexpected,
        None => {}
    }
    match connection {
        Some(HttpErrorKind::Timeout) => return Kind::Timeout,
        Some(_) => return Kind::Network,
        None => {}
    }
    match local {
        Some(std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem) => {
            Kind::Permission
        }
        Some(std::io::ErrorKind::NotFound) => Kind::NotFound,
        Some(_) => Kind::Local,
        None => Kind::Unexpected,
    }
}

fn kind_of_code(code: &str) -> Option<Kind> {
    Some(match code {
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "InvalidSecurity"
        | "NotSignedUp"
        | "AuthenticationFailed"
        | "AuthenticationRequired"
        | "NoAuthenticationInformation"
        | "InvalidAuthenticationInfo"
        | "MissingSecurityHeader"
        | "Unauthorized" => Kind::Credentials,
        "AccessDenied"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "UserProjectAccountProblem"
        | "AuthorizationFailure"
        | "AuthorizationPermissionMismatch"
        | "InsufficientAccountPermissions"
        | "InvalidPayer" => Kind::Permission,
        "RequestTimeTooSkewed" | "RequestExpired" => Kind::Clock,
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "IllegalLocationConstraintException" => Kind::Region,
        "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted" => Kind::NoBucket,
        "NoSuchKey" | "BlobNotFound" | "NoSuchUpload" => Kind::NotFound,
        "PreconditionFailed" | "BlobAlreadyExists" | "ConditionNotMet" => Kind::Conflict,
        "SlowDown"
        | "ServiceUnavailable"
        | "ServerBusy"
        | "TooManyRequests"
        | "Throttling"
        | "RequestLimitExceeded"
        | "OperationAborted"
        | "ConditionalRequestConflict" => Kind::Busy,
        "RequestTimeout" | "OperationTimedOut" => Kind::Timeout,
        "InternalError" | "BackendError" => Kind::Server,
        "EntityTooLarge" | "RequestBodyTooLarge" => Kind::TooLarge,
        "NotImplemented" | "MethodNotAllowed" => Kind::Unsupported,
        _ => return None,
    })
}

/// Where machines of the clouds ask who they are: Amazon and containers, Azure, Google.
const METADATA_SERVICES: [&str; 6] = [
    "169.254.169.254",
    "169.254.170.2",
    "/latest/api/token",
    "/latest/meta-data/",
    "metadata.google.internal",
    "/computeMetadata/",
];

/// Where the clouds hand out tokens.
const TOKEN_SERVICES: [&str; 3] =
    ["oauth2.googleapis.com", "login.microsoftonline.com", "https://sts."];

fn names(text: &str, places: &[&str]) -> bool {
    places.iter().any(|place| text.contains(place))
}

fn has_skew(text: &str) -> bool {
    // Google's token service, and Azure's words within AuthenticationFailed.
    text.contains("short-lived token") || text.contains("Request date header too old")
}

fn names_bucket(text: &str) -> bool {
    matches!(code(text), Some("NoSuchBucket" | "ContainerNotFound"))
        || text.contains("The specified bucket does not exist")
}

/// The code of an answer's body.
fn code(text: &str) -> Option<&str> {
    let code = element(text, "<Code>", "</Code>")?;
    // Azure says AuthenticationFailed for a clock that is off, too.
    (!(code == "AuthenticationFailed" && has_skew(text))).then_some(code)
}

fn element<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(open)?;
    let (inner, _) = rest.split_once(close)?;
    Some(inner.trim())
}

/// The HTTP status, as the client writes it.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

fn detail(text: &str, cloud: Cloud, kind: Kind) -> String {
    let words = match (element(text, "<Code>", "</Code>"), element(text, "<Message>", "</Message>"))
    {
        (Some(code), Some(message)) if !message.is_empty() => format!("{code}: {message}"),
        (Some(code), _) => code.to_owned(),
        (None, _) => match status(text) {
            Some(status) => format!("answer {status}: {}", after_status(text)),
            None => text.to_owned(),
        },
    };
    let words = one_line(cut(&words, QUOTE));
    let head = match kind {
        Kind::Network => "the service could not be reached",
        Kind::Timeout => "the service did not answer in time",
        Kind::Busy => "the service asks for fewer requests",
        Kind::Server => "the service failed",
        Kind::Credentials => "the credentials were refused or could not be had",
        Kind::Permission if cloud == Cloud::Local => "the file system does not allow it",
        Kind::Permission => "the credentials may not do this",
        Kind::Clock => "this machine's clock differs too much from the service's",
        Kind::Region => "the bucket is in another region",
        Kind::NoBucket => "there is no such bucket",
        Kind::NotFound => "there is no such object",
        Kind::Conflict => "an object of that name is there already",
        Kind::TooLarge => "the service takes nothing that large",
        Kind::Unsupported => "the service does not know this operation",
        Kind::Local => "the file system refused",
        Kind::Configuration => "the name cannot be used",
        Kind::Damaged | Kind::Unexpected => "unexpected answer",
    };
    format!("{head} ({words})")
}

fn after_status(text: &str) -> &str {
    text.split_once("status code: ").map_or(text, |(_, rest)| rest.get(3..).unwrap_or("").trim())
}

/// Text without line breaks and control characters, and with single blanks.
fn one_line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many bytes of a text, cut between characters.
fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most { text } else { text.get(..text.floor_char_boundary(most)).unwrap_or("") }
}

fn remedy(cloud: Cloud, kind: Kind, text: &str) -> &'static str {
    match (kind, cloud) {
        (Kind::Network, _) if text.contains("dns") || text.contains("resolve") => {
            "check the name in `endpoint` and this machine's name resolution"
        }
        (Kind::Network, _) => "check `endpoint`, the route, the proxy and the firewall",
        (Kind::Timeout, _) => "check the route and the load of the service",
        (Kind::Credentials, Cloud::S3) => {
            "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile that AWS_PROFILE \
             names, or the role of the instance, and whether they have expired"
        }
        (Kind::Credentials, Cloud::Gcs) => {
            "check GOOGLE_APPLICATION_CREDENTIALS, the application default credentials, or the \
             service account of the instance"
        }
        (Kind::Credentials, Cloud::Azure) => {
            "check AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN \
             or the managed identity"
        }
        (Kind::Permission, Cloud::S3) => {
            "grant s3:PutObject, s3:GetObject, s3:DeleteObject and s3:ListBucket on the bucket and \
             prefix; S3 also answers so for a bucket that does not exist"
        }
        (Kind::Permission, Cloud::Gcs) => {
            "grant roles/storage.objectUser on the bucket to this account"
        }
        (Kind::Permission, Cloud::Azure) => {
            "grant the role Storage Blob Data Contributor on the container"
        }
        (Kind::Permission, Cloud::Local) => {
            "give this user the right to write into the folder; a service of systemd may also need \
             ReadWritePaths= with the folder (systemctl edit)"
        }
        (Kind::Clock, _) => "set this machine's clock, for example by chrony or systemd-timesyncd",
        (Kind::Region, _) => "set `region` to the bucket's region",
        (Kind::NoBucket, Cloud::Local) => "create the folder or correct `url`",
        (Kind::NoBucket, _) => "create the bucket or correct `url`",
        (Kind::Busy | Kind::Server, _) => "it is tried again later",
        (Kind::Local, _) => "check free space and the file system's health",
        (Kind::Conflict, _) => {
            "find out who else writes there: names are made of host, boot, run and sequence"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: &str, body: &str) -> object_store::Error {
        let text = format!("Server returned non-2xx status code: {status}: {body}");
        object_store::Error::Generic { store: "S3", source: text.into() }
    }

    #[track_caller]
    fn check(cloud: Cloud, status: &str, body: &str, kind: Kind, part: &str) {
        let found = diagnose(cloud, &answer(status, body));
        assert_eq!(found.kind, kind, "{found:?}");
        let said = format!("{}; {}", found.detail, found.remedy);
        assert!(said.contains(part), "{said}");
    }

    fn body(code: &str, message: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        )
    }

    #[test]
    fn a_refused_signature_is_about_credentials() {
        let body = body("SignatureDoesNotMatch", "The request signature we calculated differs");
        check(Cloud::S3, "403 Forbidden", &body, Kind::Credentials, "AWS_SECRET_ACCESS_KEY");
    }

    #[test]
    fn a_clock_that_is_off_is_told_apart_from_wrong_credentials() {
        let skewed = body("RequestTimeTooSkewed", "The difference is too large.");
        check(Cloud::S3, "403 Forbidden", &skewed, Kind::Clock, "chrony");
        let azure = body("AuthenticationFailed", "Request date header too old: 'x'");
        check(Cloud::Azure, "403 Forbidden", &azure, Kind::Clock, "clock");
        let google = r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes)"}"#;
        check(Cloud::Gcs, "400 Bad Request", google, Kind::Clock, "clock");
    }

    #[test]
    fn permission_region_and_bucket_are_told_apart() {
        let denied = body("AccessDenied", "Access Denied");
        check(Cloud::S3, "403 Forbidden", &denied, Kind::Permission, "s3:PutObject");
        let region = body("AuthorizationHeaderMalformed", "expecting 'eu-west-1'");
        check(Cloud::S3, "400 Bad Request", &region, Kind::Region, "eu-west-1");
        let missing = body("NoSuchBucket", "The specified bucket does not exist");
        check(Cloud::Gcs, "404 Not Found", &missing, Kind::NoBucket, "create the bucket");
    }

    #[test]
    fn an_answer_without_a_body_is_judged_by_its_status() {
        check(Cloud::S3, "403 Forbidden", "", Kind::Permission, "may not");
        check(Cloud::S3, "503 Service Unavailable", "", Kind::Busy, "503");
        check(Cloud::S3, "500 Internal Server Error", "oops", Kind::Server, "oops");
        check(Cloud::S3, "401 Unauthorized", "", Kind::Credentials, "refused");
        check(Cloud::S3, "418 I'm a teapot", "", Kind::Unexpected, "418");
    }

    #[test]
    fn trouble_at_the_metadata_service_is_about_credentials() {
        let text = "Error performing PUT http://169.254.169.254/latest/api/token in 1s";
        let error = object_store::Error::Generic { store: "S3", source: text.into() };
        assert_eq!(diagnose(Cloud::S3, &error).kind, Kind::Credentials);
    }

    #[test]
    fn a_broken_connection_is_told_by_its_cause() {
        let broken = |kind, cause: &str| {
            let source = HttpError::new(kind, std::io::Error::other(cause.to_owned()));
            diagnose(
                Cloud::S3,
                &object_store::Error::Generic { store: "S3", source: source.into() },
            )
        };
        let unknown = broken(HttpErrorKind::Connect, "dns error: failed to lookup address");
        assert_eq!(unknown.kind, Kind::Network);
        assert!(unknown.detail.contains("failed to lookup"), "{unknown:?}");
        assert!(unknown.remedy.contains("name resolution"), "{unknown:?}");
        let late = broken(HttpErrorKind::Timeout, "operation timed out");
        assert_eq!(late.kind, Kind::Timeout);
    }

    #[test]
    fn a_full_disk_is_local() {
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error =
            object_store::Error::Generic { store: "LocalFileSystem", source: source.into() };
        assert_eq!(diagnose(Cloud::Local, &error).kind, Kind::Local);
    }

    #[test]
    fn a_folder_that_a_service_may_not_write_says_how_to_allow_it() {
        let source = std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
        let error =
            object_store::Error::Generic { store: "LocalFileSystem", source: source.into() };
        let found = diagnose(Cloud::Local, &error);
        assert_eq!(found.kind, Kind::Permission);
        assert!(found.remedy.contains("ReadWritePaths="), "{found:?}");
    }

    #[test]
    fn a_long_answer_is_cut() {
        let found = diagnose(Cloud::S3, &answer("500 Internal", &"é".repeat(100_000)));
        assert!(found.detail.len() < 2 * QUOTE, "{}", found.detail.len());
    }

    proptest! {
        #[test]
        fn any_answer_has_a_diagnosis_in_one_line(status in "[0-9a-z ]{0,8}", body in ".*") {
            let found = diagnose(Cloud::S3, &answer(&status, &body));
            prop_assert!(!found.detail.chars().any(char::is_control));
        }
    }
}
