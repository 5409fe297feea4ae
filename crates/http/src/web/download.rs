//! Responses that a browser saves as a file, whatever their content.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

/// Has a browser save a response as a file of this name, which is of ASCII letters, digits, dots and hyphens.
pub(crate) fn save_as(response: &mut Response, name: &str) {
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
}

/// A payload as a file to save: a browser neither shows it nor guesses its type. `name` is without an extension.
pub(crate) fn download(bytes: Bytes, content_type: Option<&str>, name: &str) -> Response {
    const NOSNIFF: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let unknown = HeaderValue::from_static("application/octet-stream");
    // Some browsers split multipart content, and each part then says for itself how it is shown.
    let whole = |text: &&str| !text.trim_start().to_ascii_lowercase().starts_with("multipart/");
    let content_type = content_type.filter(whole).and_then(|text| HeaderValue::from_str(text).ok());
    let content_type = content_type.unwrap_or(unknown);
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let ending = match essence {
        "application/json" => "json",
        "application/xml" | "text/xml" => "xml",
        "text/plain" => "txt",
        "text/html" => "html",
        _ => "bin",
    };
    let security = (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    let mut response = ([NOSNIFF, security], bytes).into_response();
    save_as(&mut response, &format!("{name}.{ending}"));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
