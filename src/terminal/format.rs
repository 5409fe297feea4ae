//! How values look to a person: without control characters (what others sent must not drive the
//! terminal), times in UTC, and IDs that still tell apart when they are short.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The text on one line, control characters and line breaks as spaces.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|char| if is_steering(char) { ' ' } else { char }).collect()
}

/// Controls, and what turns the direction of the text around it.
fn is_steering(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last eight characters after an ellipsis: IDs of one minute share their beginning.
pub(crate) fn short_id(id: &str) -> String {
    let id = clean(id);
    match id.char_indices().rev().nth(7) {
        Some((start, _)) if start > 1 => format!("…{}", &id[start..]),
        _ => id,
    }
}

/// `2026-11-23 10:00:00Z`.
pub(crate) fn time(rfc3339: &str) -> String {
    formatted(rfc3339, "%Y-%m-%d %H:%M:%SZ")
}

/// `11-23 10:00:00`, where there is little room.
pub(crate) fn short_time(rfc3339: &str) -> String {
    formatted(rfc3339, "%m-%d %H:%M:%S")
}

fn formatted(rfc3339: &str, format: &str) -> String {
    match DateTime::parse_from_rfc3339(rfc3339) {
        Ok(time) => time.with_timezone(&Utc).format(format).to_string(),
        Err(_) => clean(rfc3339),
    }
}

/// A value of an answer, as a person reads it; nothing where there is none.
pub(crate) fn field(answer: &Value, pointer: &str) -> String {
    match answer.pointer(pointer) {
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
    fn ids_are_shortened_to_their_tail() {
        assert_eq!(short_id("019ab1c2-7d3e-7f00-8a1b-5c6d7e8f9a0b"), "…7e8f9a0b");
        assert_eq!(short_id("727"), "727");
        assert_eq!(short_id("123456789"), "123456789");
        assert_eq!(short_id("ééééééééééé"), "…éééééééé");
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time("2026-11-23T11:00:00.123+01:00"), "2026-11-23 10:00:00Z");
        assert_eq!(short_time("2026-11-23T10:00:00Z"), "11-23 10:00:00");
        assert_eq!(time("soon"), "soon");
    }

    #[test]
    fn nothing_drives_the_terminal() {
        assert_eq!(clean("a\u{1b}[31m\r\nb\u{202e}c"), "a [31m  b c");
    }
}
