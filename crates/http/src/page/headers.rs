//! Security headers of every response of the pages.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use crate::web::FrameAncestors;

/// Adds the headers that a response does not have. The referrer policy is `same-origin`: without any referrer a browser
/// would hide the origin of our own forms too, and that is checked.
pub(super) async fn add_security_headers(
    State(ancestors): State<FrameAncestors>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    insert_if_absent(headers, CONTENT_SECURITY_POLICY, &content_security_policy(&ancestors));
    insert_if_absent(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert_if_absent(headers, REFERRER_POLICY, "same-origin");
    insert_if_absent(headers, CACHE_CONTROL, "no-store");
    response
}

fn content_security_policy(ancestors: &FrameAncestors) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )
}

fn insert_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.entry(name).or_insert(value);
    }
}
