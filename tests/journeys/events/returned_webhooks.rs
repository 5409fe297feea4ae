//! Webhooks that come back to intake: they go round once.

use serde_json::json;

use crate::harness::request_bodies::named;
use crate::harness::{Journey, event, subscription, text};

#[tokio::test]
async fn a_webhook_that_comes_back_to_intake_is_422() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let batch = json!({"events": [event("727")]});
    for header in ["loanhook-attempt-id", "loanhook-attempt", "loanhook-event", "Loanhook-Loan"] {
        for (path, body) in [("/v1/events", &event("727")), ("/v1/events/batch", &batch)] {
            let asked = j.api.request("POST", path).header("webhook-id", "x").header(header, "1").json(body);
            let problem = asked.answer().await.problem(422);
            assert!(text(&problem["detail"]).contains("comes back to loanhook's intake"), "{problem}");
            assert_eq!(problem["errors"][0]["pointer"], header.to_ascii_lowercase());
        }
    }
    assert!(j.api.rows("727", "").await.is_empty());
    // Another sender of Standard Webhooks is none of ours.
    let other = j.api.request("POST", "/v1/events").header("webhook-id", "msg_1").json(&event("727"));
    other.answer().await.is(202);
    // Whoever has no key hears of that first.
    let stranger = j.api.with_key(None).request("POST", "/v1/events").header("loanhook-attempt", "1");
    stranger.json(&event("727")).answer().await.problem(401);
}

#[tokio::test]
async fn a_subscription_that_sends_to_intake_goes_round_once() {
    let Some(j) = Journey::alone().await else { return };
    let intake = format!("{}/v1/events", j.target.base().expect("it runs"));
    let request = json!({
        "headers": {"Authorization": format!("Bearer {}", j.api.key())},
        "payload": r#"{"eventName": "[[v('event-name')]]", "loanId": "[[v('loan-id')]]", "context": {}}"#,
    });
    j.api.subscribe(&subscription(&intake, json!({"request": request}))).await;

    let trace = j.api.send_one(&named("Again", "727")).await;

    let delivery = j.api.settled(&trace).await;
    assert_eq!(
        (&delivery["status"], &delivery["attempts"][0]["responseCode"]),
        (&json!("failed"), &json!(422))
    );
    assert_eq!(j.api.rows("727", "").await.len(), 1, "nothing came of what came back");
}
