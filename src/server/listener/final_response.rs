//! Answers after which a connection ends: to what is no request, and where there is no place.

use std::time::SystemTime;

use axum::body::Body;
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use loanhook_http::api::not_a_request;

/// An answer as bytes, to be written by itself.
pub(super) async fn of(status: StatusCode) -> Vec<u8> {
    let (parts, body) = not_a_request(status).into_parts();
    // It is whole already: there is nothing to wait for.
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    written(&Response::from_parts(parts, Body::empty()), &body)
}

/// The answer where there is no place: its head alone, which is made without waiting.
pub(super) fn busy() -> Vec<u8> {
    written(&not_a_request(StatusCode::SERVICE_UNAVAILABLE), b"")
}

fn written(response: &Response<Body>, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let date = httpdate::fmt_http_date(SystemTime::now());
    let rest = format!("connection: close\r\ncontent-length: {}\r\ndate: {date}\r\n\r\n", body.len());
    bytes.extend_from_slice(rest.as_bytes());
    bytes.extend_from_slice(body);
    bytes
}
