//! Responses of the HTTP interface, as far as the commands show them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{CommandError, CommandResult};

/// Decodes a response from JSON.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8]) -> CommandResult<T> {
    serde_json::from_slice(body)
        .map_err(|error| CommandError::Message(format!("this is no answer of loanhook's: {error}")))
}

/// One page of a list; the items stay as they came.
#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) items: Vec<Box<RawValue>>,
    #[serde(default)]
    pub(crate) next: Option<String>,
}

/// One attempt: a row of a loan's history.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) trace_id: String,
    /// None of an operational event, which belongs to no loan.
    pub(crate) loan_id: Option<String>,
    pub(crate) event_title: String,
    pub(crate) event_name: String,
    pub(crate) subscription_id: String,
    /// Older versions of loanhook do not send it.
    #[serde(default)]
    pub(crate) subscription_version: Option<u64>,
    pub(crate) method: Option<String>,
    pub(crate) destination: Option<String>,
    attempt_number: Value,
    pub(crate) manual: bool,
    pub(crate) requested_by: Option<String>,
    pub(crate) resend_of: Option<String>,
    pub(crate) resends: u64,
    pub(crate) occurred_at: Option<String>,
    /// Older versions of loanhook do not send it.
    #[serde(default)]
    pub(crate) test: bool,
    pub(crate) outcome: String,
    pub(crate) response_code: Option<u16>,
    pub(crate) error: Option<AttemptError>,
    pub(crate) sent_at: String,
    pub(crate) response_time_ms: Option<f64>,
    pub(crate) source_ip: Option<String>,
    pub(crate) next_attempt_at: Option<String>,
    pub(crate) source: Option<Payload>,
    pub(crate) response: Option<Payload>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AttemptError {
    pub(crate) kind: String,
    /// None where the server does not know it. Older versions do not send it.
    pub(crate) phase: Option<String>,
    pub(crate) detail: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payload {
    pub(crate) bytes: u64,
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) truncated: bool,
    /// Only of a response, and only where one row was asked for.
    #[serde(default)]
    pub(crate) headers: Vec<Header>,
    #[serde(default)]
    pub(crate) headers_truncated: bool,
    #[serde(default)]
    pub(crate) headers_dropped: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Row {
    /// The attempt number: `1`, `2`, … or `manual`.
    pub(crate) fn attempt_number(&self) -> String {
        self.attempt_number.as_str().map_or_else(|| self.attempt_number.to_string(), ToOwned::to_owned)
    }

    /// The event title, after `[test]` where it is of a subscription's test.
    pub(crate) fn marked_title(&self) -> String {
        let mark = if self.test { "[test] " } else { "" };
        format!("{mark}{}", self.event_title)
    }

    /// The response code, or the kind of error, or the outcome of an attempt that has not ended.
    pub(crate) fn result(&self) -> String {
        match (self.response_code, &self.error) {
            (Some(code), _) => code.to_string(),
            (None, Some(error)) => error.kind.clone(),
            (None, None) => self.outcome.clone(),
        }
    }

    /// The reason of a failed attempt, in a sentence.
    pub(crate) fn failure_reason(&self) -> String {
        match &self.error {
            Some(error) => format!("{}: {}", error.kind, error.detail),
            None => format!("the receiver answered {}", self.result()),
        }
    }

    /// Whether the outcome is final.
    pub(crate) fn has_ended(&self) -> bool {
        self.succeeded() || self.outcome == "failed"
    }

    pub(crate) fn succeeded(&self) -> bool {
        self.outcome == "succeeded"
    }
}

/// One event matched to one subscription, with its attempts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    pub(crate) trace_id: String,
    /// None of an operational event, which belongs to no loan.
    pub(crate) loan_id: Option<String>,
    pub(crate) subscription_id: String,
    pub(crate) event_id: String,
    pub(crate) event_title: String,
    pub(crate) event_name: String,
    pub(crate) occurred_at: Option<String>,
    #[serde(default)]
    pub(crate) test: bool,
    pub(crate) accepted_at: String,
    /// Older versions do not send it.
    #[serde(default)]
    pub(crate) sequence: Option<u64>,
    pub(crate) status: String,
    pub(crate) next_attempt_at: Option<String>,
    #[serde(default)]
    pub(crate) waiting: Option<Waiting>,
    pub(crate) attempts: Vec<Row>,
    /// The cursor of the attempts that follow on the next page.
    #[serde(default)]
    pub(crate) next: Option<String>,
}

