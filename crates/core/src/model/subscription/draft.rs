//! A subscription as its author tells it, and the rules it must keep.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::headers::{check_headers, is_header_value};
use super::url_text::url_fault;
use super::{CompiledCache, Criteria, Fire, Method, Request, Settings, may_keep_credentials};
use crate::model::retry::{RetryDraft, RetryPolicy};
use crate::model::strict_object::{object, optional_object, texts};
use crate::model::template::{Target, Template};
use crate::model::validation::{ValidationErrors, name_error};
use loanhook_formula::Formula;

const MAX_EVENTS: usize = 1000;

/// The settings of a webhook; what may be left out has its default.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionSettings)]
pub struct SubscriptionDraft {
    // What reads show beside the settings may come back with them, and changes nothing.
    #[serde(default, rename = "id")]
    #[schema(value_type = Option<String>, read_only)]
    _id: IgnoredAny,
    #[serde(default, rename = "version")]
    #[schema(value_type = Option<u64>, read_only)]
    _version: IgnoredAny,
    #[serde(default, rename = "createdAt")]
    #[schema(value_type = Option<String>, read_only)]
    _created_at: IgnoredAny,
    #[serde(default, rename = "updatedAt")]
    #[schema(value_type = Option<String>, read_only)]
    _updated_at: IgnoredAny,
    #[serde(default, rename = "formulaErrors")]
    #[schema(value_type = Option<Object>, read_only)]
    _formula_errors: IgnoredAny,
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
        example = "Core banking: payment posted"
    )]
    title: String,
    #[serde(default)]
    #[schema(max_length = 4096)]
    description: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(deserialize_with = "object")]
    criteria: CriteriaDraft,
    /// A formula that must also be true.
    #[serde(default)]
    #[schema(max_length = 16384, example = "(= loan-status \"Open\")")]
    restriction: Option<String>,
    #[serde(deserialize_with = "object")]
    request: RequestDraft,
    /// When to try again after a failure; by default after 5 min, 30 min, 2 h, 5 h, 10 h and 10 h.
    #[serde(default, deserialize_with = "optional_object")]
    retry: Option<RetryDraft>,
    /// Seconds for the whole request.
    #[serde(default = "fifteen")]
    #[schema(minimum = 1, maximum = 30)]
    timeout_seconds: u32,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionCriteria)]
struct CriteriaDraft {
    /// Names of events; `*` is all.
    #[serde(default)]
    #[schema(example = json!(["Payment Posted to Account"]))]
    events: Option<Vec<String>>,
    /// A formula over the loan's variables, instead of names of events.
    #[serde(default)]
    #[schema(max_length = 16384, example = "(> status-days-past-due 30)")]
    trigger: Option<String>,
    /// When a trigger fires: when it becomes true for a loan, unless told otherwise.
    #[serde(default)]
    fire: Option<Fire>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SubscriptionRequest)]
struct RequestDraft {
    #[serde(default = "post")]
    method: Method,
    #[schema(max_length = 8192, example = "https://core.example.com/hooks/loans")]
    url: String,
    /// Values are write-only: reads show `***`, which in a PUT keeps the stored value as long as scheme, host and port
    /// of the URL stay the same.
    #[serde(default, deserialize_with = "texts")]
    headers: BTreeMap<String, String>,
    #[serde(default = "json")]
    #[schema(pattern = "^[!-~]([ -~]*[!-~])?$")]
    content_type: String,
    /// A template of the body; without one it is the event's name and its context.
    #[serde(default)]
    #[schema(example = "{\"loan\": \"[[v('loan-id')]]\", \"amount\": [[v('last-payment-amount')]]}")]
    payload: Option<String>,
}

fn yes() -> bool {
    true
}

fn fifteen() -> u32 {
    15
}

fn post() -> Method {
    Method::Post
}

fn json() -> String {
    "application/json".into()
}

impl SubscriptionDraft {
    /// The settings, or all that is wrong with them. `stored` are those that they replace, whose header
    /// values `***` keeps.
    pub fn check(self, stored: Option<&Settings>) -> Result<Settings, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        if let Some(fault) = name_error(&self.title) {
            errors.add("/title", fault);
        }
        if self.description.chars().count() > 4096 {
            errors.add("/description", "must have at most 4096 characters");
        }
        if let Some(Err(error)) = self.restriction.as_deref().map(Formula::parse) {
            errors.add_formula("/restriction", &error);
        }
        if !(1..=30).contains(&self.timeout_seconds) {
            errors.add("/timeoutSeconds", "must be 1 to 30 seconds");
        }
        let settings = Settings {
            criteria: self.criteria.check(&mut errors),
            request: self.request.check(stored.map(|stored| &stored.request), &mut errors),
            retry: self.retry.map_or_else(RetryPolicy::default, |retry| retry.check(&mut errors)),
            title: self.title,
            description: self.description,
            enabled: self.enabled,
            restriction: self.restriction,
            timeout_seconds: self.timeout_seconds,
            compiled: CompiledCache::default(),
        };
        errors.ok_or_errors(settings)
    }
}

impl CriteriaDraft {
    fn check(self, errors: &mut ValidationErrors) -> Criteria {
        if let Some(trigger) = self.trigger {
            if self.events.is_some() {
                errors.add(
                    "/criteria/events",
                    "goes without a trigger only: a trigger is asked at every event",
                );
            }
            if let Err(error) = Formula::parse(&trigger) {
                errors.add_formula("/criteria/trigger", &error);
            }
            return Criteria::Trigger { trigger, fire: self.fire.unwrap_or(Fire::OnChange), since: 1 };
        }
        if self.fire.is_some() {
            errors.add("/criteria/fire", "goes with a trigger only");
        } else if self.events.as_ref().is_none_or(Vec::is_empty) {
            errors.add("/criteria/events", "must name at least one event; [\"*\"] is all");
        }
        let events = self.events.unwrap_or_default();
        if events.len() > MAX_EVENTS {
            errors.add("/criteria/events", format!("must name at most {MAX_EVENTS} events"));
        }
        for (i, name) in events.iter().enumerate() {
            if let Some(fault) = name_error(name) {
                errors.add(format!("/criteria/events/{i}"), fault);
            }
        }
        Criteria::Events(events)
    }
}

impl RequestDraft {
    fn check(self, stored: Option<&Request>, errors: &mut ValidationErrors) -> Request {
        let is_url = check_url(&self.url, errors);
        let moved = is_url && stored.is_some_and(|stored| !may_keep_credentials(&stored.url, &self.url));
        if self.content_type.is_empty() || !is_header_value(&self.content_type) {
            errors.add("/request/contentType", "must be a media type, such as application/json");
        }
        if let Some(payload) = &self.payload
            && let Err(error) = Template::parse(payload, Target::body(&self.content_type))
        {
            errors.add_at("/request/payload", error.to_string(), error.at);
        }
        Request {
            method: self.method,
            url: self.url,
            headers: check_headers(self.headers, stored, moved, errors),
            content_type: self.content_type,
            payload: self.payload,
        }
    }
}

/// Whether it may be a URL of requests; if not, `faults` say why.
fn check_url(text: &str, errors: &mut ValidationErrors) -> bool {
    let fault = match Template::parse(text, Target::Url) {
        Ok(template) => url_fault(text, &template),
        Err(error) => {
            errors.add_at("/request/url", error.to_string(), error.at);
            return false;
        }
    };
    if let Some(fault) = fault {
        errors.add("/request/url", fault);
    }
    fault.is_none()
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
