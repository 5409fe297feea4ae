//! What every answer of the pages says to the browser of itself.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use crate::web::FrameAncestors;

/// Adds them where the answer does not say otherwise. `same-origin`: without any referrer a browser would hide
/// the origin of our own forms too, and that is checked.
pub(super) async fn add(State(ancestors): State<FrameAncestors>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    absent(headers, CONTENT_SECURITY_POLICY, &policy(&ancestors));
    absent(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    absent(headers, REFERRER_POLICY, "same-origin");
    absent(headers, CACHE_CONTROL, "no-store");
    response
}

fn policy(ancestors: &FrameAncestors) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )
}

fn absent(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.entry(name).or_insert(value);
    }
}
