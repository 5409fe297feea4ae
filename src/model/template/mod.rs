//! Templates: `[[v('variable-name')]]` in a payload, a URL or a header value.
//!
//! A placeholder stands for a variable of the event's context, or for one of `event-name`, `loan-id`,
//! `trace-id` and `occurred-at`, which come first. `[[v('name','default')]]` says what stands there where the
//! variable is missing or null; a path such as `payments[0].amount` leads into lists and objects. A template is
//! read once, when it is saved, and each placeholder escapes for where it stands; numbers keep
//! their spelling.
//!
//! What it guarantees: a template of a JSON body renders to JSON whatever the values are, one of a URL to a URL
//! with the same host and number of path segments, one of a header to visible ASCII on one line. One that
//! cannot keep that, or lacks a variable, does not render ([`Unrenderable`]).

mod escape;
mod parse;
mod value;

pub use value::Variables;

use super::formula::Position;
use value::Found;

/// The largest body a template may render to, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Where a template is to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Url,
    Header,
    /// A body of this content type: JSON, or any other text.
    Body {
        json: bool,
    },
}

impl Target {
    pub fn body(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Self::Body { json: essence.ends_with("/json") || essence.ends_with("+json") }
    }
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({at})")]
pub struct TemplateError {
    pub at: Position,
    pub detail: String,
}

/// Why a template does not render for an event: a sentence without a full stop that holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unrenderable(String);

#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Placeholder { at: Position, name: String, default: Option<String>, place: Place },
}

/// What a placeholder's value must be escaped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    UrlComponent,
    Header,
    /// Between the quotes of a JSON string.
    JsonString,
    /// Where JSON has a value: the variable's own JSON stands there.
    JsonValue,
    Plain,
}

impl Template {
    pub fn parse(text: &str, target: Target) -> Result<Self, TemplateError> {
        parse::parse(text, target)
    }

    /// Whether anything in it varies.
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// What it comes to for an event, at most so many bytes of it.
    pub fn render(&self, variables: &Variables<'_>, most: usize) -> Result<String, Unrenderable> {
        self.filled(most, |at, name, default, place| {
            let found = variables.find(name).map_err(|why| Unrenderable(format!("{why} ({at})")))?;
            let found = match (found, default) {
                (None | Some(Found::Null), Some(default)) => Found::Default(default),
                (Some(found), _) => found,
                (None, None) => {
                    let detail = format!(
                        "there is no variable `{name}` in the event's context, and no default ({at})"
                    );
                    return Err(Unrenderable(detail));
                }
            };
            found.escaped(place).map_err(|why| Unrenderable(format!("`{name}` {why} ({at})")))
        })
    }

    /// With something harmless in the place of each value, to see what it will look like.
    pub(crate) fn sample(&self) -> String {
        let sampled = self.filled(usize::MAX, |_, _, _, place| {
            Ok(if place == Place::JsonValue { "null" } else { "x" }.to_owned())
        });
        // Nothing in it fails.
        sampled.unwrap_or_default()
    }

    fn filled(
        &self,
        most: usize,
        fill: impl Fn(Position, &str, Option<&str>, Place) -> Result<String, Unrenderable>,
    ) -> Result<String, Unrenderable> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Placeholder { at, name, default, place } => {
                    text.push_str(&fill(*at, name, default.as_deref(), *place)?);
                }
            }
            if text.len() > most {
                return Err(Unrenderable(format!("it renders to more than {most} bytes")));
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
