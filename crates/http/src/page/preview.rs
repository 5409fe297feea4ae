//! A payload as a person can look at it: always text, whatever it is.
//!
//! What a receiver answers is not to be trusted, and is rarely made for reading. JSON is laid out in lines,
//! its keys in their order and its numbers and strings spelt as they came; other text is shown as it is;
//! what is no text is shown as bytes. Characters that are not seen, or that turn the direction of what
//! follows, are named instead. All of it is cut at a bound: the whole is a download away.

/// How much of a payload is shown, in bytes of what is shown.
const SHOWN: usize = 32 * 1024;
/// How many bytes are shown of what is no text.
const HEX_SHOWN: usize = 512;
const HEX_A_LINE: usize = 16;

/// What is shown of a payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Preview {
    Empty,
    /// It is not kept any more.
    Gone,
    Json {
        text: String,
        cut: bool,
    },
    Text {
        text: String,
        cut: bool,
    },
    /// Its first bytes, in hexadecimal.
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
                text: hex(&bytes[..bytes.len().min(HEX_SHOWN)]),
                cut: bytes.len() > HEX_SHOWN,
            };
        };
        if text.contains('\0') {
            return Self::Binary {
                text: hex(&bytes[..bytes.len().min(HEX_SHOWN)]),
                cut: bytes.len() > HEX_SHOWN,
            };
        }
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
            let (text, cut) = laid_out(text);
            return Self::Json { text, cut };
        }
        let end = text.floor_char_boundary(SHOWN);
        Self::Text { text: text[..end].to_owned(), cut: end < text.len() }
    }
}

/// JSON text in lines: only the space between its tokens changes.
fn laid_out(json: &str) -> (String, bool) {
    let mut out = String::with_capacity(json.len().min(SHOWN) * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut tokens = json.chars().peekable();
    while let Some(c) = tokens.next() {
        if out.len() >= SHOWN {
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

/// Bytes in lines of sixteen, each with its place and its visible characters.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for (i, line) in bytes.chunks(HEX_A_LINE).enumerate() {
        let codes: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let seen = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
        let seen: String = line.iter().map(seen).collect();
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{:06x}  {:47}  {seen}", i * HEX_A_LINE, codes.join(" "));
    }
    out
}

/// A stretch of text, or a character that is named as it would not be seen, or would turn what follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Plain(&'a str),
    Named(char),
}

/// The text in parts.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| is_named(*c)) {
        if from < at {
            parts.push(Part::Plain(&text[from..at]));
        }
        parts.push(Part::Named(c));
        from = at + c.len_utf8();
    }
    if from < text.len() {
        parts.push(Part::Plain(&text[from..]));
    }
    parts
}

fn is_named(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Marks and overrides of direction, what takes no room, and the byte order mark.
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
