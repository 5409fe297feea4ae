//! What a browser says it wants an answer for.

use http::{HeaderMap, HeaderValue};

/// Whether somebody looks, in a tab or a frame, or a script of ours asks: it is not to be a part of a page, such as
/// its script, style or picture. Who says nothing may.
pub(super) fn is_looked_at(headers: &HeaderMap) -> bool {
    let purpose = headers.get("sec-fetch-dest").map(HeaderValue::as_bytes);
    let known: [&[u8]; 4] = [b"document", b"empty", b"frame", b"iframe"];
    purpose.is_none_or(|purpose| known.contains(&purpose))
}

/// Whether nobody looks yet: a browser asks in case somebody will.
pub(super) fn is_prefetch(headers: &HeaderMap) -> bool {
    let purpose = headers.get("sec-purpose").and_then(|value| value.to_str().ok());
    purpose.is_some_and(|purpose| purpose.split([',', ';']).any(|token| token.trim() == "prefetch"))
}
