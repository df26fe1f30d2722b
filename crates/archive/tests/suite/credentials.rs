//! The ways to credentials, each against something that hands them out.

use std::process::Command;

use forebear_archive::{Access, Archive, Compression, Environment, Kind};
use forebear_testkit::bucket::{Gcs, Identity, S3};
use forebear_testkit::means::{Means, available};

use crate::places::at;

async fn probe(server: &S3, environment: Environment) -> Result<(), forebear_archive::Error> {
    let destination = at(&server.endpoint(), "s3://bucket", Compression::Zstd);
    let archive = Archive::open(&destination, &environment, Access::Write)?;
    archive.probe().await.map(drop)
}

#[tokio::test]
async fn the_role_of_an_instance_is_used() {
    let server = S3::start("bucket");
    let identity = Identity::start(&server.environment(), "");
    probe(&server, identity.instance().into_iter().collect()).await.unwrap();
    let asked = identity.faults().requests();
    assert_eq!(asked[0], "PUT /latest/api/token", "version 2 of the service is used");
}

#[tokio::test]
async fn the_role_of_a_container_is_used() {
    let server = S3::start("bucket");
    let identity = Identity::start(&server.environment(), "");
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "token").unwrap();
    let environment = identity.container(token.path().to_str().unwrap());
    probe(&server, environment.into_iter().collect()).await.unwrap();
}

#[tokio::test]
async fn the_environment_goes_before_the_instance() {
    let server = S3::start("bucket");
    let identity = Identity::start(&server.wrong_environment(), "");
    let environment = server.environment().into_iter().chain(identity.instance()).collect();
    probe(&server, environment).await.unwrap();
    assert!(identity.faults().requests().is_empty());
}

#[tokio::test]
async fn an_instance_without_a_role_is_about_credentials() {
    let server = S3::start("bucket");
    let identity = Identity::start(&server.environment(), "");
    identity.down();
    let environment = identity.instance().into_iter().collect();
    let error = probe(&server, environment).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials, "{error}");
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
}

#[tokio::test]
async fn a_service_account_of_google_signs_its_own_token() {
    const EMAIL: &str = "agent@project.iam.gserviceaccount.com";
    if !available(&[Means::Program("ssh-keygen")]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.unwrap().success());
    let account = serde_json::json!({
        "type": "service_account",
        "client_email": EMAIL,
        "private_key_id": "1",
        "private_key": std::fs::read_to_string(&key).unwrap(),
    });
    let file = dir.path().join("account.json");
    std::fs::write(&file, account.to_string()).unwrap();
    let name = file.to_str().unwrap();
    let environment = Environment::from_iter([("GOOGLE_APPLICATION_CREDENTIALS", name)]);

    let server = Gcs::start_for_account("bucket", EMAIL);
    let destination = at(&server.endpoint(), "gs://bucket", Compression::Zstd);
    let archive = Archive::open(&destination, &environment, Access::Write).unwrap();
    archive.probe().await.unwrap();

    let other = Gcs::start_for_account("bucket", "somebody@else");
    let destination = at(&other.endpoint(), "gs://bucket", Compression::Zstd);
    let archive = Archive::open(&destination, &environment, Access::Write).unwrap();
    let error = archive.probe().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials, "{error}");
}
