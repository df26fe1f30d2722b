//! The API's errors: status, code and message as Google documents them.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::xml;

/// An error of the API.
pub(super) struct Refusal(pub(super) StatusCode, pub(super) &'static str, pub(super) &'static str);

impl Refusal {
    pub(super) fn answer(&self) -> Response<Bytes> {
        let Self(status, code, message) = self;
        let text = format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code>\
             <Message>{message}</Message></Error>"
        );
        xml(*status, text)
    }
}

pub(super) const NO_KEY: Refusal =
    Refusal(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.");
pub(super) const NO_UPLOAD: Refusal =
    Refusal(StatusCode::NOT_FOUND, "NoSuchUpload", "The requested upload was not found.");
pub(super) const CONDITION: Refusal = Refusal(
    StatusCode::PRECONDITION_FAILED,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold.",
);
pub(super) const ARGUMENT: Refusal =
    Refusal(StatusCode::BAD_REQUEST, "InvalidArgument", "Invalid argument.");
