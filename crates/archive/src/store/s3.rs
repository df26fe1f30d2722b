//! Amazon S3 and everything that speaks its language.
//!
//! Credentials, the first that is there: none if `anonymous`; the AWS_ACCESS_KEY_ID family; a web
//! identity token; a profile of the shared files; the container's; the instance's. This is the
//! order of the AWS SDKs.
//!
//! Deliberately not here: a resolution of the bucket's region. A wrong one is told by the service.

use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};

use super::Request;
use crate::error::{Cloud, Error, Kind, Result};
use crate::profile::{Files, Profile, ProfileKeys};

/// Variables that are handed to the client as they are.
const VARIABLES: [&str; 8] = [
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_ENDPOINT_URL_STS",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_REQUEST_PAYER",
];

pub(super) fn open(request: &Request<'_>, bucket: &str) -> Result<AmazonS3> {
    let (destination, environment) = (request.destination, request.environment);
    let files = Files::of(environment);
    let profile = files.read().map_err(|error| {
        request
            .found(Kind::Credentials, format!("its profile cannot be read: {error}"))
            .with_remedy("give this user the right to read the file, or unset AWS_PROFILE")
            .with_source(error)
    })?;

    let allow_http = destination.allow_http
        || (destination.endpoint.is_none() && environment.get("AWS_ALLOW_HTTP") == Some("true"));
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_client_options(request.client_options(allow_http))
        .with_retry(request.retries());
    for name in VARIABLES {
        let key = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    // The name that the AWS SDKs use, and the client's own.
    const METADATA: [&str; 2] = ["AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_METADATA_ENDPOINT"];
    if let Some(endpoint) = environment.first(&METADATA) {
        builder = builder.with_metadata_endpoint(endpoint.trim_end_matches('/'));
    }
    let region = destination
        .region
        .as_deref()
        .or_else(|| environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
        .or_else(|| profile.get("region"));
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    builder = address(request, builder, bucket, &profile);
    builder = credentials(request, builder, files, &profile)?;
    builder.build().map_err(|error| request.error(Cloud::S3, error))
}

fn address(
    request: &Request<'_>,
    builder: AmazonS3Builder,
    bucket: &str,
    profile: &Profile,
) -> AmazonS3Builder {
    let endpoint = request
        .destination
        .endpoint
        .as_deref()
        .or_else(|| request.environment.first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]))
        .or_else(|| profile.get("endpoint_url"));
    match endpoint {
        // The client wants the bucket in the address where it is in the host name.
        Some(endpoint) if endpoint.contains("{bucket}") => builder
            .with_endpoint(endpoint.replace("{bucket}", bucket))
            .with_virtual_hosted_style_request(true),
        Some(endpoint) => builder.with_endpoint(endpoint),
        // A certificate for *.s3.region.amazonaws.com does not fit a name with dots.
        None => builder.with_virtual_hosted_style_request(!bucket.contains('.')),
    }
}

fn credentials(
    request: &Request<'_>,
    builder: AmazonS3Builder,
    files: Files,
    profile: &Profile,
) -> Result<AmazonS3Builder> {
    let environment = request.environment;
    if request.destination.anonymous {
        return Ok(builder.with_skip_signature(true));
    }
    match (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => {
            let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
            return Ok(match environment.get("AWS_SESSION_TOKEN") {
                Some(token) => builder.with_token(token),
                None => builder,
            });
        }
        (Some(_), None) => return Err(half(request, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        (None, Some(_)) => return Err(half(request, "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")),
        (None, None) => {}
    }
    let web_identity = [
        (environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"), environment.get("AWS_ROLE_ARN")),
        (profile.get("web_identity_token_file"), profile.get("role_arn")),
    ];
    for (token_file, role) in web_identity {
        if let (Some(token_file), Some(role)) = (token_file, role) {
            let session = environment
                .get("AWS_ROLE_SESSION_NAME")
                .or_else(|| profile.get("role_session_name"))
                .unwrap_or("forebear");
            return Ok(builder
                .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, token_file)
                .with_config(AmazonS3ConfigKey::RoleArn, role)
                .with_config(AmazonS3ConfigKey::RoleSessionName, session));
        }
    }
    if profile.keys().is_some() {
        return Ok(builder.with_credentials(Arc::new(ProfileKeys::new(files))));
    }
    if let Some(way) = profile.unsupported() {
        let detail = format!("profile {} uses {way}, which is not supported", files.profile());
        let remedy = "give the agent keys, a web identity, or the role of the instance";
        return Err(request.found(Kind::Credentials, detail).with_remedy(remedy));
    }
    if files.is_named {
        let what = if profile.is_found() { "has no keys" } else { "does not exist" };
        let detail = format!("profile {} of {} {what}", files.profile(), files.names());
        let remedy = "correct AWS_PROFILE or the file";
        return Err(request.found(Kind::Credentials, detail).with_remedy(remedy));
    }
    // The container's or the instance's: the client knows them.
    Ok(builder)
}

fn half(request: &Request<'_>, set: &str, unset: &str) -> Error {
    request
        .found(Kind::Credentials, format!("{set} is set and {unset} is not"))
        .with_remedy(format!("set {unset}, or neither"))
}
