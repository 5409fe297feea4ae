//! Reading what the API shows of an attempt.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("this is to be text: {value}"))
}

/// RFC 3339, as every time of the API.
#[track_caller]
pub(crate) fn instant(value: &Value) -> DateTime<Utc> {
    let time = DateTime::parse_from_rfc3339(text(value));
    time.unwrap_or_else(|wrong| panic!("this is to be a time: {value}: {wrong}")).with_timezone(&Utc)
}

pub(crate) fn clock(time: SystemTime) -> DateTime<Utc> {
    DateTime::from(time)
}

pub(crate) fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| text(&row["id"])).collect()
}

/// How long after a row's request left its next attempt was scheduled, in seconds.
#[track_caller]
pub(crate) fn late(row: &Value) -> f64 {
    let wait = instant(&row["nextAttemptAt"]) - instant(&row["sentAt"]);
    wait.as_seconds_f64()
}

/// How long after the end of a row's request its next attempt was scheduled, in seconds: however slow the machine, it is
/// what the schedule says. A row shows its times to the millisecond and how long the answer took to a tenth of one.
#[track_caller]
pub(crate) fn wait(row: &Value) -> f64 {
    late(row) - row["responseTimeMs"].as_f64().expect("an answer came") / 1_000.0
}

/// By how much a wait may be another than the schedule's, for that rounding, in seconds.
pub(crate) const ROUNDING: f64 = 0.003;

/// Times are shown to the millisecond, so two of them may disagree by one.
pub(crate) fn one_millisecond() -> TimeDelta {
    TimeDelta::milliseconds(1)
}

const FIELDS: [&str; 24] = [
    "id",
    "traceId",
    "loanId",
    "eventTitle",
    "eventName",
    "subscriptionId",
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

/// Fields are null, never absent; a failure has a response code or an error, never both.
#[track_caller]
pub(crate) fn well_formed(row: &Value) {
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

/// As [`failed_by`], in this phase of the request.
#[track_caller]
pub(crate) fn failed_in(row: &Value, phase: &str, kind: &str) {
    failed_by(row, kind);
    assert_eq!(row["error"]["phase"], phase, "{row:#}");
}

/// The row failed without an answer, for this reason, and a sentence says what happened.
#[track_caller]
pub(crate) fn failed_by(row: &Value, kind: &str) {
    well_formed(row);
    assert_eq!(row["outcome"], "failed", "{row:#}");
    assert_eq!(row["error"]["kind"], kind, "{row:#}");
    assert!(row["error"].get("phase").is_some(), "a phase, or null: {row:#}");
    assert!(text(&row["error"]["detail"]).contains(' '), "the detail is a sentence: {row:#}");
}
