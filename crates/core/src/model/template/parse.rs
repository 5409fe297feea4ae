//! Parser of templates.

use serde::de::IgnoredAny;

use super::path;
use super::{Body, EscapeContext, Part, Placeholder, Target, Template, TemplateError};
use loanhook_formula::Position;

/// What stands before each text of a sequence (RFC 7464).
const RECORD_SEPARATOR: char = '\u{1e}';

pub(super) fn parse(text: &str, target: Target) -> Result<Template, TemplateError> {
    let mut parser = Parser {
        rest: text,
        at: Position { line: 1, column: 1 },
        quoted: false,
        escaped: false,
        past_the_path: false,
    };
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut shape = String::new();
    while let Some(next) = parser.rest.chars().next() {
        let at = parser.at;
        let context = parser.escape_context(target);
        match parser.placeholder()? {
            Some((name, default)) => {
                if target == Target::Url && parts.is_empty() && !is_past_the_host(&plain) {
                    let detail = "a placeholder in a URL stands after the host and its `/`, `?` or `#`: \
                                  where requests go is the same for each event";
                    return Err(TemplateError { at, detail: detail.into() });
                }
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                shape.push_str(&stand_in(context, parser.at.column - at.column));
                parts.push(Part::Placeholder(Placeholder { at, name, default, context }));
            }
            None => {
                plain.push(next);
                let separates =
                    next == RECORD_SEPARATOR && !parser.quoted && target == Target::Body(Body::JsonTexts);
                shape.push(if separates { ' ' } else { next });
                parser.skip();
            }
        }
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    match target {
        Target::Body(Body::Json) => check_json(&shape)?,
        Target::Body(Body::JsonTexts) => check_json_texts(&shape)?,
        _ => {}
    }
    Ok(Template { parts })
}

/// Whether a URL that begins so has its host, whatever follows. It is stricter than URLs need be, as a parser
/// skips slashes and blanks that a host may then be behind.
fn is_past_the_host(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let Some(end) = rest.find(['/', '?', '#']) else { return false };
    let authority = &rest[..end];
    !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !authority.is_empty()
        && !authority.chars().any(|char| char == '\\' || char.is_whitespace() || char.is_control())
}

/// Something as wide as a placeholder that is JSON where it stands.
fn stand_in(context: EscapeContext, width: u32) -> String {
    let width = width as usize;
    match context {
        EscapeContext::JsonValue | EscapeContext::JsonValueOfLine => format!("{:width$}", "null"),
        _ => "x".repeat(width),
    }
}

/// That what it renders to will be JSON: a placeholder stands for one value, or for part of a string.
fn check_json(shape: &str) -> Result<(), TemplateError> {
    serde_json::from_str::<IgnoredAny>(shape).map(|_| ()).map_err(|error| no_json(shape, &error))
}

/// The same of several JSON texts, one after the other.
fn check_json_texts(shape: &str) -> Result<(), TemplateError> {
    let mut texts = serde_json::Deserializer::from_str(shape).into_iter::<IgnoredAny>();
    let fault = texts.find_map(Result::err);
    fault.map_or(Ok(()), |error| Err(no_json(shape, &error)))
}

fn no_json(shape: &str, error: &serde_json::Error) -> TemplateError {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    let detail = format!(
        "the content type is JSON, and this template does not render to JSON: {reason}; \
             for other text, set request.contentType"
    );
    // Its columns are bytes.
    let line = shape.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before = line.char_indices().take_while(|(byte, _)| byte + 1 < error.column()).count();
    let from_1 = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).max(1);
    TemplateError { at: Position { line: from_1(error.line()), column: from_1(before + 1) }, detail }
}

struct Parser<'t> {
    rest: &'t str,
    at: Position,
    /// In a JSON string, if this is JSON.
    quoted: bool,
    /// After a backslash in one.
    escaped: bool,
    /// After a `?` or `#`, if this is a URL.
    past_the_path: bool,
}

impl Parser<'_> {
    const fn escape_context(&self, target: Target) -> EscapeContext {
        match target {
            Target::Url if self.past_the_path => EscapeContext::UrlQuery,
            Target::Url => EscapeContext::UrlPath,
            Target::Header => EscapeContext::Header,
            Target::Body(Body::Plain) => EscapeContext::Plain,
            Target::Body(Body::Form) => EscapeContext::Form,
            Target::Body(Body::Xml) => EscapeContext::Xml,
            Target::Body(Body::Json | Body::JsonTexts) if self.quoted => EscapeContext::JsonString,
            Target::Body(Body::Json) => EscapeContext::JsonValue,
            Target::Body(Body::JsonTexts) => EscapeContext::JsonValueOfLine,
        }
    }

    /// Takes one character of plain text.
    fn skip(&mut self) {
        let mut chars = self.rest.chars();
        let Some(next) = chars.next() else { return };
        self.rest = chars.as_str();
        match next {
            _ if self.escaped => self.escaped = false,
            '\\' if self.quoted => self.escaped = true,
            '"' => self.quoted = !self.quoted,
            '?' | '#' => self.past_the_path = true,
            _ => {}
        }
        self.advance(next);
    }

    fn advance(&mut self, past: char) {
        if past == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
    }

    /// A placeholder, if one stands here. `[[` with anything but a call behind it is plain text, as lists in
    /// lists are in JSON.
    fn placeholder(&mut self) -> Result<Option<(String, Option<String>)>, TemplateError> {
        let Some(inner) = self.rest.strip_prefix("[[").map(str::trim_start) else { return Ok(None) };
        let word = inner.bytes().take_while(u8::is_ascii_alphabetic).count();
        if word == 0 || !inner[word..].trim_start().starts_with('(') {
            return Ok(None);
        }
        let fault = |detail: &str| TemplateError { at: self.at, detail: detail.into() };
        if &inner[..word] != "v" {
            return Err(fault("a placeholder is [[v('name')]] or [[v('name','default')]]"));
        }
        let inner = inner[word..].trim_start().strip_prefix('(').unwrap_or_default();
        let shape =
            "a placeholder is [[v('name')]] or [[v('name','default')]], and this one is not closed so";
        let (name, rest) = quoted(inner).ok_or_else(|| fault(shape))?;
        let (default, rest) = match rest.trim_start().strip_prefix(',') {
            Some(rest) => {
                quoted(rest).map(|(default, rest)| (Some(default), rest)).ok_or_else(|| fault(shape))?
            }
            None => (None, rest),
        };
        let rest = rest.trim_start().strip_prefix(')').map(str::trim_start);
        let rest = rest.and_then(|rest| rest.strip_prefix("]]")).ok_or_else(|| fault(shape))?;
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(fault("a placeholder names a variable"));
        }
        path::parse(&name).map_err(fault)?;
        let whole = &self.rest[..self.rest.len() - rest.len()];
        if whole.contains('\n') {
            return Err(fault("a placeholder stands on one line"));
        }
        self.at.column += u32::try_from(whole.chars().count()).unwrap_or(0);
        self.rest = rest;
        self.escaped = false;
        Ok(Some((name, default)))
    }
}

/// A text in single or double quotes, where `\` keeps the next character from its meaning; and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (mut inside, mut chars) = (String::new(), text[1..].chars());
    loop {
        match chars.next()? {
            '\\' => inside.push(chars.next()?),
            char if char == quote => return Some((inside, chars.as_str())),
            char => inside.push(char),
        }
    }
}
