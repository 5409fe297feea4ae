//! Exhausted deliveries, gathered.

use serde_json::{Value, json};

use super::{observer, send, sent, server_with_window, told, with_window};
use crate::harness::server::new_folder;
use crate::harness::{Journey, Reply, event, eventually, items_of, subscription_path, text};

/// A window that no test waits for.
const LONG_SECONDS: u32 = 600;
/// One that is over soon.
const SHORT_SECONDS: u32 = 3;

/// The events of exhausted deliveries, once so many deliveries were told.
async fn told_of(j: &Journey, pager: &Value, deliveries: u64) -> Vec<Value> {
    eventually("the exhausted deliveries are told", async || {
        let events = sent(j, pager).await?;
        let count: u64 = events.iter().filter_map(|event| event["count"].as_u64()).sum();
        (count >= deliveries).then_some(())
    })
    .await;
    told(j, pager).await
}

#[tokio::test]
async fn deliveries_are_gathered_and_each_is_told_once() {
    let Some(j) = with_window(&new_folder(), SHORT_SECONDS).await else { return };
    let pager = observer(&j, &["delivery.exhausted"]).await;
    let webhook = j.subscribe("/hook", json!({"title": "Core banking"})).await;
    let traces = send(&j, 5, 503).await;
    // A resend in between takes nothing back: the schedule did end.
    j.receiver.always("/hook", Reply::ok());
    j.api.resend(&traces[0]).await;
    let events = told_of(&j, &pager, 5).await;
    let told_traces: Vec<_> =
        events.iter().flat_map(|event| event["traceIds"].as_array().expect("a list")).collect();
    assert_eq!(told_traces, traces.iter().collect::<Vec<_>>(), "each once, in their order: {events:#?}");
    for event in &events {
        assert_eq!((&event["subscriptionId"], &event["title"]), (&webhook["id"], &json!("Core banking")));
        assert!(text(&event["from"]) < text(&event["to"]), "{event}");
        assert_eq!(event["occurredAt"], event["to"]);
    }
}

#[tokio::test]
async fn nothing_is_told_before_the_window_ends_and_the_first_twenty_traces_are_named() {
    let folder = new_folder();
    let Some(mut j) = with_window(&folder, LONG_SECONDS).await else { return };
    let pager = observer(&j, &["delivery.exhausted"]).await;
    j.subscribe("/hook", json!({})).await;
    let traces = send(&j, 21, 503).await;
    assert_eq!(told(&j, &pager).await, Vec::<Value>::new());
    // The window is over when the process starts again with a shorter one.
    j.server.stop().await;
    j.move_to(server_with_window(&folder, SHORT_SECONDS).await);
    let events = told_of(&j, &pager, 21).await;
    let [event] = &events[..] else { panic!("{events:#?}") };
    assert_eq!((&event["count"], &event["traceIds"]), (&json!(21), &json!(traces[..20])));
}

#[tokio::test]
async fn what_was_canceled_or_is_a_test_is_not_exhausted() {
    let Some(j) = with_window(&new_folder(), 1).await else { return };
    let pager = observer(&j, &["delivery.exhausted"]).await;
    let webhook = j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    j.receiver.always("/hook", Reply::status(503));
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    j.api.post_without_body(&format!("/v1/webhooks/{trace}/cancel")).await.expect_status(200);
    j.api.patch(&subscription_path(&webhook), &json!({"retry": {"delays": []}})).await.expect_status(200);
    let test = format!("{}/test", subscription_path(&webhook));
    let sent = j.api.post(&test, &json!({"loanId": "727"})).await.expect_status(202).json();
    j.api.ended_delivery(text(&sent["deliveries"][0]["traceId"])).await;
    // One that counts, after those.
    let exhausted = send(&j, 1, 503).await;
    let events = told_of(&j, &pager, 1).await;
    let [event] = &events[..] else { panic!("{events:#?}") };
    assert_eq!(event["traceIds"], json!(exhausted));
    let failed = j.api.get("/v1/webhooks?status=failed&test=true").await.expect_status(200).json();
    assert_eq!(items_of(&failed).len(), 1);
}

/// Its deliveries go on, and what becomes of them is told.
#[tokio::test]
async fn a_deleted_webhook_tells_what_was_exhausted() {
    let Some(j) = with_window(&new_folder(), SHORT_SECONDS).await else { return };
    let pager = observer(&j, &["delivery.exhausted"]).await;
    let webhook = j.subscribe("/hook", json!({"title": "Deleted"})).await;
    let traces = send(&j, 1, 503).await;
    j.api.delete(&subscription_path(&webhook)).await.expect_status(204);
    let events = told_of(&j, &pager, 1).await;
    assert_eq!((&events[0]["traceIds"], &events[0]["title"]), (&json!(traces), &json!("Deleted")));
}
