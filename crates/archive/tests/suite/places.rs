//! The places that are tried, each with what serves it.

use forebear_archive::{Access, Archive, Compression, Destination, Environment};
use forebear_testkit::bucket::{Gcs, S3};

/// A place and its server, which ends with it.
pub(crate) struct Place {
    pub(crate) archive: Archive,
    /// Opens the place anew, as a program that starts again does.
    reopen: Box<dyn Fn(Compression) -> Archive + Send + Sync>,
    _server: Box<dyn Send + Sync>,
}

impl Place {
    fn new(
        server: impl Send + Sync + 'static,
        reopen: impl Fn(Compression) -> Archive + Send + Sync + 'static,
    ) -> Self {
        let archive = reopen(Compression::Zstd);
        Self { archive, reopen: Box::new(reopen), _server: Box::new(server) }
    }

    pub(crate) fn of(reopen: impl Fn(Compression) -> Archive + Send + Sync + 'static) -> Self {
        Self::new((), reopen)
    }

    pub(crate) fn reopened(&self, compression: Compression) -> Archive {
        (self.reopen)(compression)
    }
}

pub(crate) fn memory() -> Place {
    let archive = Archive::memory("memory");
    // Memory has nothing to be opened again; its settings do not matter to a batch.
    Place::of(move |_| archive.with_multipart(archive_default()))
}

fn archive_default() -> forebear_archive::Multipart {
    forebear_archive::Multipart::default()
}

pub(crate) fn folder() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let url = url::Url::from_file_path(dir.path().join("archive")).unwrap().to_string();
    Place::new(dir, move |compression| {
        let mut destination = Destination::new("folder", url.clone());
        destination.compression = compression;
        Archive::open(&destination, &Environment::default(), Access::Write).unwrap()
    })
}

pub(crate) fn s3() -> Place {
    let server = S3::start("bucket");
    let (endpoint, environment) = (server.endpoint(), server.environment());
    Place::new(server, move |compression| {
        let destination = at(&endpoint, "s3://bucket/some/prefix", compression);
        let environment = environment.clone().into_iter().collect();
        Archive::open(&destination, &environment, Access::Write).unwrap()
    })
}

pub(crate) fn gcs() -> Place {
    let server = Gcs::start("bucket");
    let endpoint = server.endpoint();
    Place::new(server, move |compression| {
        let mut destination = at(&endpoint, "gs://bucket/prefix", compression);
        destination.anonymous = true;
        Archive::open(&destination, &Environment::default(), Access::Write).unwrap()
    })
}

/// A destination at a server on loopback.
pub(crate) fn at(endpoint: &str, url: &str, compression: Compression) -> Destination {
    let mut destination = Destination::new("bucket", url);
    destination.endpoint = Some(endpoint.to_owned());
    destination.allow_http = true;
    destination.compression = compression;
    destination
}
