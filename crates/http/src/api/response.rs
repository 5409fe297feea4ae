//! Answers in JSON.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use serde::Serialize;

/// The headers of an answer in JSON: a browser does not guess that it is something else.
pub(in crate::api) const JSON_HEADERS: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/json"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// An answer in JSON that shows a secret: nobody on the way keeps it.
pub(in crate::api) fn secret_json(status: StatusCode, value: &impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], json(status, value)).into_response()
}

/// An answer in JSON.
pub(in crate::api) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => (status, JSON_HEADERS, body).into_response(),
        Err(error) => {
            tracing::error!(%error, "api.unserializable");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
