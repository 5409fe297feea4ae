//! Formats of values for a person: without control characters (what others sent must not control the terminal), times in
//! UTC, and short IDs that can still be told apart.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The text on one line, with spaces in place of control characters and line breaks.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|char| if controls_terminal(char) { ' ' } else { char }).collect()
}

/// Control characters, and those that change the direction of the text.
fn controls_terminal(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An ellipsis and the last eight characters: IDs of the same minute have the same beginning.
pub(crate) fn short_id(id: &str) -> String {
    let id = clean(id);
    match id.char_indices().rev().nth(7) {
        Some((start, _)) if start > 1 => format!("…{}", &id[start..]),
        _ => id,
    }
}

/// A time of RFC 3339 as `2026-11-23 10:00:00Z`.
pub(crate) fn time(rfc3339: &str) -> String {
    formatted(rfc3339, "%Y-%m-%d %H:%M:%SZ")
}

/// A time of RFC 3339 as `11-23 10:00:00`.
pub(crate) fn short_time(rfc3339: &str) -> String {
    formatted(rfc3339, "%m-%d %H:%M:%S")
}

fn formatted(rfc3339: &str, format: &str) -> String {
    parse_time(rfc3339).map_or_else(|| clean(rfc3339), |time| time.format(format).to_string())
}

/// A time of a response; none where it is not RFC 3339.
pub(crate) fn parse_time(rfc3339: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(rfc3339).ok().map(|time| time.to_utc())
}

/// The value at a JSON pointer of a response; empty where there is none or null.
pub(crate) fn field(response: &Value, pointer: &str) -> String {
    match response.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => clean(text),
        Some(value) => clean(&value.to_string()),
    }
}

/// `1 event`, `30 events`.
pub(crate) fn count(number: usize, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::{clean, short_id, short_time, time};

    #[test]
    fn a_short_id_is_the_end_of_the_id() {
        assert_eq!(short_id("019ab1c2-7d3e-7f00-8a1b-5c6d7e8f9a0b"), "…7e8f9a0b");
        assert_eq!(short_id("727"), "727");
        assert_eq!(short_id("123456789"), "123456789");
        assert_eq!(short_id("ééééééééééé"), "…éééééééé");
    }

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(time("2026-11-23T11:00:00.123+01:00"), "2026-11-23 10:00:00Z");
        assert_eq!(short_time("2026-11-23T10:00:00Z"), "11-23 10:00:00");
        assert_eq!(time("soon"), "soon");
    }

    #[test]
    fn characters_that_control_the_terminal_become_spaces() {
        assert_eq!(clean("a\u{1b}[31m\r\nb\u{202e}c"), "a [31m  b c");
    }
}
