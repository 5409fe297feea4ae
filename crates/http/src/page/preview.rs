//! Previews of payloads for people: always text, whatever the payload is.
//!
//! The response of a receiver is not trusted, and rarely made to be read. JSON is indented, with its keys in their order
//! and its numbers and strings as they were spelt; other text is shown as it is; binary content is shown as a hex dump.
//! Invisible characters, and those that change the direction of text, are shown by their code points. A preview is cut
//! at a limit: the whole payload can be downloaded.

/// The longest preview of text, in bytes.
const MAX_TEXT_BYTES: usize = 32 * 1024;
/// How many bytes of binary content a preview shows.
const MAX_HEX_BYTES: usize = 512;
const HEX_BYTES_PER_LINE: usize = 16;

/// The preview of a payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Preview {
    Empty,
    /// The payload is not kept any more.
    NotKept,
    Json {
        text: String,
        cut: bool,
    },
    Text {
        text: String,
        cut: bool,
    },
    /// A hex dump of its first bytes.
    Binary {
        text: String,
        cut: bool,
    },
}

impl Preview {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self::Binary {
                text: hex_dump(&bytes[..bytes.len().min(MAX_HEX_BYTES)]),
                cut: bytes.len() > MAX_HEX_BYTES,
            };
        };
        if text.contains('\0') {
            return Self::Binary {
                text: hex_dump(&bytes[..bytes.len().min(MAX_HEX_BYTES)]),
                cut: bytes.len() > MAX_HEX_BYTES,
            };
        }
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            let (text, cut) = indented_json(text);
            return Self::Json { text, cut };
        }
        let end = text.floor_char_boundary(MAX_TEXT_BYTES);
        Self::Text { text: text[..end].to_owned(), cut: end < text.len() }
    }
}

/// JSON text with line breaks and indents: only the space between its tokens changes. True if it was cut.
fn indented_json(json: &str) -> (String, bool) {
    let mut out = String::with_capacity(json.len().min(MAX_TEXT_BYTES) * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut tokens = json.chars().peekable();
    while let Some(c) = tokens.next() {
        if out.len() >= MAX_TEXT_BYTES {
            return (out, true);
        }
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            '{' | '[' => {
                out.push(c);
                while tokens.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = tokens.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = c == '"';
                out.push(c);
            }
        }
    }
    (out, false)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// Lines of sixteen bytes, each with its offset, the bytes in hexadecimal, and the visible ones as characters.
fn hex_dump(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (i, line) in bytes.chunks(HEX_BYTES_PER_LINE).enumerate() {
        let codes: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let seen = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
        let seen: String = line.iter().map(seen).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:06x}  {:47}  {seen}", i * HEX_BYTES_PER_LINE, codes.join(" "));
    }
    out
}

/// A part of a text: visible text, or a character that is invisible or changes the direction of what follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TextPart<'a> {
    Plain(&'a str),
    Invisible(char),
}

/// The parts of a text.
pub(super) fn text_parts(text: &str) -> Vec<TextPart<'_>> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| is_invisible(*c)) {
        if from < at {
            parts.push(TextPart::Plain(&text[from..at]));
        }
        parts.push(TextPart::Invisible(c));
        from = at + c.len_utf8();
    }
    if from < text.len() {
        parts.push(TextPart::Plain(&text[from..]));
    }
    parts
}

fn is_invisible(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Marks and overrides of direction, characters without width, and the byte order mark.
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
#[path = "preview_tests.rs"]
mod tests;
