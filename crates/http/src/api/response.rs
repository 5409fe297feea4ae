//! Responses in JSON.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use serde::Serialize;

/// The headers of a response in JSON; `nosniff` keeps a browser from taking it for another type.
pub(in crate::api) const JSON_HEADERS: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/json"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// A response in JSON that has a secret: no cache may store it.
pub(in crate::api) fn secret_json(status: StatusCode, value: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], json(status, value)).into_response()
}

/// A response that shows this version of a subscription: its `ETag` names the version, as `If-Match` takes it.
pub(in crate::api) fn versioned(version: u64, response: Response) -> Response {
    ([(header::ETAG, entity_tag(version))], response).into_response()
}

/// The entity tag of a version (RFC 9110, 8.8.3).
pub(in crate::api) fn entity_tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// A response in JSON.
pub(in crate::api) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => (status, JSON_HEADERS, body).into_response(),
        Err(error) => {
            tracing::error!(%error, "api.unserializable");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
