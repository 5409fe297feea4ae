//! Strings, characters, regex literals, symbols, keywords.

use super::error::{Position, R, unsupported, wrong};
use super::form::{Literal, What};
use super::number::parse;
use super::reader::Reader;

/// What ends a token (`LispReader`'s terminating macros).
fn ends_token(char: char) -> bool {
    char.is_whitespace() || ",\";@^`~()[]{}\\".contains(char)
}

fn rest_of_token(reader: &mut Reader<'_>, token: &mut String) {
    while let Some(next) = reader.peek().filter(|next| !ends_token(*next)) {
        token.push(next);
        reader.next();
    }
}

/// The string whose opening quote was read.
pub(super) fn string(reader: &mut Reader<'_>, at: Position) -> R<String> {
    let mut text = String::new();
    loop {
        match reader.next() {
            Some('"') => return Ok(text),
            Some('\\') => text.push(escaped(reader)?),
            Some(char) => text.push(char),
            None => return Err(wrong("this string is never closed: `\"` is missing").at(at)),
        }
    }
}

fn escaped(reader: &mut Reader<'_>) -> R<char> {
    let char = match reader.next() {
        Some('t') => '\t',
        Some('r') => '\r',
        Some('n') => '\n',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some(itself @ ('\\' | '"')) => itself,
        Some('u') => return hexadecimal(reader),
        Some(digit @ '0'..='7') => {
            let mut code = digit.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = reader.peek().and_then(|next| next.to_digit(8)) else { break };
                reader.next();
                code = code * 8 + digit;
            }
            return if code > 0o377 {
                Err(wrong("an octal escape is at most \\377"))
            } else {
                char::from_u32(code).ok_or_else(|| wrong("this is no character"))
            };
        }
        Some(other) => {
            return Err(wrong(format!("`\\{other}` is no escape: write `\\\\{other}` for a backslash")));
        }
        None => return Err(wrong("this string is never closed: `\"` is missing")),
    };
    Ok(char)
}

/// The four digits after `\u`.
fn hexadecimal(reader: &mut Reader<'_>) -> R<char> {
    let mut code = 0;
    for _ in 0..4 {
        let digit = reader.next().and_then(|next| next.to_digit(16));
        code = code * 16 + digit.ok_or_else(|| wrong("`\\u` is followed by four hexadecimal digits"))?;
    }
    char::from_u32(code)
        .ok_or_else(|| unsupported("halves of surrogate pairs are not supported: write the character"))
}

/// The text of a regex whose opening quote was read; its escapes are its own.
pub(super) fn regex(reader: &mut Reader<'_>, at: Position) -> R<String> {
    let mut text = String::new();
    loop {
        match reader.next() {
            Some('"') => return Ok(text),
            Some('\\') => {
                text.push('\\');
                text.extend(reader.next());
            }
            Some(char) => text.push(char),
            None => return Err(wrong("this regex is never closed: `\"` is missing").at(at)),
        }
    }
}

/// The character after a backslash.
pub(super) fn character(reader: &mut Reader<'_>) -> R<char> {
    let Some(first) = reader.next() else { return Err(wrong("`\\` is followed by nothing")) };
    let mut token = String::from(first);
    rest_of_token(reader, &mut token);
    let mut chars = token.chars();
    let char = match (token.as_str(), chars.next(), chars.as_str()) {
        ("newline", ..) => '\n',
        ("space", ..) => ' ',
        ("tab", ..) => '\t',
        ("backspace", ..) => '\u{8}',
        ("formfeed", ..) => '\u{c}',
        ("return", ..) => '\r',
        (_, Some(only), "") => only,
        (_, Some('u'), digits) if digits.len() == 4 => {
            let code =
                u32::from_str_radix(digits, 16).map_err(|_| wrong(format!("`\\{token}` is no character")))?;
            char::from_u32(code).ok_or_else(|| wrong(format!("`\\{token}` is no character")))?
        }
        (_, Some('o'), digits) if (1..=3).contains(&digits.len()) => u32::from_str_radix(digits, 8)
            .ok()
            .filter(|code| *code <= 0o377)
            .and_then(char::from_u32)
            .ok_or_else(|| wrong(format!("`\\{token}` is no character")))?,
        _ => return Err(wrong(format!("`\\{token}` is no character"))),
    };
    if char > '\u{ffff}' {
        return Err(wrong("a character is one of 16 bits: write a string"));
    }
    Ok(char)
}

/// `##Inf`, `##-Inf` or `##NaN`, after its `##`.
pub(super) fn symbolic(reader: &mut Reader<'_>) -> R<What> {
    let mut token = String::new();
    rest_of_token(reader, &mut token);
    let value = match token.as_str() {
        "Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => return Err(wrong(format!("`##{token}` is none of ##Inf, ##-Inf and ##NaN"))),
    };
    Ok(What::Literal(Literal::Double(value)))
}

/// A number, symbol, keyword, `nil`, `true` or `false`.
pub(super) fn token(reader: &mut Reader<'_>, first: char) -> R<What> {
    let mut token = String::from(first);
    let second = reader.peek();
    let number = first.is_ascii_digit()
        || (matches!(first, '+' | '-') && second.is_some_and(|second| second.is_ascii_digit()));
    rest_of_token(reader, &mut token);
    if number {
        return parse::number(&token).map(What::Literal);
    }
    let literal = match token.as_str() {
        "nil" => Literal::Nil,
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        _ if first == ':' => Literal::Keyword(keyword(&token)?.into()),
        _ if token.starts_with("loanhook/") => {
            return Err(wrong(format!("`{token}` is no name that a formula may use")));
        }
        _ if is_name(&token) => return Ok(What::Symbol(token.into())),
        _ => return Err(wrong(format!("`{token}` is no name"))),
    };
    Ok(What::Literal(literal))
}

fn keyword(token: &str) -> R<&str> {
    let name = &token[1..];
    if name.starts_with(':') {
        return Err(unsupported("keywords of the current namespace (`::`) are not supported"));
    }
    if is_name(name) { Ok(name) } else { Err(wrong(format!("`{token}` is no keyword"))) }
}

/// Whether this may be a symbol, or a keyword's name.
fn is_name(name: &str) -> bool {
    let (space, own) = match name.split_once('/') {
        Some((space, own)) if name != "/" => (Some(space), own),
        _ => (None, name),
    };
    let good = !own.is_empty() && !name.ends_with(':') && !name.contains("::");
    let own_is_good = own == "/" || !own.contains('/');
    good && own_is_good
        && space.is_none_or(|space| {
            !space.is_empty() && !space.ends_with(':') && !own.starts_with(|c: char| c.is_ascii_digit())
        })
}
