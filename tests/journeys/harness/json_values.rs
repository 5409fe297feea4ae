//! Values in the JSON of the API: text, times, lists and paths. A value that is missing or of another type ends the test
//! with the JSON in which it was expected.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::Value;

#[track_caller]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("text was expected: {value}"))
}

/// A time of the API, which is written as RFC 3339 says.
#[track_caller]
pub(crate) fn instant(value: &Value) -> DateTime<Utc> {
    let time = DateTime::parse_from_rfc3339(text(value));
    time.unwrap_or_else(|wrong| panic!("a time was expected: {value}: {wrong}")).with_timezone(&Utc)
}

pub(crate) fn utc(time: SystemTime) -> DateTime<Utc> {
    DateTime::from(time)
}

pub(crate) fn row_ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| text(&row["id"])).collect()
}

/// The items of a list or of a page of one.
#[track_caller]
pub(crate) fn items_of(list: &Value) -> &Vec<Value> {
    list["items"].as_array().unwrap_or_else(|| panic!("a list has items: {list}"))
}

/// The results of a batch, in the order of its events.
#[track_caller]
pub(crate) fn results_of(batch: &Value) -> &Vec<Value> {
    batch["results"].as_array().unwrap_or_else(|| panic!("a batch has results: {batch}"))
}

/// The trace IDs of the deliveries of an accepted event, in their order.
#[track_caller]
pub(crate) fn trace_ids(accepted: &Value) -> Vec<String> {
    let deliveries =
        accepted["deliveries"].as_array().unwrap_or_else(|| panic!("a 202 lists deliveries: {accepted}"));
    deliveries.iter().map(|delivery| text(&delivery["traceId"]).to_owned()).collect()
}

/// The attempts of a delivery, oldest first.
#[track_caller]
pub(crate) fn attempts_of(delivery: &Value) -> &Vec<Value> {
    delivery["attempts"].as_array().unwrap_or_else(|| panic!("a delivery lists its attempts: {delivery}"))
}

/// The attempt numbers of a delivery, oldest first: `1`, `2`, … or `"manual"`.
#[track_caller]
pub(crate) fn attempt_numbers(delivery: &Value) -> Vec<Value> {
    attempts_of(delivery).iter().map(|row| row["attemptNumber"].clone()).collect()
}

/// The path of a subscription that was created or read.
#[track_caller]
pub(crate) fn subscription_path(subscription: &Value) -> String {
    format!("/v1/subscriptions/{}", text(&subscription["id"]))
}
