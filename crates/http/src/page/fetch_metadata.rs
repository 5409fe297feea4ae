//! Fetch metadata: the headers by which a browser says what it will use a response for.

use http::{HeaderMap, HeaderValue};

/// Whether the response is for a tab, a frame or a script's fetch, and not to be loaded by a page as its script, style or
/// image. True without the header, which old browsers and other programs do not send.
pub(super) fn is_page_or_script(headers: &HeaderMap) -> bool {
    let purpose = headers.get("sec-fetch-dest").map(HeaderValue::as_bytes);
    let known: [&[u8]; 4] = [b"document", b"empty", b"frame", b"iframe"];
    purpose.is_none_or(|purpose| known.contains(&purpose))
}

/// Whether the browser loads the page in advance, before anybody opened it.
pub(super) fn is_prefetch(headers: &HeaderMap) -> bool {
    let purpose = headers.get("sec-purpose").and_then(|value| value.to_str().ok());
    purpose.is_some_and(|purpose| purpose.split([',', ';']).any(|token| token.trim() == "prefetch"))
}
