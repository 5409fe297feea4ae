//! Values for where they stand.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 leaves unreserved.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A JSON string with its quotes.
pub(super) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What stands between the quotes of a JSON string.
pub(super) fn json_string(text: &str) -> String {
    let quoted = json_text(text);
    quoted[1..quoted.len() - 1].to_owned()
}

/// Controls and what is not ASCII, percent-encoded; the rest as it is.
pub(super) fn header(text: &str) -> String {
    utf8_percent_encode(text, CONTROLS).to_string()
}

/// One part of a path or query. A whole segment of dots would lead elsewhere, however it is encoded.
pub(super) fn url_component(text: &str) -> Result<String, &'static str> {
    if matches!(text, "." | "..") {
        return Err("is `.` or `..`, which would change the path of the URL");
    }
    Ok(utf8_percent_encode(text, COMPONENT).to_string())
}
