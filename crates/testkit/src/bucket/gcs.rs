//! A look-alike of Cloud Storage's XML API, as Google documents it ("XML API reference"): objects
//! with conditions on their generation, ranges, listing by pages, uploads in parts, and errors
//! with their codes.
//!
//! Not modelled: access control beyond one bearer token, versions of an object that was
//! overwritten, decompressive transcoding, checksums.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};

use super::door::{Answering, Door, Service};
use super::shelf::{Item, Kept, PAGE, PartsError, Shared, Shelf};

mod calendar;
mod refusal;
mod words;

use refusal::{ARGUMENT, CONDITION, NO_KEY, NO_UPLOAD, Refusal};
use words::{decode, element, elements, escape, query};

const GENERATION: &str = "x-goog-generation";
const IF_GENERATION: &str = "x-goog-if-generation-match";
const META: &str = "x-goog-meta-";

/// A bucket in a Cloud Storage look-alike.
#[derive(Debug)]
pub struct Gcs {
    door: Door,
    bucket: String,
    objects: Shared,
}

impl Gcs {
    /// Starts a server with one bucket that everybody may use.
    pub fn start(bucket: &str) -> Self {
        Self::open(bucket, Callers::Everybody)
    }

    /// Starts a server whose bucket is only for those who show this token.
    pub fn start_with_token(bucket: &str, token: &str) -> Self {
        Self::open(bucket, Callers::Token(token.to_owned()))
    }

    /// Starts a server whose bucket is only for a service account, which shows a token that it has
    /// signed itself. Its claims are looked at, its signature is not.
    pub fn start_for_account(bucket: &str, email: &str) -> Self {
        Self::open(bucket, Callers::Account(email.to_owned()))
    }

    fn open(bucket: &str, callers: Callers) -> Self {
        let objects = Shared::new();
        let api = Api { bucket: bucket.to_owned(), callers, objects: objects.clone() };
        Self { door: Door::open(api), bucket: bucket.to_owned(), objects }
    }

    /// The bucket as a URL.
    pub fn url(&self) -> String {
        format!("gs://{}", self.bucket)
    }

    /// Everything in the bucket, by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.objects.objects()
    }

    /// What is kept beside the bytes of an object.
    pub fn kept(&self, key: &str) -> Option<Kept> {
        self.objects.with(|shelf| shelf.items.get(key).map(|item| item.kept.clone()))
    }

    /// Removes an object behind the server's back; says whether it was there.
    pub fn remove(&self, key: &str) -> bool {
        self.objects.with(|shelf| shelf.items.remove(key).is_some())
    }

    /// Whether the bucket exists; its objects stay while it does not.
    pub fn set_exists(&self, exists: bool) {
        self.objects.with(|shelf| shelf.exists = exists);
    }

    /// Uploads in parts that were begun and neither finished nor given up.
    pub fn unfinished_uploads(&self) -> usize {
        self.objects.with(|shelf| shelf.uploads.len())
    }
}

/// The door, with its address and faults.
impl Deref for Gcs {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

/// Who may use a bucket.
enum Callers {
    Everybody,
    Token(String),
    Account(String),
}

impl Callers {
    fn know(&self, authorization: &str) -> bool {
        let Some(shown) = authorization.strip_prefix("Bearer ") else { return false };
        match self {
            Self::Everybody => true,
            Self::Token(token) => shown == token,
            Self::Account(email) => {
                let claims = || {
                    let claims = BASE64_URL_SAFE_NO_PAD.decode(shown.split('.').nth(1)?).ok()?;
                    serde_json::from_slice::<serde_json::Value>(&claims).ok()
                };
                claims().is_some_and(|claims| claims["iss"] == **email)
            }
        }
    }
}

struct Api {
    bucket: String,
    callers: Callers,
    objects: Shared,
}

impl Service for Api {
    fn answer(&self, request: Request<Bytes>) -> Answering {
        let answer = self.objects.with(|shelf| self.handle(shelf, &request));
        let answer = answer.unwrap_or_else(|refusal| refusal.answer());
        Box::pin(async move { answer })
    }
}

type Answer = Result<Response<Bytes>, Refusal>;

impl Api {
    fn handle(&self, shelf: &mut Shelf, request: &Request<Bytes>) -> Answer {
        let path = decode(request.uri().path().trim_start_matches('/'));
        let query = query(request.uri().query().unwrap_or_default());
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        self.authorize(request.headers())?;
        if bucket != self.bucket || !shelf.exists {
            let text = "The specified bucket does not exist.";
            return Err(Refusal(StatusCode::NOT_FOUND, "NoSuchBucket", text));
        }
        let upload = query.get("uploadId");
        match (request.method(), key, upload) {
            (&Method::GET, "", _) => Ok(list(shelf, bucket, &query)),
            (&Method::POST, key, None) if query.contains_key("uploads") && !key.is_empty() => {
                Ok(begin(shelf, bucket, key, request.headers()))
            }
            (&Method::PUT, _, Some(id)) => put_part(shelf, id, &query, request.body()),
            (&Method::POST, _, Some(id)) => complete(shelf, bucket, id, request.body()),
            (&Method::DELETE, _, Some(id)) => match shelf.uploads.remove(id) {
                Some(_) => Ok(empty(StatusCode::NO_CONTENT)),
                None => Err(NO_UPLOAD),
            },
            (&Method::PUT, key, None) if !key.is_empty() => put(shelf, key, request),
            (&Method::GET | &Method::HEAD, key, None) => get(shelf, key, request),
            (&Method::DELETE, key, None) => {
                shelf.items.remove(key).map(|_| empty(StatusCode::NO_CONTENT)).ok_or(NO_KEY)
            }
            _ => Err(Refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )),
        }
    }

    fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if matches!(self.callers, Callers::Everybody) {
            return Ok(());
        }
        match text(headers, "authorization") {
            Some(shown) if self.callers.know(shown) => Ok(()),
            Some(_) => Err(Refusal(
                StatusCode::UNAUTHORIZED,
                "AuthenticationRequired",
                "Authentication required.",
            )),
            None => Err(Refusal(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                "Anonymous caller does not have storage.objects.create access.",
            )),
        }
    }
}

fn put(shelf: &mut Shelf, key: &str, request: &Request<Bytes>) -> Answer {
    check_generation(request.headers(), shelf.items.get(key))?;
    let item = shelf.put(key, request.body().clone(), kept(request.headers()));
    let mut answer = empty(StatusCode::OK);
    say_version(answer.headers_mut(), &item);
    Ok(answer)
}

/// `0` means that there must be none; another number, that it must be the present one.
fn check_generation(headers: &HeaderMap, item: Option<&Item>) -> Result<(), Refusal> {
    let Some(wanted) = text(headers, IF_GENERATION) else { return Ok(()) };
    let wanted: u64 = wanted.parse().map_err(|_| ARGUMENT)?;
    let present = item.map_or(0, |item| item.version);
    if wanted == present { Ok(()) } else { Err(CONDITION) }
}

fn get(shelf: &Shelf, key: &str, request: &Request<Bytes>) -> Answer {
    let item = shelf.items.get(key).ok_or(NO_KEY)?;
    check_generation(request.headers(), Some(item))?;
    let length = item.body.len();
    let range = match text(request.headers(), "range") {
        Some(range) => Some(parse_range(range, length).ok_or(Refusal(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "InvalidRange",
            "The requested range cannot be satisfied.",
        ))?),
        None => None,
    };
    let shown = range.clone().unwrap_or(0..length);
    let mut answer = Response::new(item.body.slice(shown.clone()));
    if range.is_some() {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let headers = answer.headers_mut();
    say_version(headers, item);
    say(headers, header::LAST_MODIFIED, &calendar::http_date(item.modified));
    say(headers, header::CONTENT_LENGTH, &shown.len().to_string());
    if range.is_some() {
        let of = format!("bytes {}-{}/{length}", shown.start, shown.end.saturating_sub(1));
        say(headers, header::CONTENT_RANGE, &of);
    }
    let kept = [
        (header::CONTENT_TYPE, &item.kept.content_type),
        (header::CONTENT_ENCODING, &item.kept.content_encoding),
        (header::CACHE_CONTROL, &item.kept.cache_control),
    ];
    for (name, value) in kept {
        if let Some(value) = value {
            say(headers, name, value);
        }
    }
    for (name, value) in &item.kept.metadata {
        if let Ok(name) = HeaderName::try_from(format!("{META}{name}")) {
            say(headers, name, value);
        }
    }
    if request.method() == Method::HEAD {
        *answer.body_mut() = Bytes::new();
    }
    Ok(answer)
}

/// RFC 9110, section 14.1.2: one range of bytes.
fn parse_range(text: &str, length: usize) -> Option<std::ops::Range<usize>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = if first.is_empty() {
        length.saturating_sub(last.parse().ok()?)..length
    } else {
        let end = if last.is_empty() { length } else { last.parse::<usize>().ok()? + 1 };
        first.parse().ok()?..end.min(length)
    };
    (range.start < length && range.start < range.end).then_some(range)
}

