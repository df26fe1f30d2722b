//! Objects of every released version stay readable.
//!
//! `tests/history/<version>/` is a place as that version wrote it. Files are found on disk, never
//! listed; a version is added by copying a place, and nothing in there is ever changed.

use std::path::Path;

use forebear_archive::{Access, Archive, Destination, Environment, Selection, VerifyOptions};

use crate::checks;

#[tokio::test]
async fn objects_of_every_version_are_read_and_verified() {
    let history = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history");
    let mut versions = 0;
    for entry in std::fs::read_dir(&history).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        versions += 1;
        let destination = Destination::of_source(folder.to_str().unwrap());
        let archive = Archive::open(&destination, &Environment::default(), Access::Read).unwrap();
        let objects = checks::objects(&archive, &Selection::default()).await;
        assert!(!objects.is_empty(), "{}", folder.display());
        for object in &objects {
            let lines = checks::read(&archive, object).await;
            assert!(!lines.is_empty(), "{}", object.key);
        }
        let (everything, options) = (Selection::default(), VerifyOptions::default());
        let verified = checks::verify(&archive, &everything, &options).await;
        let report = verified.unwrap();
        assert!(report.is_clean(), "{}: {report:?}", folder.display());
    }
    assert!(versions > 0, "no version in {}", history.display());
}
