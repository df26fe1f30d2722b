//! Azure Blob Storage.
//!
//! The account and its credentials come from the AZURE_ variables that Azure's tools use (account
//! key, SAS token, client secret, workload identity) and from the managed identity of the machine.

use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};

use super::Request;
use crate::error::{Cloud, Kind, Result};

pub(super) fn open(request: &Request<'_>, container: &str) -> Result<MicrosoftAzure> {
    let (destination, environment) = (request.destination, request.environment);
    let mut builder = MicrosoftAzureBuilder::new();
    for (name, value) in environment.beginning("AZURE_") {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AzureConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(endpoint) = environment.first(&["MSI_ENDPOINT", "IDENTITY_ENDPOINT"]) {
        builder = builder.with_msi_endpoint(endpoint);
    }
    if let Some(endpoint) = &destination.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    if environment.get("AZURE_STORAGE_ACCOUNT_NAME").is_none() {
        return Err(request
            .found(Kind::Configuration, "the storage account is not known")
            .with_remedy("set AZURE_STORAGE_ACCOUNT_NAME in the environment"));
    }
    builder
        .with_container_name(container)
        .with_skip_signature(destination.anonymous)
        .with_client_options(request.client_options(destination.allow_http))
        .with_retry(request.retries())
        .build()
        .map_err(|error| request.error(Cloud::Azure, error))
}
