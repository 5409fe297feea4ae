//! Tokens: strings, characters, regexes, numbers, symbols and keywords.

use super::cursor::TextCursor;
use super::number;
use crate::error::{Position, Result, invalid, unsupported};
use crate::form::{FormKind, Literal};
use crate::name::{INTERNAL_NAMESPACE, split_name};

/// Whether a character ends a token: a space, or one of `LispReader`'s terminating macros.
fn ends_token(char: char) -> bool {
    char.is_whitespace() || ",\";@^`~()[]{}\\".contains(char)
}

fn read_rest_of_token(cursor: &mut TextCursor<'_>, token: &mut String) {
    while let Some(next) = cursor.peek().filter(|next| !ends_token(*next)) {
        token.push(next);
        cursor.next();
    }
}

/// The text of a string. Its opening quote was read.
pub(super) fn string(cursor: &mut TextCursor<'_>, position: Position) -> Result<String> {
    let mut text = String::new();
    loop {
        match cursor.next() {
            Some('"') => return Ok(text),
            Some('\\') => text.push(escaped_character(cursor)?),
            Some(char) => text.push(char),
            None => return Err(invalid("this string is never closed: `\"` is missing").at(position)),
        }
    }
}

/// The character that an escape in a string stands for. Its backslash was read.
fn escaped_character(cursor: &mut TextCursor<'_>) -> Result<char> {
    let char = match cursor.next() {
        Some('t') => '\t',
        Some('r') => '\r',
        Some('n') => '\n',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some(itself @ ('\\' | '"')) => itself,
        Some('u') => return unicode_escape(cursor),
        Some(digit @ '0'..='7') => {
            let mut code = digit.to_digit(8).unwrap_or(0);
            for _ in 0..2 {
                let Some(digit) = cursor.peek().and_then(|next| next.to_digit(8)) else { break };
                cursor.next();
                code = code * 8 + digit;
            }
            return if code > 0o377 {
                Err(invalid("an octal escape is at most \\377"))
            } else {
                char::from_u32(code).ok_or_else(|| invalid("this is no character"))
            };
        }
        Some(other) => {
            return Err(invalid(format!("`\\{other}` is no escape: write `\\\\{other}` for a backslash")));
        }
        None => return Err(invalid("this string is never closed: `\"` is missing")),
    };
    Ok(char)
}

/// The character of the four digits after `\u`.
fn unicode_escape(cursor: &mut TextCursor<'_>) -> Result<char> {
    let mut code = 0;
    for _ in 0..4 {
        let digit = cursor.next().and_then(|next| next.to_digit(16));
        code = code * 16 + digit.ok_or_else(|| invalid("`\\u` is followed by four hexadecimal digits"))?;
    }
    char::from_u32(code)
        .ok_or_else(|| unsupported("halves of surrogate pairs are not supported: write the character"))
}

/// The source of a regex, with its escapes as they are. Its opening quote was read.
pub(super) fn regex(cursor: &mut TextCursor<'_>, position: Position) -> Result<String> {
    let mut text = String::new();
    loop {
        match cursor.next() {
            Some('"') => return Ok(text),
            Some('\\') => {
                text.push('\\');
                text.extend(cursor.next());
            }
            Some(char) => text.push(char),
            None => return Err(invalid("this regex is never closed: `\"` is missing").at(position)),
        }
    }
}

/// A character literal. Its backslash was read.
pub(super) fn character(cursor: &mut TextCursor<'_>) -> Result<char> {
    let Some(first) = cursor.next() else { return Err(invalid("`\\` is followed by nothing")) };
    let mut token = String::from(first);
    read_rest_of_token(cursor, &mut token);
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
            let code = u32::from_str_radix(digits, 16)
                .map_err(|_| invalid(format!("`\\{token}` is no character")))?;
            char::from_u32(code).ok_or_else(|| invalid(format!("`\\{token}` is no character")))?
        }
        (_, Some('o'), digits) if (1..=3).contains(&digits.len()) => u32::from_str_radix(digits, 8)
            .ok()
            .filter(|code| *code <= 0o377)
            .and_then(char::from_u32)
            .ok_or_else(|| invalid(format!("`\\{token}` is no character")))?,
        _ => return Err(invalid(format!("`\\{token}` is no character"))),
    };
    if char > '\u{ffff}' {
        return Err(invalid("a character is one of 16 bits: write a string"));
    }
    Ok(char)
}

/// `##Inf`, `##-Inf` or `##NaN`. Its `##` was read.
pub(super) fn symbolic_double(cursor: &mut TextCursor<'_>) -> Result<FormKind> {
    let mut token = String::new();
    read_rest_of_token(cursor, &mut token);
    let value = match token.as_str() {
        "Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        _ => return Err(invalid(format!("`##{token}` is none of ##Inf, ##-Inf and ##NaN"))),
    };
    Ok(FormKind::Literal(Literal::Double(value)))
}

/// A number, symbol, keyword, `nil`, `true` or `false`.
pub(super) fn token(cursor: &mut TextCursor<'_>, first: char) -> Result<FormKind> {
    let mut token = String::from(first);
    let second = cursor.peek();
    let is_number = first.is_ascii_digit()
        || (matches!(first, '+' | '-') && second.is_some_and(|second| second.is_ascii_digit()));
    read_rest_of_token(cursor, &mut token);
    if is_number {
        return number::number(&token).map(FormKind::Literal);
    }
    let literal = match token.as_str() {
        "nil" => Literal::Nil,
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        _ if first == ':' => Literal::Keyword(keyword(&token)?.into()),
        _ if token.starts_with(INTERNAL_NAMESPACE) => {
            return Err(invalid(format!("`{token}` is no name that a formula may use")));
        }
        _ if is_name(&token) => return Ok(FormKind::Symbol(token.into())),
        _ => return Err(invalid(format!("`{token}` is no name"))),
    };
    Ok(FormKind::Literal(literal))
}

fn keyword(token: &str) -> Result<&str> {
    let name = &token[1..];
    if name.starts_with(':') {
        return Err(unsupported("keywords of the current namespace (`::`) are not supported"));
    }
    if is_name(name) { Ok(name) } else { Err(invalid(format!("`{token}` is no keyword"))) }
}

/// Whether this may be a symbol, or a keyword's name.
fn is_name(name: &str) -> bool {
    let (namespace, own) = split_name(name);
    let is_valid = !own.is_empty() && !name.ends_with(':') && !name.contains("::");
    let own_is_valid = own == "/" || !own.contains('/');
    let namespace_is_valid = |namespace: &str| {
        !namespace.is_empty()
            && !namespace.ends_with(':')
            && !own.starts_with(|first: char| first.is_ascii_digit())
    };
    is_valid && own_is_valid && namespace.is_none_or(namespace_is_valid)
}
