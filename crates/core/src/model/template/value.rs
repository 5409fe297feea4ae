//! Values of placeholders: what a name stands for in an event.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::EscapeContext;
use super::{escape, path};
use crate::model::event_evaluation::EventEvaluation;
use crate::model::id::TraceId;
use loanhook_formula::Context;

/// All that a template can name for one delivery.
#[derive(Debug)]
pub struct Variables<'a> {
    pub context: &'a Context<'a>,
    pub event_name: &'a str,
    /// None of an operational event, where it is null.
    pub loan_id: Option<&'a str>,
    pub trace_id: TraceId,
    /// When the event says that it occurred, else when it was accepted.
    pub occurred_at: Cow<'a, str>,
}

/// What was found under a name.
#[derive(Debug)]
pub(super) enum Found<'a> {
    Null,
    Text(Cow<'a, str>),
    /// JSON that is neither null nor a string, as it was written.
    Json(&'a str),
    /// What the template says itself.
    Default(&'a str),
}

impl<'a> Variables<'a> {
    pub fn of(evaluation: &'a EventEvaluation<'_>, context: &'a Context<'a>, trace_id: TraceId) -> Self {
        let event = evaluation.event;
        let accepted = || Cow::Owned(evaluation.at.to_string());
        Self {
            context,
            event_name: &event.name,
            loan_id: event.loan_id.shown(),
            trace_id,
            occurred_at: event.occurred_at.as_deref().map_or_else(accepted, Cow::Borrowed),
        }
    }

    pub(super) fn find(&'a self, name: &str) -> Result<Option<Found<'a>>, &'static str> {
        let text = match name {
            "event-name" => Cow::Borrowed(self.event_name),
            "loan-id" => return Ok(Some(self.loan_id.map_or(Found::Null, |loan| Found::Text(loan.into())))),
            "trace-id" => Cow::Owned(self.trace_id.to_string()),
            "occurred-at" => Cow::Borrowed(&*self.occurred_at),
            _ => return self.in_context(name),
        };
        Ok(Some(Found::Text(text)))
    }

    /// How many bytes a variable has as it is written in the event; of a path, all of the variable that it leads into.
    pub(super) fn written_size(&self, name: &str) -> usize {
        match name {
            // They hold no controls: of what they hold, JSON escapes quotes and backslashes.
            "event-name" => 2 * self.event_name.len(),
            "loan-id" => 2 * self.loan_id.unwrap_or("null").len(),
            "trace-id" => uuid::fmt::Hyphenated::LENGTH,
            "occurred-at" => self.occurred_at.len(),
            _ => {
                let variable = self.context.variable(name).or_else(|| {
                    let (variable, _) = path::parse(name).ok()?;
                    self.context.variable(variable)
                });
                variable.map_or(0, |json| json.get().len())
            }
        }
    }

    /// A variable of this very name, else where its path leads.
    fn in_context(&self, name: &str) -> Result<Option<Found<'a>>, &'static str> {
        if let Some(json) = self.context.variable(name) {
            return found(json.get()).map(Some);
        }
        let (variable, steps) = path::parse(name)?;
        self.context.json_at(variable, steps).map(found).transpose()
    }
}

fn found(json: &str) -> Result<Found<'_>, &'static str> {
    match json.as_bytes().first() {
        Some(b'n') => Ok(Found::Null),
        Some(b'"') => serde_json::from_str::<String>(json)
            .map(|text| Found::Text(text.into()))
            .map_err(|_| "a variable holds text that is not Unicode"),
        _ => Ok(Found::Json(json)),
    }
}

impl Found<'_> {
    /// What stands in its place, or why nothing can.
    pub(super) fn escaped(&self, context: EscapeContext) -> Result<String, &'static str> {
        let text = match self {
            Self::Null => "",
            Self::Text(text) => text,
            Self::Json(json) => json,
            Self::Default(default) => default,
        };
        Ok(match context {
            EscapeContext::Plain => text.to_owned(),
            EscapeContext::Header => escape::header(text),
            EscapeContext::UrlPath | EscapeContext::UrlQuery | EscapeContext::Form => {
                escape::url_component(text)
            }
            EscapeContext::Xml => {
                escape::xml(text).ok_or("holds a control character, which XML cannot hold in any way")?
            }
            EscapeContext::JsonString => escape::json_string(text),
            // A line's end in JSON stands between values only: in a text it is escaped.
            EscapeContext::JsonValueOfLine => {
                self.escaped(EscapeContext::JsonValue)?.replace(['\n', '\r'], " ")
            }
            EscapeContext::JsonValue => match self {
                Self::Null => "null".into(),
                Self::Json(json) => (*json).to_owned(),
                Self::Text(text) => escape::json_text(text),
                // `[[v('amount','0')]]` means the number.
                Self::Default(default) if serde_json::from_str::<&RawValue>(default).is_ok() => {
                    (*default).to_owned()
                }
                Self::Default(default) => escape::json_text(default),
            },
        })
    }
}
