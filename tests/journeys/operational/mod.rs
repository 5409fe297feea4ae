//! Operational events: what happens to loanhook itself, told by webhooks.

mod certificates;
mod crashes;
mod criteria;
mod exhausted;
mod failures;
mod jobs;
mod reading;
mod silence;
mod templates;

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    Journey, Launch, Received, Reply, Server, event, eventually, items_of, report_skipped, subscription_path,
    text,
};

/// The title of webhooks that are held to see that all before it was told.
const MARKER: &str = "Marker";

/// All names of operational events.
const ALL: [&str; 6] = [
    "subscription.failing",
    "subscription.held",
    "subscription.recovered",
    "delivery.exhausted",
    "certificate.expiring",
    "job.finished",
];

/// A process that tells exhausted deliveries after so many seconds, on this folder.
async fn server_with_window(folder: &Arc<TempDir>, seconds: u32) -> Arc<Server> {
    let arguments = vec!["--exhausted-window-seconds".to_owned(), seconds.to_string()];
    Server::own_process_in(folder, Launch { arguments, ..Launch::default() }).await
}

/// A journey on such a process; none on AWS, where five minutes would pass.
async fn with_window(folder: &Arc<TempDir>, seconds: u32) -> Option<Journey> {
    if Server::shared().await.is_external() {
        report_skipped("it has a short window of exhausted deliveries, which a stack has not");
        return None;
    }
    Some(Journey::on_server(server_with_window(folder, seconds).await).await)
}

/// A subscription to operational events of these names, and to holds for [`told`], at `/ops`.
async fn observer(j: &Journey, names: &[&str]) -> Value {
    let mut names = names.to_vec();
    if !names.contains(&"subscription.held") {
        names.push("subscription.held");
    }
    j.subscribe("/ops", json!({"title": "Pager", "criteria": {"operational": names}})).await
}

/// All operational events until now, in the order in which they occurred, as the first attempt of each had them.
///
/// What happens before a hold by hand is put into the outbox before that, so it is taken in before: when that hold is told, all of it
/// was.
async fn told(j: &Journey, observer: &Value) -> Vec<Value> {
    let marker = j.subscribe("/marker", json!({"title": MARKER, "criteria": {"events": ["None"]}})).await;
    j.api.post_without_body(&format!("{}/hold", subscription_path(&marker))).await.expect_status(200);
    let bodies = eventually("the marker is told", async || {
        let bodies = sent(j, observer).await?;
        bodies.iter().any(|body| body["subscriptionId"] == marker["id"]).then_some(bodies)
    })
    .await;
    let mut told: Vec<_> = bodies.into_iter().filter(|body| body["title"] != MARKER).collect();
    told.sort_by_key(|body| text(&body["occurredAt"]).to_owned());
    told
}

/// The operational events that were accepted so far, in no order; none while a request of one has not come.
async fn sent(j: &Journey, observer: &Value) -> Option<Vec<Value>> {
    let path = format!("/v1/webhooks?limit=200&subscriptionId={}", text(&observer["id"]));
    let list = j.api.get(&path).await.expect_status(200).json();
    let body_of = |delivery: &Value| {
        let requests = j.receiver.requests_of(text(&delivery["traceId"]));
        requests.first().map(Received::json)
    };
    items_of(&list).iter().map(body_of).collect()
}

/// The names of [`told`].
async fn told_names(j: &Journey, observer: &Value) -> Vec<String> {
    told(j, observer).await.iter().map(|body| text(&body["eventName"]).to_owned()).collect()
}

/// Sends so many events, one after the other, whose deliveries at `/hook` end with this status.
async fn send(j: &Journey, count: usize, status: u16) -> Vec<String> {
    j.receiver.always("/hook", Reply::status(status));
    let mut traces = Vec::new();
    for _ in 0..count {
        let trace = j.api.send_one(&event("727")).await;
        j.api.ended_delivery(&trace).await;
        traces.push(trace);
    }
    traces
}
