//! Rejections that no route makes: of requests that are refused before they are routed, that no route answers or whose
//! handler panicked, and of bytes that a listener could not read as a request.

use std::any::Any;

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use tracing::error;

use crate::api::problem::Problem;
use crate::web::call_limits::RateLimited;
use crate::web::host::{self, HostError};

/// Middleware that refuses a request without a valid host, and one whose body is encoded.
pub(super) async fn reject_unreadable(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(error) = host::requested_host(&parts) {
        return Problem::from(error).into_response();
    }
    let mut encodings = parts.headers.get_all(header::CONTENT_ENCODING).iter();
    let plain = encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain && !body.is_end_stream() {
        let detail = "the body has a Content-Encoding, which is not read here: send it as it is";
        let (status, title) = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is encoded");
        return Problem::new(status, "content-encoding", title, detail).into_response();
    }
    next.run(Request::from_parts(parts, body)).await
}

/// The response of a listener to bytes that are not a request: the problem of this status.
pub fn malformed_request(status: StatusCode) -> Response {
    let (name, title, detail) = match status {
        StatusCode::URI_TOO_LONG => ("uri-too-long", "The address is too long", "send a shorter address"),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
            "headers-too-large",
            "The headers are too large",
            "the request line and the headers may have 32 KiB and 100 lines: send fewer, or shorter ones",
        ),
        StatusCode::SERVICE_UNAVAILABLE => {
            ("busy", "Too much at once", "there is no connection free now: send it again shortly")
        }
        _ => ("not-http", "Not a request", "this is not a request of HTTP/1.1 or HTTP/1.0"),
    };
    Problem::new(status, name, title, detail).into_response()
}

/// The response for a path that is not there.
pub(crate) fn no_route() -> Response {
    let detail = "no such path: GET /openapi.json lists all";
    Problem::new(StatusCode::NOT_FOUND, "no-route", "Not found", detail).into_response()
}

pub(super) async fn method_not_allowed() -> Problem {
    let detail = "this path answers other methods: GET /openapi.json lists them";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
}

pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response {
    error!("api.panicked");
    Problem::internal().into_response()
}

impl From<RateLimited> for Problem {
    fn from(wait: RateLimited) -> Self {
        let seconds = wait.retry_after_seconds();
        let detail = format!("too many of these came from here: send it again in {seconds} s");
        let (name, title) = ("too-many-requests", "Too many requests");
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, name, title, detail);
        refused.retry_after(seconds)
    }
}

impl From<HostError> for Problem {
    fn from(error: HostError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "host", "Not a host", error.detail())
    }
}