fn list(shelf: &Shelf, bucket: &str, query: &BTreeMap<String, String>) -> Response<Bytes> {
    let get = |name: &str| query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let most = get("max-keys").and_then(|most| most.parse().ok()).unwrap_or(PAGE).min(PAGE);
    let after = get("continuation-token").or_else(|| get("start-after"));
    let prefix = get("prefix").unwrap_or_default();
    let page = shelf.page(prefix, get("delimiter"), after, most);
    let mut text = format!(
        "<?xml version='1.0' encoding='UTF-8'?>\
         <ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>\
         <Name>{bucket}</Name><Prefix>{}</Prefix><IsTruncated>{}</IsTruncated>\
         <KeyCount>{}</KeyCount>",
        escape(prefix),
        page.next.is_some(),
        page.items.len() + page.folders.len()
    );
    if let Some(next) = &page.next {
        text += &format!("<NextContinuationToken>{}</NextContinuationToken>", escape(next));
    }
    for (key, item) in &page.items {
        text += &format!(
            "<Contents><Key>{}</Key><Generation>{}</Generation><MetaGeneration>1</MetaGeneration>\
             <LastModified>{}</LastModified><ETag>\"{}\"</ETag><Size>{}</Size></Contents>",
            escape(key),
            item.version,
            calendar::rfc3339(item.modified),
            item.tag(),
            item.body.len()
        );
    }
    for folder in &page.folders {
        text += &format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escape(folder));
    }
    xml(StatusCode::OK, text + "</ListBucketResult>")
}

fn begin(shelf: &mut Shelf, bucket: &str, key: &str, headers: &HeaderMap) -> Response<Bytes> {
    let id = shelf.begin_upload(key, kept(headers));
    let text = format!(
        "<?xml version='1.0' encoding='UTF-8'?><InitiateMultipartUploadResult>\
         <Bucket>{bucket}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
         </InitiateMultipartUploadResult>",
        escape(key)
    );
    xml(StatusCode::OK, text)
}

fn put_part(shelf: &mut Shelf, id: &str, query: &BTreeMap<String, String>, body: &Bytes) -> Answer {
    let number = query.get("partNumber").and_then(|number| number.parse().ok());
    let number = number.filter(|number| (1..=10_000).contains(number)).ok_or(ARGUMENT)?;
    let tag = shelf.put_part(id, number, body.clone()).ok_or(NO_UPLOAD)?;
    let mut answer = empty(StatusCode::OK);
    say(answer.headers_mut(), header::ETAG, &format!("\"{tag}\""));
    Ok(answer)
}

fn complete(shelf: &mut Shelf, bucket: &str, id: &str, body: &Bytes) -> Answer {
    let body = String::from_utf8_lossy(body);
    let wanted: Option<Vec<(u32, String)>> = elements(&body, "Part")
        .map(|part| {
            let number = element(part, "PartNumber")?.parse().ok()?;
            Some((number, element(part, "ETag")?.replace("&quot;", "\"")))
        })
        .collect();
    let wanted = wanted.ok_or(Refusal(
        StatusCode::BAD_REQUEST,
        "MalformedCompleteMultipartUploadRequest",
        "The XML is not a list of parts.",
    ))?;
    let key = shelf.uploads.get(id).map(|upload| upload.key.clone()).unwrap_or_default();
    let item = shelf.complete(id, &wanted).map_err(|error| match error {
        PartsError::NoSuchUpload => NO_UPLOAD,
        PartsError::InvalidPart => {
            Refusal(StatusCode::BAD_REQUEST, "InvalidPart", "A part was not found or differs.")
        }
        PartsError::InvalidPartOrder => {
            Refusal(StatusCode::BAD_REQUEST, "InvalidPartOrder", "Parts are not in order.")
        }
        PartsError::EntityTooSmall => {
            Refusal(StatusCode::BAD_REQUEST, "EntityTooSmall", "A part is too small.")
        }
    })?;
    let text = format!(
        "<?xml version='1.0' encoding='UTF-8'?><CompleteMultipartUploadResult>\
         <Bucket>{bucket}</Bucket><Key>{}</Key><ETag>\"{}\"</ETag>\
         </CompleteMultipartUploadResult>",
        escape(&key),
        item.tag()
    );
    let mut answer = xml(StatusCode::OK, text);
    say_version(answer.headers_mut(), &item);
    Ok(answer)
}

fn kept(headers: &HeaderMap) -> Kept {
    let one = |name: &str| text(headers, name).map(str::to_owned);
    let metadata = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix(META)?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    Kept {
        content_type: one("content-type"),
        content_encoding: one("content-encoding"),
        cache_control: one("cache-control"),
        metadata,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn say(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn say_version(headers: &mut HeaderMap, item: &Item) {
    say(headers, header::ETAG, &format!("\"{}\"", item.tag()));
    say(headers, HeaderName::from_static(GENERATION), &item.version.to_string());
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

fn xml(status: StatusCode, text: String) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(text));
    *answer.status_mut() = status;
    say(answer.headers_mut(), header::CONTENT_TYPE, "application/xml; charset=UTF-8");
    answer
}

/// Seconds since the epoch.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
