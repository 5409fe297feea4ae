//! Responses that are written without the HTTP layer, and after which the connection ends: to bytes that are no request,
//! and to a connection without a permit. Each is a problem document (RFC 9457).

use std::time::SystemTime;

use axum::body::Body;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use loanhook_http::api::malformed_request;

/// The bytes of the response to what is no request.
pub(super) async fn for_status(status: StatusCode) -> Vec<u8> {
    let (parts, body) = malformed_request(status).into_parts();
    // The body is complete in memory, so this does not wait.
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    encode(&Response::from_parts(parts, Body::empty()), &body)
}

/// The bytes of a 503 without a body, made without waiting.
pub(super) fn service_unavailable() -> Vec<u8> {
    encode(&malformed_request(StatusCode::SERVICE_UNAVAILABLE), b"")
}

fn encode(response: &Response<Body>, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let date = httpdate::fmt_http_date(SystemTime::now());
    let other_headers =
        format!("connection: close\r\ncontent-length: {}\r\ndate: {date}\r\n\r\n", body.len());
    bytes.extend_from_slice(other_headers.as_bytes());
    bytes.extend_from_slice(body);
    bytes
}