/// A delivery of a list across loans, with its newest attempt.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedDelivery {
    pub(crate) trace_id: String,
    /// None of an operational event, which belongs to no loan.
    pub(crate) loan_id: Option<String>,
    event_title: String,
    test: bool,
    pub(crate) accepted_at: String,
    pub(crate) status: String,
    #[serde(default)]
    waiting: Option<Waiting>,
    pub(crate) newest_attempt: Option<Row>,
}

/// Why a delivery waits although its attempt is due.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) reason: String,
    pub(crate) since: String,
}

impl ListedDelivery {
    /// Its status, or for what it waits.
    pub(crate) fn state_in_words(&self) -> String {
        match &self.waiting {
            Some(waiting) => format!("waits: {}", waiting.reason),
            None => self.status.clone(),
        }
    }

    /// The event title, after `[test]` where it is of a subscription's test.
    pub(crate) fn marked_title(&self) -> String {
        let mark = if self.test { "[test] " } else { "" };
        format!("{mark}{}", self.event_title)
    }
}

/// The response to an accepted event: the deliveries that it causes.
#[derive(Debug, Deserialize)]
pub(crate) struct AcceptedEvent {
    pub(crate) deliveries: Vec<AcceptedDelivery>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AcceptedDelivery {
    pub(crate) trace_id: String,
}

/// An accepted event, with what each subscription decided about it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerEvent {
    pub(crate) event_id: String,
    /// None of an operational event, which belongs to no loan.
    pub(crate) loan_id: Option<String>,
    pub(crate) event_name: String,
    pub(crate) occurred_at: Option<String>,
    pub(crate) accepted_at: String,
    pub(crate) test: bool,
    pub(crate) verdicts: Vec<Verdict>,
}

/// What one subscription decided about an event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    pub(crate) subscription_id: String,
    pub(crate) title: String,
    pub(crate) version: u64,
    pub(crate) verdict: String,
    pub(crate) detail: Option<String>,
    pub(crate) trace_id: Option<String>,
    pub(crate) status: Option<String>,
}

impl LedgerEvent {
    /// The name of the event, after `[test]` where a subscription's test sent it.
    pub(crate) fn marked_name(&self) -> String {
        let mark = if self.test { "[test] " } else { "" };
        format!("{mark}{}", self.event_name)
    }

    /// What became of it, by the words of the filter `result`.
    pub(crate) fn result(&self) -> &'static str {
        let has =
            |status: &str| self.verdicts.iter().any(|verdict| verdict.status.as_deref() == Some(status));
        if has("failed") || has("canceled") {
            "failed"
        } else if has("pending") {
            "pending"
        } else if has("succeeded") {
            "delivered"
        } else {
            "unmatched"
        }
    }
}

/// Counts by period and group.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) counted_since: Option<String>,
    pub(crate) items: Vec<ReportItem>,
}

/// The counts of one period and group.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReportItem {
    pub(crate) period: String,
    pub(crate) subscription_id: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) event_name: Option<String>,
    pub(crate) events_accepted: Option<i64>,
    pub(crate) events_unmatched: Option<i64>,
    pub(crate) deliveries_accepted: i64,
    pub(crate) succeeded_first: i64,
    pub(crate) succeeded_later: i64,
    pub(crate) pending: i64,
    pub(crate) exhausted: i64,
    pub(crate) canceled: i64,
    pub(crate) resends: i64,
    /// By the class of the response code or the kind of the error.
    pub(crate) attempts: BTreeMap<String, i64>,
}
