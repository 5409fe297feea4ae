//! Files of events: one event, an array of events, or one event after another (JSON lines).

use std::fmt;

use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::error::CommandResult;

/// The exact text of an event, and its position.
#[derive(Debug)]
pub(crate) struct Event<'a> {
    pub(crate) raw: &'a str,
    pub(super) position: Position<'a>,
}

/// Displays as `events.jsonl:17 (event 17)`: the line, and the number among the events of the file, both from 1.
#[derive(Debug)]
pub(super) struct Position<'a> {
    file: &'a str,
    line: usize,
    number: usize,
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} (event {})", self.file, self.line, self.number)
    }
}

/// The events of a file, in order.
///
/// # Errors
///
/// The text is not JSON, or an event is not an object; with the line.
pub(crate) fn parse<'a>(file: &'a str, text: &'a str) -> CommandResult<Vec<Event<'a>>> {
    let not_json =
        |error: serde_json::Error| format!("{file}:{}: not JSON: {error}; nothing was sent", error.line());
    let mut lines = LineCounter { text, offset: 0, line: 1 };
    let mut events = Vec::new();
    for value in Deserializer::from_str(text).into_iter::<&RawValue>() {
        let value = value.map_err(not_json)?.get();
        let items = if value.starts_with('[') {
            // It was read as a value before, so this finds no error.
            serde_json::from_str::<Vec<&RawValue>>(value)
                .map_err(not_json)?
                .into_iter()
                .map(RawValue::get)
                .collect()
        } else {
            vec![value]
        };
        for raw in items {
            let position = Position { file, line: lines.line_of(raw), number: events.len() + 1 };
            if !raw.starts_with('{') {
                return Err(format!("{position}: an event is a JSON object; nothing was sent").into());
            }
            events.push(Event { raw, position });
        }
    }
    Ok(events)
}

/// Counts lines up to later and later parts of a text.
struct LineCounter<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl LineCounter<'_> {
    /// The line of `part`, which is a slice of the text and not before the part of the last call.
    fn line_of(&mut self, part: &str) -> usize {
        let offset = part.as_ptr().addr() - self.text.as_ptr().addr();
        self.line += self.text.as_bytes()[self.offset..offset].iter().filter(|byte| **byte == b'\n').count();
        self.offset = offset;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn parsed(text: &str) -> Vec<(usize, &str)> {
        parse("f", text).expect("events").iter().map(|event| (event.position.line, event.raw)).collect()
    }

    fn refused(text: &str) -> String {
        parse("f", text).expect_err("not events").to_string()
    }

    #[test]
    fn the_events_of_json_lines_keep_their_bytes() {
        let text = "{\"b\": 250.00, \"a\":1e2}\n\n  {\"loanId\" : \"7\"}  \r\n{}";
        assert_eq!(parsed(text), [(1, "{\"b\": 250.00, \"a\":1e2}"), (3, "{\"loanId\" : \"7\"}"), (4, "{}")]);
    }

    #[test]
    fn one_event_and_arrays_of_events_keep_their_bytes() {
        assert_eq!(parsed("{\n \"a\": [250.00]\n}\n"), [(1, "{\n \"a\": [250.00]\n}")]);
        assert_eq!(
            parsed("[{\"a\":\n1},\n {\"b\": 0.10}]\n[]\n[{}]"),
            [(1, "{\"a\":\n1}"), (3, "{\"b\": 0.10}"), (5, "{}")]
        );
        assert_eq!(parsed(" \n"), []);
    }

    #[test]
    fn an_error_names_its_line() {
        assert!(refused("{}\n{\"a\": }\n").starts_with("f:2: not JSON: "));
        assert!(refused("[{},\n{]").starts_with("f:2: not JSON: "));
        assert_eq!(refused("{}\n[{},\n 3]"), "f:3 (event 3): an event is a JSON object; nothing was sent");
    }
}
