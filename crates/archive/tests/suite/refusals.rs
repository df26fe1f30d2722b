//! What a person is told when a place cannot be used.

use forebear_archive::{Access, Archive, Compression, Destination, Environment, Kind};
use forebear_testkit::bucket::{Fault, Gcs, S3, When};

use crate::places::at;

async fn probe_s3(server: &S3, fault: Fault) -> forebear_archive::Error {
    server.faults().clear();
    server.faults().add(When::method("PUT"), fault);
    let destination = at(&server.endpoint(), "s3://bucket/p", Compression::Zstd);
    let environment = server.environment().into_iter().collect();
    let archive = Archive::open(&destination, &environment, Access::Write).unwrap();
    archive.probe().await.unwrap_err()
}

#[tokio::test]
async fn a_probe_tells_what_is_wrong_apart() {
    let server = S3::start("bucket");
    let cases = [
        (Fault::Error(403, "AccessDenied"), Kind::Permission, "s3:PutObject"),
        (Fault::Error(403, "RequestTimeTooSkewed"), Kind::Clock, "clock"),
        (Fault::Error(400, "AuthorizationHeaderMalformed"), Kind::Region, "`region`"),
        (Fault::Error(403, "InvalidAccessKeyId"), Kind::Credentials, "AWS_ACCESS_KEY_ID"),
        (Fault::Error(400, "ExpiredToken"), Kind::Credentials, "expired"),
        (Fault::Status(500), Kind::Server, "500"),
        (Fault::Cut, Kind::Network, "endpoint"),
    ];
    for (fault, kind, part) in cases {
        let error = probe_s3(&server, fault).await;
        assert_eq!(error.kind(), kind, "{error}");
        let text = error.to_string();
        assert!(text.contains(part) && text.contains("s3://bucket/p/probe-v1/"), "{text}");
        assert!(text.starts_with("cannot write a probe object to "), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}

#[tokio::test]
async fn a_place_that_forbids_deleting_passes_with_a_word() {
    let server = S3::start("bucket");
    server.faults().add(When::method("POST").on("delete"), Fault::Error(403, "AccessDenied"));
    let destination = at(&server.endpoint(), "s3://bucket", Compression::Zstd);
    let environment = server.environment().into_iter().collect();
    let archive = Archive::open(&destination, &environment, Access::Write).unwrap();
    let probe = archive.probe().await.unwrap();
    assert_eq!(probe.left_behind.map(|error| error.kind()), Some(Kind::Permission));
}

#[tokio::test]
async fn gcs_refuses_those_without_a_token() {
    let server = Gcs::start_with_token("bucket", "right");
    let mut destination = at(&server.endpoint(), "gs://bucket", Compression::Zstd);
    destination.anonymous = true;
    let archive = Archive::open(&destination, &Environment::default(), Access::Write).unwrap();
    let error = archive.probe().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials, "{error}");
    assert!(error.to_string().contains("GOOGLE_APPLICATION_CREDENTIALS"), "{error}");
}

#[tokio::test]
async fn a_bucket_of_gcs_that_is_missing_is_told() {
    let server = Gcs::start("bucket");
    server.set_exists(false);
    let mut destination = at(&server.endpoint(), "gs://bucket", Compression::Zstd);
    destination.anonymous = true;
    let archive = Archive::open(&destination, &Environment::default(), Access::Write).unwrap();
    let error = archive.probe().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoBucket, "{error}");
}

#[tokio::test]
async fn the_emulators_variable_is_honoured() {
    let server = Gcs::start("bucket");
    let environment = Environment::from_iter([("STORAGE_EMULATOR_HOST", server.endpoint())]);
    let destination = Destination::new("emulated", "gs://bucket/p");
    let archive = Archive::open(&destination, &environment, Access::Read).unwrap();
    archive.probe().await.unwrap();
}

#[tokio::test]
async fn keys_of_a_profile_are_found_and_followed_when_they_change() {
    let server = S3::start("bucket");
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let write = |variables: std::collections::BTreeMap<String, String>| {
        let text = format!(
            "[archive]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]
        );
        std::fs::write(home.path().join(".aws/credentials"), text).unwrap();
    };
    write(server.wrong_environment());
    let home = home.path().to_str().unwrap();
    let environment = Environment::from_iter([("HOME", home), ("AWS_PROFILE", "archive")]);
    let destination = at(&server.endpoint(), "s3://bucket", Compression::Zstd);
    let archive = Archive::open(&destination, &environment, Access::Write).unwrap();
    assert_eq!(archive.probe().await.unwrap_err().kind(), Kind::Credentials);
    write(server.environment());
    archive.probe().await.unwrap();
}

#[track_caller]
fn opened(url: &str, variables: &[(&str, &str)], kind: Kind, part: &str) {
    let environment = variables.iter().copied().collect();
    let error =
        Archive::open(&Destination::new("d", url), &environment, Access::Write).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn credentials_that_cannot_be_used_are_told_when_opening() {
    let s3 = "s3://bucket";
    opened(s3, &[("AWS_ACCESS_KEY_ID", "x")], Kind::Credentials, "AWS_SECRET_ACCESS_KEY is not");
    opened(s3, &[("AWS_PROFILE", "nobody"), ("HOME", "/nowhere")], Kind::Credentials, "nobody");
    let file = [("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")];
    opened("gs://bucket", &file, Kind::Credentials, "/nowhere/key.json");
    opened("az://box", &[], Kind::Configuration, "AZURE_STORAGE_ACCOUNT_NAME");
    opened("nonsense", &[], Kind::Configuration, "url:");
}

#[test]
fn a_folder_whose_parent_is_missing_is_not_made() {
    opened("file:///nowhere/at/all", &[], Kind::NoBucket, "mount");
}

#[test]
fn a_file_is_no_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = url::Url::from_file_path(file.path()).unwrap().to_string();
    opened(&url, &[], Kind::Configuration, "not a folder");
}
