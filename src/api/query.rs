//! The filters and the place of a page, as they stand in a query.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::IntoParams;
use uuid::Uuid;

use super::problem::Problem;
use crate::model::failure::ErrorKind;
use crate::model::filter::{AttemptFilter, CodeFilter, HistoryFilter};
use crate::model::id::AttemptId;
use crate::model::time::Timestamp;
use crate::model::validation::Faults;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// A query whose parameters are all known; any other is a 422.
pub(super) struct Checked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Checked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(Faults::one("query", "must be percent-encoded UTF-8").into());
        }
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let text = rejection.body_text();
                let fault = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Err(Faults::one("query", fault).into())
            }
        }
    }
}

/// The filters of a history; a row must pass all.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    event_title: Option<String>,
    event_name: Option<String>,
    #[param(format = "uuid")]
    subscription_id: Option<String>,
    #[param(format = "uuid")]
    trace_id: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE.
    #[param(pattern = "^(GET|POST|PUT|PATCH|DELETE)$")]
    method: Option<String>,
    /// queued, sending, succeeded or failed.
    #[param(pattern = "^(queued|sending|succeeded|failed)$")]
    outcome: Option<String>,
    /// A code (404) or a class of them (4xx).
    #[param(pattern = "^[1-5]([0-9]{2}|xx)$")]
    response_code: Option<String>,
    /// A kind of error.
    #[param(pattern = "^(dns|connect|tls|timeout|protocol|blocked|template|interrupted)$")]
    error: Option<String>,
    /// auto, manual, or an attempt's number.
    #[param(pattern = "^(auto|manual|[1-9][0-9]{0,8})$")]
    attempt: Option<String>,
    /// The first moment of `sentAt`.
    #[param(format = DateTime)]
    from: Option<String>,
    /// The last moment of `sentAt`.
    #[param(format = DateTime)]
    to: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]{22}$")]
    cursor: Option<String>,
}

/// A page of a short list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]{22}$")]
    cursor: Option<String>,
}

/// The filter, the ID that the page begins before, and how many rows it has.
pub(super) type HistoryPage = (HistoryFilter, Option<AttemptId>, usize);

impl HistoryQuery {
    pub(super) fn check(self) -> Result<HistoryPage, Faults> {
        let mut faults = Faults::default();
        let filter = HistoryFilter {
            event_title: self.event_title,
            event_name: self.event_name,
            subscription_id: field(&mut faults, "subscriptionId", self.subscription_id, "must be a UUID"),
            trace_id: field(&mut faults, "traceId", self.trace_id, "must be a UUID"),
            method: word(&mut faults, "method", self.method, "must be GET, POST, PUT, PATCH or DELETE"),
            outcome: word(
                &mut faults,
                "outcome",
                self.outcome,
                "must be queued, sending, succeeded or failed",
            ),
            response_code: checked(
                &mut faults,
                "responseCode",
                self.response_code,
                code,
                "must be a code such as 404 or a class such as 4xx",
            ),
            error: field::<ErrorKind>(
                &mut faults,
                "error",
                self.error,
                "must be dns, connect, tls, timeout, protocol, blocked, template or interrupted",
            ),
            attempt: checked(
                &mut faults,
                "attempt",
                self.attempt,
                attempt,
                "must be auto, manual or a number from 1",
            ),
            from: field::<Timestamp>(&mut faults, "from", self.from, "must be a time by RFC 3339"),
            to: field(&mut faults, "to", self.to, "must be a time by RFC 3339"),
        };
        let (before, limit) = page(&mut faults, self.cursor, self.limit);
        faults.or((filter, before.map(AttemptId::from_uuid), limit))
    }
}

impl PageQuery {
    pub(super) fn check(self) -> Result<(Option<Uuid>, usize), Faults> {
        page_of(self.cursor, self.limit)
    }
}

/// The ID that a page of a short list begins after, and how many items it has.
pub(super) fn page_of(
    cursor: Option<String>,
    limit: Option<String>,
) -> Result<(Option<Uuid>, usize), Faults> {
    let mut faults = Faults::default();
    let page = page(&mut faults, cursor, limit);
    faults.or(page)
}

/// The place where a list goes on, as a cursor.
pub(super) fn cursor(last: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(last.as_bytes())
}

fn page(faults: &mut Faults, cursor: Option<String>, limit: Option<String>) -> (Option<Uuid>, usize) {
    let decode = |text: &str| Uuid::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    let place =
        checked(faults, "cursor", cursor, decode, "must be the next of the page before, as it was given");
    let within = |text: &str| number(text).filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let limit = checked(faults, "limit", limit, within, "must be 1 to 200");
    (place, limit.unwrap_or(DEFAULT_LIMIT))
}

fn checked<T>(
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
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| digits)
}
