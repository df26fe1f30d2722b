//! Opening a place: from a [`Destination`] to an [`Archive`].
//!
//! Opening builds a client and looks for credentials in files and variables; it sends nothing.
//! The clients speak TLS by rustls with ring and the machine's root certificates.
//!
//! Invariants: a request has a deadline, and is repeated a few times at most inside one call:
//! the patience of an uploader is [`Backoff`](crate::Backoff)'s, outside.

mod azure;
mod folder;
mod gcs;
mod s3;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::compress::Compression;
use crate::destination::{Destination, Place};
use crate::environment::Environment;
use crate::error::{Cloud, Error, Kind, Result};
use crate::write::AT_ONCE;

pub(crate) const OPEN: &str = "open";

/// What a place is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Putting batches: fails early, because the caller keeps the batch and comes back.
    Write,
    /// Reading back: tries longer, because a listing of thousands of pages begins anew otherwise.
    Read,
}

/// A place for objects, opened. Cheap to clone.
#[derive(Clone)]
pub struct Archive(Arc<Inner>);

struct Inner {
    name: String,
    place: String,
    cloud: Cloud,
    prefix: Path,
    /// The folder itself, where the place is one.
    folder: Option<PathBuf>,
    store: Arc<dyn ObjectStore>,
    compression: Compression,
    timeout: Duration,
    multipart: Multipart,
    /// How many of the next batches may be there with another compression.
    twins_to_look_for: AtomicUsize,
}

/// When an object is put in several requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multipart {
    /// Objects above this size, in bytes.
    pub above: usize,
    /// The size of a part, in bytes; services want 5 MiB at least.
    pub part: usize,
}

impl Default for Multipart {
    fn default() -> Self {
        Self { above: 64 << 20, part: 16 << 20 }
    }
}

impl Archive {
    /// Opens a destination. Nothing is sent; what the place itself has to say, [`probe`] finds.
    ///
    /// Fails with [`Kind::Configuration`] for what [`Destination::problems`] tells, and with
    /// [`Kind::Credentials`] for files of credentials that cannot be used.
    ///
    /// [`probe`]: Archive::probe
    pub fn open(
        destination: &Destination,
        environment: &Environment,
        access: Access,
    ) -> Result<Self> {
        let problems = destination.problems();
        if !problems.is_empty() {
            let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let subject = format!("destination {}", destination.name);
            return Err(Error::new(Kind::Configuration, OPEN, subject, texts.join("; ")));
        }
        let place = destination.place().map_err(|text| {
            Error::new(Kind::Configuration, OPEN, format!("destination {}", destination.name), text)
        })?;
        let request = Request { destination, environment, place: place.text(), access };
        let (cloud, prefix, store, folder): (_, _, Arc<dyn ObjectStore>, _) = match place {
            Place::Bucket { cloud: Cloud::Gcs, bucket, prefix } => {
                (Cloud::Gcs, prefix, Arc::new(gcs::open(&request, &bucket)?), None)
            }
            Place::Bucket { cloud: Cloud::Azure, bucket, prefix } => {
                (Cloud::Azure, prefix, Arc::new(azure::open(&request, &bucket)?), None)
            }
            Place::Bucket { bucket, prefix, .. } => {
                (Cloud::S3, prefix, Arc::new(s3::open(&request, &bucket)?), None)
            }
            Place::Folder(path) => {
                let store = Arc::new(folder::open(&request, &path)?);
                (Cloud::Local, String::new(), store, Some(path))
            }
        };
        let prefix = Path::parse(&prefix).map_err(|error| request.error(cloud, error.into()))?;
        let place = request.place;
        Ok(Self(Arc::new(Inner {
            name: destination.name.clone(),
            place,
            cloud,
            prefix,
            folder,
            store,
            compression: destination.compression,
            timeout: destination.request_timeout,
            multipart: Multipart::default(),
            twins_to_look_for: AtomicUsize::new(AT_ONCE),
        })))
    }

    /// A place in this process's memory, for tests and examples.
    pub fn memory(name: &str) -> Self {
        Self(Arc::new(Inner {
            name: name.to_owned(),
            place: format!("memory://{name}"),
            cloud: Cloud::Memory,
            prefix: Path::default(),
            folder: None,
            store: Arc::new(object_store::memory::InMemory::new()),
            compression: Compression::default(),
            timeout: Duration::from_secs(60),
            multipart: Multipart::default(),
            twins_to_look_for: AtomicUsize::new(AT_ONCE),
        }))
    }

