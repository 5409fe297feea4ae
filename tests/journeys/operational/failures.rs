//! A receiver that fails, is held, and recovers.

use serde_json::{Value, json};

use super::{observer, send, told, told_names};
use crate::harness::{Journey, Reply, event_named, eventually, subscription_path, text};

const NAMES: [&str; 3] = ["subscription.failing", "subscription.held", "subscription.recovered"];

#[tokio::test]
async fn the_fourth_failure_in_a_row_is_told_once_and_then_the_recovery() {
    let j = Journey::start().await;
    let pager = observer(&j, &NAMES).await;
    let webhook = j.subscribe("/hook", json!({"title": "Core banking"})).await;
    send(&j, 3, 503).await;
    assert_eq!(told(&j, &pager).await, Vec::<Value>::new());
    send(&j, 1, 200).await;
    send(&j, 3, 503).await;
    assert_eq!(told(&j, &pager).await, Vec::<Value>::new(), "a success was between");
    let fourth = send(&j, 1, 503).await;
    send(&j, 3, 500).await;
    let events = told(&j, &pager).await;
    let [failing] = &events[..] else { panic!("{events:#?}") };
    let delivery = j.api.delivery(&fourth[0]).await;
    let since = text(&failing["since"]);
    assert_eq!(
        *failing,
        json!({"eventName": "subscription.failing", "subscriptionId": webhook["id"], "title": "Core banking",
            "occurredAt": failing["occurredAt"], "failuresInARow": 4, "since": since, "lastResponseCode": 503, "lastError": null})
    );
    assert!(since < text(&failing["occurredAt"]), "{failing}");
    assert!(text(&failing["occurredAt"]) >= text(&delivery["attempts"][0]["sentAt"]), "{failing}");

    send(&j, 2, 204).await;
    let events = told(&j, &pager).await;
    let [_, recovered] = &events[..] else { panic!("{events:#?}") };
    assert_eq!(
        *recovered,
        json!({"eventName": "subscription.recovered", "subscriptionId": webhook["id"], "title": "Core banking",
            "occurredAt": recovered["occurredAt"], "failingSince": since, "heldSince": null})
    );
    send(&j, 4, 503).await;
    assert_eq!(
        told_names(&j, &pager).await,
        ["subscription.failing", "subscription.recovered", "subscription.failing"]
    );
}

/// Failures without an answer count, those of resends too.
#[tokio::test]
async fn resends_and_failures_without_an_answer_count() {
    let j = Journey::start().await;
    let pager = observer(&j, &NAMES).await;
    j.subscribe("/hook", json!({})).await;
    let traces = send(&j, 2, 503).await;
    j.receiver.always("/hook", Reply::close_early());
    for attempts in 2..=3 {
        j.api.resend(&traces[0]).await;
        j.api.delivery_after_attempts(&traces[0], attempts).await;
    }
    let events = told(&j, &pager).await;
    let [failing] = &events[..] else { panic!("{events:#?}") };
    assert_eq!((&failing["lastResponseCode"], &failing["lastError"]), (&Value::Null, &json!("protocol")));
    j.receiver.always("/hook", Reply::ok());
    j.api.resend(&traces[1]).await;
    j.api.delivery_after_attempts(&traces[1], 2).await;
    assert_eq!(told_names(&j, &pager).await, ["subscription.failing", "subscription.recovered"]);
}

/// Test sends say nothing of a receiver, and neither does what could not be rendered.
#[tokio::test]
async fn tests_and_what_cannot_be_rendered_say_nothing() {
    let j = Journey::start().await;
    let pager = observer(&j, &NAMES).await;
    let webhook = j.subscribe("/hook", json!({"request": {"payload": "{\"a\": [[v('amount')]]}"}})).await;
    j.receiver.always("/hook", Reply::status(503));
    let test = format!("{}/test", subscription_path(&webhook));
    for _ in 0..4 {
        let sample = json!({"loanId": "727", "context": {"amount": 1}});
        let sent = j.api.post(&test, &sample).await.expect_status(202).json();
        j.api.ended_delivery(text(&sent["deliveries"][0]["traceId"])).await;
        let unrendered = j.api.send_one(&event_named("Without amount", "727")).await;
        j.api.ended_delivery(&unrendered).await;
    }
    assert_eq!(told(&j, &pager).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_hold_by_failures_is_told_and_one_success_tells_one_recovery() {
    let j = Journey::start().await;
    let pager = observer(&j, &NAMES).await;
    let webhook = j.subscribe("/hook", json!({"flow": {"holdAfterFailures": 4}})).await;
    let traces = send(&j, 4, 503).await;
    let hold = eventually("the webhook is held", async || hold_of(&j, &webhook).await).await;
    j.receiver.always("/hook", Reply::ok());
    // A resend goes through the hold.
    j.api.resend(&traces[0]).await;
    j.api.delivery_after_attempts(&traces[0], 2).await;
    let mut events = told(&j, &pager).await;
    // The fourth failure is told, and the hold that it begins.
    assert_eq!(events[0]["occurredAt"], events[1]["occurredAt"]);
    events.sort_by_key(|event| text(&event["eventName"]).to_owned());
    let names: Vec<_> = events.iter().map(|event| text(&event["eventName"])).collect();
    assert_eq!(names, ["subscription.failing", "subscription.held", "subscription.recovered"]);
    assert_eq!((&events[1]["by"], &events[1]["since"]), (&json!("failures"), &hold["since"]));
    assert_eq!((&events[2]["failingSince"], &events[2]["heldSince"]), (&events[0]["since"], &hold["since"]));
}

#[tokio::test]
async fn a_hold_by_hand_is_told_with_the_name_of_the_key_and_its_release_is_no_recovery() {
    let j = Journey::start().await;
    let pager = observer(&j, &NAMES).await;
    let webhook = j.subscribe("/hook", json!({})).await;
    for action in ["hold", "hold", "release"] {
        let path = format!("{}/{action}", subscription_path(&webhook));
        j.api.post_without_body(&path).await.expect_status(200);
    }
    send(&j, 1, 200).await;
    let events = told(&j, &pager).await;
    let [held] = &events[..] else { panic!("{events:#?}") };
    assert_eq!((&held["eventName"], &held["by"]), (&json!("subscription.held"), &json!("journey")));
    assert_eq!(held["subscriptionId"], webhook["id"]);
}

async fn hold_of(j: &Journey, webhook: &Value) -> Option<Value> {
    let shown = j.api.get(&subscription_path(webhook)).await.expect_status(200).json();
    Some(shown["hold"].clone()).filter(|hold| !hold.is_null())
}
