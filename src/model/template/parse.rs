//! Text to a template.

use serde::de::IgnoredAny;

use super::{Part, Place, Target, Template, TemplateError};
use crate::model::formula::Position;

pub(super) fn parse(text: &str, target: Target) -> Result<Template, TemplateError> {
    let mut parser =
        Parser { rest: text, at: Position { line: 1, column: 1 }, quoted: false, escaped: false };
    let mut parts = Vec::new();
    let mut plain = String::new();
    while let Some(next) = parser.rest.chars().next() {
        let at = parser.at;
        let place = parser.place(target);
        match parser.placeholder()? {
            Some((name, default)) => {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Placeholder { at, name, default, place });
            }
            None => {
                plain.push(next);
                parser.skip();
            }
        }
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    let template = Template { parts };
    if target == (Target::Body { json: true }) {
        check_json(&template)?;
    }
    Ok(template)
}

/// That what it renders to will be JSON: a placeholder stands for one value, or for part of a string.
fn check_json(template: &Template) -> Result<(), TemplateError> {
    serde_json::from_str::<IgnoredAny>(&template.sample()).map(|_| ()).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        let detail = format!(
            "the content type is JSON, and this template does not render to JSON: {reason}; \
             for other text, set request.contentType"
        );
        // Columns differ where placeholders stand before: lines do not, as no placeholder holds a line break.
        let line = u32::try_from(error.line()).unwrap_or(1).max(1);
        TemplateError { at: Position { line, column: 1 }, detail }
    })
}

struct Parser<'t> {
    rest: &'t str,
    at: Position,
    /// In a JSON string, if this is JSON.
    quoted: bool,
    /// After a backslash in one.
    escaped: bool,
}

impl Parser<'_> {
    const fn place(&self, target: Target) -> Place {
        match target {
            Target::Url => Place::UrlComponent,
            Target::Header => Place::Header,
            Target::Body { json: false } => Place::Plain,
            Target::Body { json: true } if self.quoted => Place::JsonString,
            Target::Body { json: true } => Place::JsonValue,
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
