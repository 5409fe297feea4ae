//! Across loans: `GET /v1/webhooks`, and lists as CSV and NDJSON.

mod export;
mod list;

use serde_json::{Value, json};

use crate::harness::{Journey, Reply, event_named, items_of, text};

/// The deliveries of the first page, newest first.
async fn deliveries(j: &Journey, query: &str) -> Vec<Value> {
    let page = j.api.get(&format!("/v1/webhooks{query}")).await.expect_status(200).json();
    items_of(&page).clone()
}

fn traces(deliveries: &[Value]) -> Vec<&str> {
    deliveries.iter().map(|delivery| text(&delivery["traceId"])).collect()
}

/// A tenant with one delivery of each kind, each of a loan and an event of its own.
pub(crate) struct EachKind {
    pub(crate) j: Journey,
    pub(crate) succeeded: String,
    /// Its schedule ran out at a 503.
    pub(crate) failed: String,
    /// It failed at first, as its receiver's answer was not HTTP, and waits for its retry. A connection that was closed would
    /// be an interruption where it was kept from an earlier request, and that is followed by the next attempt at once.
    pub(crate) pending: String,
    pub(crate) canceled: String,
}

impl EachKind {
    pub(crate) async fn new() -> Self {
        let j = Journey::start().await;
        let only = |name: &str, retry: Value| json!({"title": name, "criteria": {"events": [name]}, "retry": {"delays": retry}});
        j.subscribe("/good", only("Good", json!([]))).await;
        j.subscribe("/bad", only("Bad", json!([]))).await;
        j.subscribe("/later", only("Later", json!([3600]))).await;
        j.receiver.always("/bad", Reply::status(503));
        j.receiver.always("/later", Reply::garbage());
        let succeeded = j.api.send_one(&event_named("Good", "727")).await;
        j.api.ended_delivery(&succeeded).await;
        let failed = j.api.send_one(&event_named("Bad", "728")).await;
        j.api.ended_delivery(&failed).await;
        let canceled = j.api.send_one(&event_named("Later", "729")).await;
        j.api.delivery_after_attempts(&canceled, 1).await;
        j.api.post_without_body(&format!("/v1/webhooks/{canceled}/cancel")).await.expect_status(200);
        let pending = j.api.send_one(&event_named("Later", "730")).await;
        j.api.delivery_after_attempts(&pending, 1).await;
        Self { j, succeeded, failed, pending, canceled }
    }

    /// All of them, the newest first.
    pub(crate) fn all(&self) -> [&str; 4] {
        [&self.pending, &self.canceled, &self.failed, &self.succeeded]
    }
}
