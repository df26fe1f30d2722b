//! Google Cloud Storage.
//!
//! Credentials, the first that is there: none if `anonymous`; the file that
//! GOOGLE_APPLICATION_CREDENTIALS (or GOOGLE_SERVICE_ACCOUNT) names; the application default
//! credentials that `gcloud` leaves in the home folder; the metadata server's.
//! STORAGE_EMULATOR_HOST means what it means to Google's own libraries: that address, without
//! credentials.

use std::path::PathBuf;
use std::sync::Arc;

use object_store::StaticCredentialProvider;
use object_store::gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder};

use super::Request;
use crate::error::{Cloud, Kind, Result};

pub(super) fn open(request: &Request<'_>, bucket: &str) -> Result<GoogleCloudStorage> {
    let (destination, environment) = (request.destination, request.environment);
    let emulator = environment
        .get("STORAGE_EMULATOR_HOST")
        .filter(|_| destination.endpoint.is_none())
        .map(|host| if host.contains("://") { host.to_owned() } else { format!("http://{host}") });
    let endpoint = destination.endpoint.as_deref().or(emulator.as_deref());

    let allow_http = destination.allow_http || emulator.is_some();
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_client_options(request.client_options(allow_http))
        .with_retry(request.retries());
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    if destination.anonymous || emulator.is_some() {
        // Not signing alone is not enough: puts ask for a token all the same. An empty one is
        // not sent.
        let nobody = GcpCredential { bearer: String::new() };
        builder = builder
            .with_credentials(Arc::new(StaticCredentialProvider::new(nobody)))
            .with_skip_signature(true);
    } else if let Some(path) = credentials_file(request)? {
        builder = builder.with_application_credentials(path.display().to_string());
    }
    builder.build().map_err(|error| {
        let mut error = request.error(Cloud::Gcs, error);
        // Building fails for nothing but a file of credentials that cannot be used.
        if error.kind() != Kind::Configuration {
            error = request
                .found(Kind::Credentials, error.detail().to_owned())
                .with_remedy("check the file that GOOGLE_APPLICATION_CREDENTIALS names")
                .with_source(error);
        }
        error
    })
}

fn credentials_file(request: &Request<'_>) -> Result<Option<PathBuf>> {
    let environment = request.environment;
    let named = ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT"];
    for name in named {
        let Some(path) = environment.get(name) else { continue };
        return match fs_err::metadata(path) {
            Ok(_) => Ok(Some(path.into())),
            Err(error) => Err(request
                .found(Kind::Credentials, format!("the file that {name} names: {error}"))
                .with_remedy(format!("correct or unset {name}"))
                .with_source(error)),
        };
    }
    const FILE: &str = "application_default_credentials.json";
    let usual = match environment.get("CLOUDSDK_CONFIG") {
        Some(folder) => Some(PathBuf::from(folder).join(FILE)),
        None => environment.in_home(&format!(".config/gcloud/{FILE}")),
    };
    Ok(usual.filter(|path| path.is_file()))
}