    /// The same place with another size from which objects are put in parts.
    pub fn with_multipart(&self, multipart: Multipart) -> Self {
        Self(Arc::new(Inner {
            name: self.0.name.clone(),
            place: self.0.place.clone(),
            cloud: self.0.cloud,
            prefix: self.0.prefix.clone(),
            folder: self.0.folder.clone(),
            store: self.0.store.clone(),
            compression: self.0.compression,
            timeout: self.0.timeout,
            multipart,
            twins_to_look_for: AtomicUsize::new(AT_ONCE),
        }))
    }

    /// The destination's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The place as people write it, such as `s3://bucket/prefix`.
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// What answers there.
    pub fn cloud(&self) -> Cloud {
        self.0.cloud
    }

    /// How new objects are to be compressed.
    pub fn compression(&self) -> Compression {
        self.0.compression
    }

    /// The client and the prefix, for programs that read objects in ways of their own, such as a
    /// query engine.
    pub fn object_store(&self) -> (Arc<dyn ObjectStore>, Path) {
        (self.0.store.clone(), self.0.prefix.clone())
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.0.store
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    pub(crate) fn multipart(&self) -> Multipart {
        self.0.multipart
    }

    pub(crate) fn twins_to_look_for(&self) -> &AtomicUsize {
        &self.0.twins_to_look_for
    }

    /// Whether the store keeps attributes beside the bytes.
    pub(crate) fn keeps_attributes(&self) -> bool {
        self.0.cloud != Cloud::Local
    }

    pub(crate) fn folder(&self) -> Option<&std::path::Path> {
        self.0.folder.as_deref()
    }

    /// The store's path of something below the prefix.
    pub(crate) fn path(&self, below: &str) -> Result<Path> {
        let full = match self.0.prefix.as_ref() {
            "" => below.to_owned(),
            prefix => format!("{prefix}/{below}"),
        };
        Path::parse(full).map_err(|error| self.error("name", below, error.into()))
    }

    /// The part of a store's path below the prefix.
    pub(crate) fn below<'p>(&self, path: &'p Path) -> &'p str {
        let path = path.as_ref();
        let below = path.strip_prefix(self.0.prefix.as_ref()).unwrap_or(path);
        below.strip_prefix('/').unwrap_or(below)
    }

    /// The name of something below the prefix as errors show it.
    pub(crate) fn subject(&self, below: &str) -> String {
        format!("{}/{below}", self.0.place)
    }

    /// What an error of the client from [`Archive::object_store`] means. `operation` completes
    /// "cannot ...", `below` names what was asked for, below the prefix.
    pub fn error(
        &self,
        operation: &'static str,
        below: &str,
        source: object_store::Error,
    ) -> Error {
        Error::from_store(operation, self.subject(below), self.0.cloud, source)
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Archive({} at {})", self.0.name, self.0.place)
    }
}

/// What the clients are built from.
struct Request<'r> {
    destination: &'r Destination,
    environment: &'r Environment,
    place: String,
    access: Access,
}

/// The time to make a connection.
const CONNECT: Duration = Duration::from_secs(10);

impl Request<'_> {
    fn client_options(&self, allow_http: bool) -> ClientOptions {
        let agent = http_agent();
        let options = ClientOptions::new()
            .with_allow_http(allow_http)
            .with_timeout(self.destination.request_timeout)
            .with_connect_timeout(CONNECT.min(self.destination.request_timeout));
        match agent {
            Some(agent) => options.with_user_agent(agent),
            None => options,
        }
    }

    fn retries(&self) -> RetryConfig {
        let (max_retries, retry_timeout, max_backoff) = match self.access {
            Access::Write => (1, Duration::from_secs(10), Duration::from_secs(1)),
            Access::Read => (6, Duration::from_secs(120), Duration::from_secs(15)),
        };
        let init_backoff = Duration::from_millis(100);
        RetryConfig {
            backoff: BackoffConfig { init_backoff, max_backoff, base: 2.0 },
            max_retries,
            retry_timeout,
        }
    }

    fn subject(&self) -> String {
        format!("destination {} ({})", self.destination.name, self.place)
    }

    /// An error of building a client.
    fn error(&self, cloud: Cloud, source: object_store::Error) -> Error {
        Error::from_store(OPEN, self.subject(), cloud, source)
    }

    fn found(&self, kind: Kind, detail: impl Into<String>) -> Error {
        Error::new(kind, OPEN, self.subject(), detail)
    }
}

fn http_agent() -> Option<object_store::HeaderValue> {
    object_store::HeaderValue::from_str(concat!("forebear/", env!("CARGO_PKG_VERSION"))).ok()
}
