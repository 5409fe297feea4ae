//! Webhooks that are sent to intake again: they are refused, so that no loop comes of them.

use serde_json::json;

use crate::harness::{Journey, event, event_named, subscription, text};

#[tokio::test]
async fn a_webhook_of_loanhook_posted_to_intake_is_422() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let batch = json!({"events": [event("727")]});
    for header in ["loanhook-attempt-id", "loanhook-attempt", "loanhook-event", "Loanhook-Loan"] {
        for (path, body) in [("/v1/events", &event("727")), ("/v1/events/batch", &batch)] {
            let asked = j.api.request("POST", path).header("webhook-id", "x").header(header, "1").json(body);
            let problem = asked.send().await.expect_problem(422);
            assert!(text(&problem["detail"]).contains("comes back to loanhook's intake"), "{problem}");
            assert_eq!(problem["errors"][0]["pointer"], header.to_ascii_lowercase());
        }
    }
    assert!(j.api.rows("727", "").await.is_empty());
    // A webhook of another sender of Standard Webhooks is accepted.
    let other = j.api.request("POST", "/v1/events").header("webhook-id", "msg_1").json(&event("727"));
    other.send().await.expect_status(202);
    // A missing key is reported first.
    let stranger = j.api.with_key(None).request("POST", "/v1/events").header("loanhook-attempt", "1");
    stranger.json(&event("727")).send().await.expect_problem(401);
}

#[tokio::test]
async fn a_subscription_that_sends_to_intake_makes_no_loop() {
    let Some(j) = Journey::on_own_process().await else { return };
    let intake = format!("{}/v1/events", j.server.base_url().expect("it runs"));
    let request = json!({
        "headers": {"Authorization": format!("Bearer {}", j.api.key())},
        "payload": r#"{"eventName": "[[v('event-name')]]", "loanId": "[[v('loan-id')]]", "context": {}}"#,
    });
    j.api.subscribe(&subscription(&intake, json!({"request": request}))).await;

    let trace = j.api.send_one(&event_named("Again", "727")).await;

    let delivery = j.api.ended_delivery(&trace).await;
    assert_eq!(
        (&delivery["status"], &delivery["attempts"][0]["responseCode"]),
        (&json!("failed"), &json!(422))
    );
    assert_eq!(j.api.rows("727", "").await.len(), 1, "nothing came of what came back");
}
