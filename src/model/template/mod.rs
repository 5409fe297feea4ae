//! Templates: `[[v('variable-name')]]` in a payload, a URL or a header value.
//!
//! A placeholder stands for a variable of the event's context, or for one of `event-name`, `loan-id`,
//! `trace-id` and `occurred-at`, which come first and are always there (an event that does not say when it occurred
//! did when it was accepted). `[[v('name','default')]]` says what stands there where the
//! variable is missing or null; a path such as `payments[0].amount` leads into lists and objects. A template is
//! read once, when it is saved, and each placeholder escapes for where it stands; numbers keep
//! their spelling.
//!
//! What it guarantees: a template of a JSON body renders to JSON whatever the values are, one of a URL to a URL
//! with the scheme, host and port that the template has itself, and as many path segments, one of a header to
//! visible ASCII on one line; in a form or in XML a value begins no field and no element. One that cannot keep that, or lacks a variable, does not render ([`Unrenderable`]).

mod escape;
mod parse;
mod path;
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
    Body(Body),
}

/// What a body is, as far as values are escaped for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    Json,
    Form,
    Xml,
    /// Any other text.
    Plain,
}

impl Target {
    /// A body of this content type; its parameters do not count.
    pub fn body(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is = |name: &str| essence.split_once('/').is_some_and(|(_, own)| own == name);
        Self::Body(match essence.as_str() {
            "application/x-www-form-urlencoded" => Body::Form,
            _ if is("json") || essence.ends_with("+json") => Body::Json,
            "application/xml" | "text/xml" => Body::Xml,
            _ if essence.ends_with("+xml") => Body::Xml,
            _ => Body::Plain,
        })
    }
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({at})")]
pub struct TemplateError {
    pub at: Position,
    pub detail: String,
}

/// Why a template does not render for an event, and the placeholder that it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail} ({at})")]
pub struct Unrenderable {
    pub at: Position,
    /// A sentence without a full stop that holds no value.
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

#[derive(Debug, Clone, PartialEq)]
struct Placeholder {
    at: Position,
    name: String,
    default: Option<String>,
    place: Place,
}

/// What a placeholder's value must be escaped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before a `?` or `#`.
    UrlPath,
    UrlQuery,
    Header,
    /// Between the quotes of a JSON string.
    JsonString,
    /// Where JSON has a value: the variable's own JSON stands there.
    JsonValue,
    Form,
    /// A text or an attribute's value.
    Xml,
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
        let mut text = String::new();
        let mut in_path = Vec::new();
        let mut at = Position { line: 1, column: 1 };
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Placeholder(placeholder) => {
                    at = placeholder.at;
                    if placeholder.place == Place::UrlPath {
                        in_path.push((placeholder, text.len()));
                    }
                    text.push_str(&placeholder.value(variables)?);
                }
            }
            if text.len() > most {
                return Err(Unrenderable { at, detail: format!("it renders to more than {most} bytes") });
            }
        }
        match in_path.into_iter().find(|(_, start)| escape::is_in_dots(&text, *start)) {
            Some((Placeholder { at, name, .. }, _)) => Err(Unrenderable {
                at: *at,
                detail: format!(
                    "`{name}` makes `.` or `..` of a part of the URL's path, which would lead elsewhere"
                ),
            }),
            None => Ok(text),
        }
    }

    /// With something harmless in the place of each value, to see what it will look like.
    pub(crate) fn sample(&self) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(plain) => plain.as_str(),
            Part::Placeholder(_) => "x",
        });
        parts.collect()
    }
}

impl Placeholder {
    /// What stands in its place for an event.
    fn value(&self, variables: &Variables<'_>) -> Result<String, Unrenderable> {
        let name = &self.name;
        let unrenderable = |detail: String| Unrenderable { at: self.at, detail };
        let found = variables.find(name).map_err(|why| unrenderable(why.into()))?;
        let found = match (found, &self.default) {
            (None | Some(Found::Null), Some(default)) => Found::Default(default),
            (Some(found), _) => found,
            (None, None) => {
                let detail = format!("there is no variable `{name}` in the event's context, and no default");
                return Err(unrenderable(detail));
            }
        };
        found.escaped(self.place).map_err(|why| unrenderable(format!("`{name}` {why}")))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
