//! Problems: every error that the API answers, as `application/problem+json` (RFC 9457).

mod from_errors;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use loanhook_core::model::key::Scope;
use loanhook_core::ports::NotReady;

/// What went wrong, for a program (`type`) and a person (`detail`).
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::api) struct Problem {
    /// Stable: what a program tells problems apart by.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/not-found")]
    kind: String,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What a person can do about it.
    detail: String,
    /// Of a validation: each fault and where it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<ValidationError>,
    /// When the same request may go well, in seconds: the header `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// One fault of a body: where (an RFC 6901 JSON pointer, or a query parameter's or header's name) and what.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Fault)]
struct ValidationError {
    pointer: String,
    detail: String,
    /// Of a formula or template: where in its text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
}

impl Problem {
    pub(in crate::api) fn new(
        status: StatusCode,
        name: &str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let kind = format!("/problems/{name}");
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self { kind, title, status: status.as_u16(), detail: detail.into(), errors: Vec::new(), retry_after }
    }

    /// The same with a `Retry-After` of so many seconds.
    pub(in crate::api) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(in crate::api) fn not_json(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "not-json", "The body is not JSON", detail)
    }

    pub(in crate::api) fn stalled() -> Self {
        let detail = "the body came too slowly, or stopped coming: send it again";
        Self::new(StatusCode::REQUEST_TIMEOUT, "stalled", "The body did not arrive", detail)
    }

    pub(in crate::api) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "No valid key", detail)
    }

    pub(in crate::api) fn forbidden(needed: &[Scope]) -> Self {
        let names: Vec<_> = needed.iter().map(|scope| scope.name()).collect();
        Self::not_allowed(format!("this key lacks the scope {}: use one that has it", names.join(" or ")))
    }

    /// The key may not do this; the detail says what to do.
    pub(in crate::api) fn not_allowed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The key may not do this", detail)
    }

    /// There is no such thing, or it is another tenant's: both are answered alike.
    pub(in crate::api) fn not_found(what: &str) -> Self {
        Self::missing(format!("there is no such {what} for this key's tenant"))
    }

    /// The same for a part of what there is; the detail says why it is missing.
    pub(in crate::api) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    pub(in crate::api) fn conflict(name: &str, detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, name, "Not as things stand", detail)
    }

    pub(in crate::api) fn too_large(limit: &str) -> Self {
        let detail = format!("the limit is {limit}: send less at once");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large", detail)
    }

    pub(in crate::api) fn unavailable() -> Self {
        let detail = "loanhook could not store or read what this needs: send it again shortly";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available now", detail)
    }

    /// Nothing can be stored, for this reason.
    pub(in crate::api) fn not_ready(reason: NotReady) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", "Not ready", reason.to_string())
    }

    pub(in crate::api) fn internal() -> Self {
        let detail = "loanhook failed; the same request can be sent again";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "loanhook failed", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
