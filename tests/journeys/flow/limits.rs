//! Limits of a webhook: requests under way, and a second.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{assert_waits_unattempted, send, waiting};
use crate::harness::{Gate, Journey, Reply, event_named, subscription_path};

#[tokio::test]
async fn no_more_requests_are_under_way_than_the_limit_says() {
    let j = Journey::start().await;
    let limited = j.subscribe("/held", json!({"flow": {"maxInFlight": 2}})).await;
    j.subscribe("/free", json!({"criteria": {"events": ["Free"]}})).await;
    let gate = Gate::closed();
    j.receiver.always("/held", Reply::ok().held(&gate));
    let traces = send(&j, 6).await;
    for _ in 0..2 {
        assert_eq!(j.receiver.next_request().await.path_and_query, "/held");
    }
    // What another webhook sends after them leaves.
    j.api.send_event(&event_named("Free", "727")).await;
    assert_eq!(j.receiver.next_request().await.path_and_query, "/free");
    let under_way: Vec<_> =
        j.receiver.requests().iter().take(2).map(|came| came.trace_id().to_owned()).collect();
    let waits: Vec<_> = traces.iter().filter(|trace| !under_way.contains(trace)).collect();
    assert_eq!(waits.len(), 4);
    for trace in waits {
        assert_waits_unattempted(&j, trace, "limit").await;
    }
    assert_eq!(waiting(&j, "limit").await.len(), 5);

    // A higher limit counts at once.
    let patch = json!({"flow": {"maxInFlight": 3}});
    j.api.patch(&subscription_path(&limited), &patch).await.expect_status(200);
    assert_eq!(j.receiver.next_request().await.path_and_query, "/held");
    assert_eq!(waiting(&j, "limit").await.len(), 4);
    gate.open();
    for trace in &traces {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded");
    }
}

#[tokio::test]
async fn resends_count_in_the_limit_of_requests_under_way() {
    let j = Journey::start().await;
    j.subscribe("/held", json!({"flow": {"maxInFlight": 1}})).await;
    j.subscribe("/free", json!({"criteria": {"events": ["Free"]}})).await;
    let trace = j.api.send_one(&event_named("Waits", "727")).await;
    j.api.ended_delivery(&trace).await;
    j.receiver.next_request().await;
    let gate = Gate::closed();
    j.receiver.always("/held", Reply::ok().held(&gate));
    j.api.resend(&trace).await;
    assert_eq!(j.receiver.next_request().await.attempt_number(), "manual");
    j.api.resend(&trace).await;
    let second = j.api.send_one(&event_named("Waits", "727")).await;
    assert_waits_unattempted(&j, &second, "limit").await;
    j.api.send_event(&event_named("Free", "727")).await;
    assert_eq!(j.receiver.next_request().await.path_and_query, "/free");
    gate.open();
    assert_eq!(j.api.ended_delivery(&second).await["status"], "succeeded");
    assert_eq!(j.api.delivery_after_attempts(&trace, 3).await["status"], "succeeded");
}

/// A bucket that holds a second's worth lets 5 leave at once, and then 5 a second.
#[tokio::test]
async fn no_more_requests_leave_a_second_than_the_limit_says() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"flow": {"maxPerSecond": 5}})).await;
    let start = Instant::now();
    let traces = send(&j, 12).await;
    for place in 1..=traces.len() {
        j.receiver.next_request().await;
        let least = Duration::from_secs_f64((place.saturating_sub(5)) as f64 / 5.0);
        assert!(start.elapsed() >= least, "{place} came within {:?}", start.elapsed());
    }
    for trace in &traces {
        assert_eq!(j.api.ended_delivery(trace).await["status"], "succeeded");
    }
}

#[tokio::test]
async fn a_limit_holds_up_no_event() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"flow": {"maxPerSecond": 0.1}})).await;
    // Far more than may wait of a receiver that answers promptly: none is refused as busy.
    for loan in 0..80 {
        j.api.send_one(&event_named("Waits", &loan.to_string())).await;
    }
    j.receiver.next_request().await;
    assert!(waiting(&j, "limit").await.len() >= 70);
}
