//! Ledger: `GET /v1/loans/{loanId}/events`, and what stands below `/v1/events/{eventId}`.

mod events;
mod explanations;
mod filters;
mod verdicts;

use serde_json::{Value, json};

use crate::harness::{Api, event_named, items_of, text};

/// An event of a loan that is so many days past due.
fn past_due(loan: &str, days: u32) -> Value {
    let mut event = event_named("Days Past Due Changed", loan);
    event["context"] = json!({"status-days-past-due": days, "loan-status": "Open"});
    event
}

/// Sends an event, and returns its ID.
async fn accepted(api: &Api, event: &Value) -> String {
    text(&api.post("/v1/events", event).await.expect_status(202).json()["eventId"]).to_owned()
}

/// The event of this ID.
async fn event_of(api: &Api, id: &str) -> Value {
    api.get(&format!("/v1/events/{id}")).await.expect_status(200).json()
}

/// The events of the first page of a loan, newest first.
async fn events(api: &Api, loan: &str, query: &str) -> Vec<Value> {
    let page = api.get(&format!("/v1/loans/{loan}/events{query}")).await.expect_status(200).json();
    items_of(&page).clone()
}

fn event_ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| text(&event["eventId"])).collect()
}

/// The verdicts of an event beside the titles of their subscriptions, in the order of these: subscriptions of one
/// millisecond have no order.
fn verdicts(event: &Value) -> Vec<(&str, &str)> {
    let verdicts = event["verdicts"].as_array().unwrap_or_else(|| panic!("an event has verdicts: {event}"));
    let mut of_titles: Vec<_> =
        verdicts.iter().map(|verdict| (text(&verdict["title"]), text(&verdict["verdict"]))).collect();
    of_titles.sort_unstable();
    of_titles
}
