//! Escaping of values for the place in which they stand.

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

/// Text of an element or attribute; none if it holds what XML 1.0 cannot hold (section 2.2). Blanks but spaces
/// are written so that they stay what they are in an attribute.
pub(super) fn xml(text: &str) -> Option<String> {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(char))),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => return None,
            other => escaped.push(other),
        }
    }
    Some(escaped)
}

/// Part of a path, query or form.
pub(super) fn url_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// Whether the segment of a path that this place is in is `.` or `..`, however it is encoded: it would lead
/// elsewhere.
pub(super) fn is_in_dots(url: &str, place: usize) -> bool {
    let (before, after) = url.split_at(place);
    let start = before.rfind(['/', '\\']).map_or(0, |slash| slash + 1);
    let end = after.find(['/', '\\', '?', '#']).map_or(url.len(), |end| place + end);
    matches!(url[start..end].to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}
