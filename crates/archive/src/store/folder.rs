//! A folder of this machine, or of a file server.
//!
//! For writing it is made if its parent exists; a mount that is missing is thereby told, and not
//! filled in beneath.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use object_store::local::LocalFileSystem;

use super::{Access, OPEN, Request};
use crate::error::{Cloud, Error, Kind, Result};

pub(super) fn open(request: &Request<'_>, path: &Path) -> Result<LocalFileSystem> {
    if request.access == Access::Write && !path.exists() {
        make(path).map_err(|error| failed(request, error))?;
    }
    let metadata = fs_err::metadata(path).map_err(|error| failed(request, error))?;
    if !metadata.is_dir() {
        return Err(request.found(Kind::Configuration, "it is not a folder"));
    }
    LocalFileSystem::new_with_prefix(path).map_err(|error| request.error(Cloud::Local, error))
}

/// Only for its owner: command lines hold what is nobody else's business.
fn make(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

fn failed(request: &Request<'_>, error: std::io::Error) -> Error {
    let (kind, remedy) = match error.kind() {
        std::io::ErrorKind::NotFound => {
            (Kind::NoBucket, "create the folder, mount what holds it, or correct `url`")
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => (
            Kind::Permission,
            "give this user the right to use the folder; a service of systemd may also need \
             ReadWritePaths= with the folder (systemctl edit)",
        ),
        _ => (Kind::Local, "check the file system"),
    };
    Error::new(kind, OPEN, request.subject(), error.to_string())
        .with_remedy(remedy)
        .with_source(error)
}
