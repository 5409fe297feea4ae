//! Flow: limits and holds of a webhook, and what its deliveries say while they wait.

mod automatic_holds;
mod crashes;
mod holds_by_hand;
mod limits;
mod order;

use serde_json::{Value, json};

use crate::harness::{Journey, event_named, items_of, subscription_path, text, trace_ids};

/// The name of the events that [`send`] sends.
const EVENT: &str = "Waits";

/// Sends so many events, and returns the traces of their deliveries in the order of the events.
pub(crate) async fn send(j: &Journey, count: usize) -> Vec<String> {
    let events = (0..count).map(|loan| event_named(EVENT, &loan.to_string())).collect();
    let mut results = j.api.send_batch(events).await;
    // Those that were refused as busy come later.
    results.sort_by_key(|result| text(&result["eventId"]).to_owned());
    results.iter().flat_map(trace_ids).collect()
}

/// Holds or releases a subscription; what it then shows.
pub(crate) async fn by_hand(j: &Journey, subscription: &Value, action: &str) -> Value {
    let path = format!("{}/{action}", subscription_path(subscription));
    j.api.post_without_body(&path).await.expect_status(200).json()
}

async fn hold_of(j: &Journey, subscription: &Value) -> Value {
    j.api.get(&subscription_path(subscription)).await.expect_status(200).json()["hold"].clone()
}

/// The traces of the deliveries that wait for this reason, newest first.
async fn waiting(j: &Journey, reason: &str) -> Vec<String> {
    let list = j.api.get(&format!("/v1/webhooks?limit=200&waiting={reason}")).await.expect_status(200).json();
    items_of(&list).iter().map(|item| text(&item["traceId"]).to_owned()).collect()
}

/// A delivery that waits, without an attempt.
async fn assert_waits_unattempted(j: &Journey, trace: &str, reason: &str) {
    let delivery = j.api.delivery_when(trace, |delivery| delivery["waiting"]["reason"] == reason).await;
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("pending"), &json!([])), "{delivery}");
    assert!(text(&delivery["waiting"]["since"]) >= text(&delivery["acceptedAt"]), "{delivery}");
}
