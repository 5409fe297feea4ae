//! The filters of a history as a caller writes them, and the rules each must keep.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::ErrorKind;
use super::filter::{AttemptFilter, CodeFilter, HistoryFilter};
use super::time::Timestamp;
use super::validation::Faults;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// The filters as text, by their names in a query.
#[derive(Debug, Clone, Default)]
pub struct FilterDraft {
    pub event_title: Option<String>,
    pub event_name: Option<String>,
    pub subscription_id: Option<String>,
    pub trace_id: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: Option<String>,
    /// queued, sending, succeeded or failed.
    pub outcome: Option<String>,
    /// A code (404) or a class of them (4xx).
    pub response_code: Option<String>,
    /// A kind of error.
    pub error: Option<String>,
    /// auto, manual, or an attempt's number.
    pub attempt: Option<String>,
    /// RFC 3339.
    pub from: Option<String>,
    /// RFC 3339.
    pub to: Option<String>,
}

impl FilterDraft {
    /// The filter; what is wrong is added to the faults, and its field left out.
    pub fn check(self, faults: &mut Faults) -> HistoryFilter {
        HistoryFilter {
            event_title: self.event_title,
            event_name: self.event_name,
            subscription_id: field(faults, "subscriptionId", self.subscription_id, "must be a UUID"),
            trace_id: field(faults, "traceId", self.trace_id, "must be a UUID"),
            method: word(faults, "method", self.method, "must be GET, POST, PUT, PATCH or DELETE"),
            outcome: word(faults, "outcome", self.outcome, "must be queued, sending, succeeded or failed"),
            response_code: checked(
                faults,
                "responseCode",
                self.response_code,
                code,
                "must be a code such as 404 or a class such as 4xx",
            ),
            error: field::<ErrorKind>(
                faults,
                "error",
                self.error,
                "must be dns, connect, tls, timeout, protocol, blocked, template or interrupted",
            ),
            attempt: checked(
                faults,
                "attempt",
                self.attempt,
                attempt,
                "must be auto, manual or a number from 1",
            ),
            from: field::<Timestamp>(faults, "from", self.from, "must be a time by RFC 3339"),
            to: field(faults, "to", self.to, "must be a time by RFC 3339"),
        }
    }
}

/// How many rows a page has, as a caller writes it.
pub fn checked_limit(faults: &mut Faults, limit: Option<String>) -> usize {
    let within = |text: &str| number(text).filter(|limit| (1..=MAX_LIMIT).contains(limit));
    checked(faults, "limit", limit, within, "must be 1 to 200").unwrap_or(DEFAULT_LIMIT)
}

/// A value read from text; none, and a fault, where it breaks the rule.
pub fn checked<T>(
    faults: &mut Faults,
    name: &str,
    text: Option<String>,
    read: impl FnOnce(&str) -> Option<T>,
    rule: &str,
) -> Option<T> {
    let text = text?;
    let value = read(&text);
    if value.is_none() {
        faults.add(name, rule);
    }
    value
}

fn field<T: FromStr>(faults: &mut Faults, name: &str, text: Option<String>, rule: &str) -> Option<T> {
    checked(faults, name, text, |text| text.parse().ok(), rule)
}

/// One of the words that a value of the model is written as.
fn word<T: DeserializeOwned>(faults: &mut Faults, name: &str, text: Option<String>, rule: &str) -> Option<T> {
    checked(faults, name, text, |text| serde_json::from_value(Value::from(text)).ok(), rule)
}

fn code(text: &str) -> Option<CodeFilter> {
    let code: u16 = text.strip_suffix("xx").unwrap_or(text).parse().ok()?;
    match (text.len(), text.ends_with("xx")) {
        (3, true) => (1..=5).contains(&code).then_some(CodeFilter::Class(code)),
        (3, false) => (100..=599).contains(&code).then_some(CodeFilter::Exact(code)),
        _ => None,
    }
}

fn attempt(text: &str) -> Option<AttemptFilter> {
    match text {
        "auto" => Some(AttemptFilter::Auto),
        "manual" => Some(AttemptFilter::Manual),
        text => number(text).map(AttemptFilter::Number),
    }
}

/// A number from 1, written as numbers are: without a sign or zeros before it.
pub fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| digits)
}
