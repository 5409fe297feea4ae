//! Rows of the history: when their next attempt is scheduled, and assertions on their fields.

use chrono::TimeDelta;
use serde_json::Value;

use super::json_values::{instant, text};

/// From the time at which a row's request left to its next attempt, in seconds.
#[track_caller]
pub(crate) fn seconds_until_next_attempt(row: &Value) -> f64 {
    let wait = instant(&row["nextAttemptAt"]) - instant(&row["sentAt"]);
    wait.as_seconds_f64()
}

/// From the end of a row's request to its next attempt, in seconds: the wait of the schedule, however slow the machine.
/// A row shows its times to the millisecond, and its response time to a tenth of one.
#[track_caller]
pub(crate) fn retry_wait_seconds(row: &Value) -> f64 {
    seconds_until_next_attempt(row) - row["responseTimeMs"].as_f64().expect("an answer came") / 1_000.0
}

/// How far a wait may be from the schedule's, for that rounding, in seconds.
pub(crate) const ROUNDING_SECONDS: f64 = 0.003;

/// Times are shown to the millisecond, so two of them may disagree by one.
pub(crate) fn one_millisecond() -> TimeDelta {
    TimeDelta::milliseconds(1)
}

const FIELDS: [&str; 25] = [
    "id",
    "traceId",
    "loanId",
    "eventTitle",
    "eventName",
    "subscriptionId",
    "subscriptionVersion",
    "method",
    "destination",
    "attemptNumber",
    "manual",
    "requestedBy",
    "resendOf",
    "resends",
    "occurredAt",
    "test",
    "outcome",
    "responseCode",
    "error",
    "sentAt",
    "responseTimeMs",
    "sourceIp",
    "nextAttemptAt",
    "source",
    "response",
];

/// Every field is there, if only as null; a failure has a response code or an error, never both.
#[track_caller]
pub(crate) fn assert_well_formed(row: &Value) {
    let fields = row.as_object().unwrap_or_else(|| panic!("a row is an object: {row}"));
    for field in FIELDS {
        assert!(fields.contains_key(field), "a row has {field}: {row:#}");
    }
    for field in ["bytes", "contentType", "href"] {
        assert!(row["source"].get(field).is_some(), "a source has {field}: {row:#}");
    }
    let (code, error) = (&row["responseCode"], &row["error"]);
    match text(&row["outcome"]) {
        "queued" | "sending" => assert!(code.is_null() && error.is_null(), "{row:#}"),
        "succeeded" => assert!(matches!(code.as_u64(), Some(200..=299)) && error.is_null(), "{row:#}"),
        "failed" => assert!(code.is_null() != error.is_null(), "a code, or an error: {row:#}"),
        other => panic!("there is no outcome {other}"),
    }
}

/// As [`assert_failed_with`], in this phase of the request.
#[track_caller]
pub(crate) fn assert_failed_in_phase(row: &Value, phase: &str, kind: &str) {
    assert_failed_with(row, kind);
    assert_eq!(row["error"]["phase"], phase, "{row:#}");
}

/// The row failed without an answer, for this reason, and a sentence says what happened.
#[track_caller]
pub(crate) fn assert_failed_with(row: &Value, kind: &str) {
    assert_well_formed(row);
    assert_eq!(row["outcome"], "failed", "{row:#}");
    assert_eq!(row["error"]["kind"], kind, "{row:#}");
    assert!(row["error"].get("phase").is_some(), "a phase, or null: {row:#}");
    assert!(text(&row["error"]["detail"]).contains(' '), "the detail is a sentence: {row:#}");
}
