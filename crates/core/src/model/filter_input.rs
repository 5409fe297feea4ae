//! The filters of a history as a caller writes them, and the rules each must keep.

use std::str::FromStr;

use super::failure::ErrorKind;
use super::filter::{AttemptFilter, CodeFilter, HistoryFilter};
use super::time::Timestamp;
use super::validation::ValidationErrors;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;
const TIME_RULE: &str = "must be a time by RFC 3339, such as 2026-11-23T10:00:00Z or \
                         2026-11-23T12:00:00+02:00, where a query writes the + as %2B";

/// The filters as text, by their names in a query.
#[derive(Debug, Clone, Default)]
pub struct FilterInput {
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

impl FilterInput {
    /// The filter; what is wrong is added to the faults, and its field left out.
    pub fn check(self, errors: &mut ValidationErrors) -> HistoryFilter {
        HistoryFilter {
            event_title: self.event_title,
            event_name: self.event_name,
            subscription_id: field(errors, "subscriptionId", self.subscription_id, "must be a UUID"),
            trace_id: field(errors, "traceId", self.trace_id, "must be a UUID"),
            method: field(errors, "method", self.method, "must be GET, POST, PUT, PATCH or DELETE"),
            outcome: field(errors, "outcome", self.outcome, "must be queued, sending, succeeded or failed"),
            response_code: checked_code(errors, self.response_code),
            error: checked_error_kind(errors, self.error),
            attempt: checked(
                errors,
                "attempt",
                self.attempt,
                attempt,
                "must be auto, manual or a number from 1",
            ),
            from: checked_time(errors, "from", self.from),
            to: checked_time(errors, "to", self.to),
        }
    }
}

/// How many rows a page has, as a caller writes it.
pub fn checked_limit(errors: &mut ValidationErrors, limit: Option<String>) -> usize {
    let within = |text: &str| number(text).filter(|limit| (1..=MAX_LIMIT).contains(limit));
    checked(errors, "limit", limit, within, "must be 1 to 200").unwrap_or(DEFAULT_LIMIT)
}

/// A time of a span, as a caller writes it.
pub fn checked_time(errors: &mut ValidationErrors, name: &str, text: Option<String>) -> Option<Timestamp> {
    checked(errors, name, text, time, TIME_RULE)
}

/// A response code or a class of them, as a caller writes it.
pub(crate) fn checked_code(errors: &mut ValidationErrors, text: Option<String>) -> Option<CodeFilter> {
    let rule = "must be a code from 100 to 999, such as 404, or a class from 1xx to 9xx";
    checked(errors, "responseCode", text, code, rule)
}

/// A kind of error, as a caller writes it.
pub(crate) fn checked_error_kind(errors: &mut ValidationErrors, text: Option<String>) -> Option<ErrorKind> {
    let rule = "must be dns, connect, tls, timeout, protocol, blocked, template or interrupted";
    field(errors, "error", text, rule)
}

/// A value read from text; none, and a fault, where it breaks the rule.
pub fn checked<T>(
    errors: &mut ValidationErrors,
    name: &str,
    text: Option<String>,
    read: impl FnOnce(&str) -> Option<T>,
    rule: &str,
) -> Option<T> {
    let text = text?;
    let value = read(&text);
    if value.is_none() {
        errors.add(name, rule);
    }
    value
}

fn field<T: FromStr>(
    errors: &mut ValidationErrors,
    name: &str,
    text: Option<String>,
    rule: &str,
) -> Option<T> {
    checked(errors, name, text, |text| text.parse().ok(), rule)
}

fn code(text: &str) -> Option<CodeFilter> {
    let code: u16 = text.strip_suffix("xx").unwrap_or(text).parse().ok()?;
    match (text.len(), text.ends_with("xx")) {
        (3, true) => (1..=9).contains(&code).then_some(CodeFilter::Class(code)),
        (3, false) => (100..=999).contains(&code).then_some(CodeFilter::Exact(code)),
        _ => None,
    }
}

/// A time as it stands in a query. There a bare `+` reads as a blank, so a blank where the sign of an offset
/// stands is taken as `+`.
pub fn time(text: &str) -> Option<Timestamp> {
    // A time in UTC, or with an offset whose sign came through.
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let sign = text.len().checked_sub("+00:00".len())?;
    let (before, offset) = (text.get(..sign)?, text.get(sign..)?.strip_prefix(' ')?);
    format!("{before}+{offset}").parse().ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_their_classes_by_table() {
        for (text, means) in [
            ("100", Some(CodeFilter::Exact(100))),
            ("404", Some(CodeFilter::Exact(404))),
            ("999", Some(CodeFilter::Exact(999))),
            ("1xx", Some(CodeFilter::Class(1))),
            ("9xx", Some(CodeFilter::Class(9))),
            ("99", None),
            ("099", None),
            ("1000", None),
            ("0xx", None),
            ("10xx", None),
            ("5XX", None),
            ("5**", None),
            ("+99", None),
            ("xx", None),
            ("", None),
        ] {
            assert_eq!(code(text), means, "{text:?}");
        }
    }

    #[test]
    fn a_blank_in_the_place_of_a_sign_is_a_plus_and_nowhere_else() {
        let noon = "2020-01-01T12:00:00Z".parse().ok();
        for (text, means) in [
            ("2020-01-01T12:00:00Z", noon),
            ("2020-01-01T12:00:00+00:00", noon),
            ("2020-01-01T12:00:00 00:00", noon),
            ("2020-01-01T17:30:00 05:30", noon),
            ("2020-01-01T07:00:00-05:00", noon),
            ("2020-01-01T12:00:00.000 00:00", noon),
            ("2020-01-01T12:00:00  00:00", None),
            ("2020-01-01T12:00:00 ", None),
            ("2020-01-01T12:00:00 00:00 ", None),
            ("2020-01-01 12:00", None),
            ("2020-01-01T12:00:00", None),
            ("2020-01-01T12:00:00 24:00", None),
            ("2020-01-01T12:00:00é0:00", None),
            (" 00:00", None),
            ("00:00", None),
            ("", None),
        ] {
            assert_eq!(time(text), means, "{text:?}");
        }
    }
}
