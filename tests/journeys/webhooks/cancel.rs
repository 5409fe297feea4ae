//! Ending what is still to come; and deliveries that nobody has attempted yet.

use serde_json::{Value, json};

use crate::harness::api::traces;
use crate::harness::{Gate, Journey, Reply, event};

async fn cancel(j: &Journey, trace: &str) -> Value {
    j.api.ask(&format!("/v1/webhooks/{trace}/cancel")).await.is(200).json()
}

#[tokio::test]
async fn cancel_ends_the_automatic_attempts_of_a_pending_delivery() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.after_attempts(&trace, 1).await;

    let canceled = cancel(&j, &trace).await;

    assert_eq!(canceled["traceId"], trace);
    assert_eq!(canceled["status"], "canceled");
    assert!(canceled["nextAttemptAt"].is_null());
    assert_eq!(j.api.delivery(&trace).await, canceled);
    j.api.ask(&format!("/v1/webhooks/{trace}/cancel")).await.problem(409);
    j.api.resend(&trace).await;
    let delivery = j.api.after_attempts(&trace, 2).await;
    assert_eq!(delivery["attempts"][1]["outcome"], "succeeded", "a resend is still possible");
    assert!(delivery["nextAttemptAt"].is_null());
}

#[tokio::test]
async fn what_is_not_pending_cannot_be_canceled() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::ok(), Reply::status(500)]);
    for status in ["succeeded", "failed"] {
        let trace = j.api.send_one(&event("727")).await;
        assert_eq!(j.api.settled(&trace).await["status"], status);
        j.api.ask(&format!("/v1/webhooks/{trace}/cancel")).await.problem(409);
        assert_eq!(j.api.delivery(&trace).await["status"], status);
    }
}

#[tokio::test]
async fn an_attempt_already_sending_finishes_and_no_other_follows() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1, 1]}})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::status(500).held(&gate));
    let trace = j.api.send_one(&event("727")).await;
    j.receiver.next().await;

    assert_eq!(cancel(&j, &trace).await["status"], "canceled");
    gate.open();

    j.api.after_attempts(&trace, 1).await;
    // One that fails later, with the same schedule, outlasts whatever could have followed here.
    let witness = j.api.send_one(&event("727")).await;
    assert_eq!(j.api.settled(&witness).await["attempts"].as_array().map(Vec::len), Some(3));

    let delivery = j.api.after_attempts(&trace, 1).await;
    assert_eq!(delivery["attempts"][0]["responseCode"], 500);
    assert!(delivery["attempts"][0]["nextAttemptAt"].is_null(), "nothing was scheduled at that failure");
    assert_eq!(delivery["status"], "canceled");
    assert!(delivery["nextAttemptAt"].is_null());
    assert_eq!(j.receiver.seen_of(&trace).len(), 1);
}

/// Keeps one receiver busy with so many events that some of its deliveries wait for a first attempt.
async fn one_that_waits(j: &Journey) -> (Gate, String, Vec<String>) {
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let mut all = Vec::new();
    for _ in 0..6 {
        all.extend(j.api.send_batch(vec![event("727"); 100]).await.iter().flat_map(traces));
    }
    for trace in all.iter().rev() {
        let delivery = j.api.delivery(trace).await;
        if delivery["attempts"] == json!([]) {
            assert_eq!(delivery["status"], "pending");
            return (gate, trace.clone(), all);
        }
    }
    panic!("600 requests left at once for one receiver");
}

#[tokio::test]
async fn a_resend_before_the_first_attempt_is_409() {
    let mut j = Journey::taking_all_senders().await;
    let (gate, trace, _) = one_that_waits(&j).await;
    j.api.ask(&format!("/v1/webhooks/{trace}/resend")).await.problem(409);
    for prefix in ["/v1", "/api/public/api/1"] {
        j.api.ask(&format!("{prefix}/webhook/retry/{trace}/1")).await.problem(409);
    }
    gate.open();
    let delivery = j.api.settled(&trace).await;
    j.give_senders_back();
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1));
    j.api.resend(&trace).await;
    assert_eq!(j.api.after_attempts(&trace, 2).await["attempts"][1]["attemptNumber"], "manual");
}

#[tokio::test]
async fn a_delivery_canceled_before_its_first_attempt_is_never_sent() {
    let mut j = Journey::taking_all_senders().await;
    let (gate, trace, all) = one_that_waits(&j).await;
    let canceled = cancel(&j, &trace).await;
    assert_eq!((&canceled["status"], &canceled["attempts"]), (&json!("canceled"), &json!([])));
    gate.open();
    // The newest first: when it was sent, so was nearly all that waited.
    for other in all.iter().rev().filter(|other| **other != trace) {
        assert_eq!(j.api.settled(other).await["status"], "succeeded");
        j.give_senders_back();
    }
    assert!(j.receiver.seen_of(&trace).is_empty(), "all others were sent, and it was not");
    assert_eq!(j.api.delivery(&trace).await, canceled);
    j.api.ask(&format!("/v1/webhooks/{trace}/resend")).await.problem(409);
}
