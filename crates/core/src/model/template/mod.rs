//! Templates: `[[v('variable-name')]]` in a payload, a URL or a header value.
//!
//! A placeholder stands for a variable of the event's context, or for one of `event-name`, `loan-id`,
//! `trace-id` and `occurred-at`, which come first and are always there (the loan of an operational event is null, an event that does not say when it occurred
//! did when it was accepted). `[[v('name','default')]]` says what stands there where the
//! variable is missing or null; a path such as `payments[0].amount` leads into lists and objects. A template is
//! read once, when it is saved, and each placeholder escapes for where it stands; numbers keep
//! their spelling.
//!
//! What it guarantees: a template of a JSON body renders to JSON whatever the values are, one of a URL to a URL
//! with the scheme, host and port that the template has itself, and as many path segments, one of a header to
//! visible ASCII on one line; in a form or in XML a value begins no field and no element. One that cannot keep that, or lacks a variable, does not render ([`Unrenderable`]).

mod content_type;
mod escape;
mod parse;
mod path;
mod value;

pub use value::Variables;

use loanhook_formula::Position;
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
    /// One JSON text.
    Json,
    /// JSON texts one after the other: a line each, or each behind a record separator (RFC 7464).
    JsonTexts,
    Form,
    Xml,
    /// Any other text.
    Plain,
}

impl Target {
    /// A body of this content type; its parameters and its case do not count.
    pub fn body(content_type: &str) -> Self {
        Self::Body(Body::of(content_type))
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
    context: EscapeContext,
}

/// What a placeholder's value must be escaped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EscapeContext {
    /// Before a `?` or `#`.
    UrlPath,
    UrlQuery,
    Header,
    /// Between the quotes of a JSON string.
    JsonString,
    /// Where JSON has a value: the variable's own JSON stands there.
    JsonValue,
    /// The same on one line: between JSON texts a line's end means something.
    JsonValueOfLine,
    Form,
    /// A text or an attribute's value.
    Xml,
    Plain,
}

impl EscapeContext {
    /// How many bytes one byte of a value becomes at most. What JSON escapes is escaped in the event already,
    /// but for the quotes and backslashes of an object or list that stands in a string.
    const fn growth(self) -> usize {
        match self {
            Self::JsonValue | Self::JsonValueOfLine | Self::Plain => 1,
            Self::JsonString => 2,
            // `%41`
            Self::UrlPath | Self::UrlQuery | Self::Header | Self::Form => 3,
            // `&quot;`
            Self::Xml => 6,
        }
    }
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
                    if placeholder.context == EscapeContext::UrlPath {
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

    /// How many bytes it has, where nothing in it varies.
    pub fn constant_size(&self) -> Option<usize> {
        let size = |part: &Part| match part {
            Part::Text(plain) => Some(plain.len()),
            Part::Placeholder(_) => None,
        };
        self.parts.iter().map(size).sum()
    }

    /// How many bytes it comes to for an event at most, and no more than `most`. No value is read for it.
    pub fn size_at_most(&self, variables: &Variables<'_>, most: usize) -> usize {
        let sizes = self.parts.iter().map(|part| match part {
            Part::Text(plain) => plain.len(),
            Part::Placeholder(placeholder) => placeholder.size_at_most(variables),
        });
        sizes.fold(0, usize::saturating_add).min(most)
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
    fn size_at_most(&self, variables: &Variables<'_>) -> usize {
        // A default is written as text, of which JSON may escape each character (`\u0007`).
        let default = self.default.as_ref().map_or(0, |default| 6 * default.len());
        let written = variables.written_size(&self.name).max(default);
        // Quotes where the value is a JSON string, and what escapes make of each byte at most.
        written.saturating_add(2).saturating_mul(self.context.growth())
    }

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
        found.escaped(self.context).map_err(|why| unrenderable(format!("`{name}` {why}")))
    }
}

#[cfg(test)]
#[path = "size_tests.rs"]
mod size_tests;
#[cfg(test)]
#[path = "tests.rs"]
mod tests;
