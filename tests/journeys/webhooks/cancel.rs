//! Cancel, and deliveries that were not attempted yet.

use serde_json::{Value, json};

use crate::harness::{Gate, Journey, Reply, attempts_of, event, trace_ids};

async fn cancel(j: &Journey, trace: &str) -> Value {
    j.api.post_without_body(&format!("/v1/webhooks/{trace}/cancel")).await.expect_status(200).json()
}

#[tokio::test]
async fn cancel_ends_the_automatic_attempts_of_a_pending_delivery() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;

    let canceled = cancel(&j, &trace).await;

    assert_eq!(canceled["traceId"], trace);
    assert_eq!(canceled["status"], "canceled");
    assert!(canceled["nextAttemptAt"].is_null());
    assert_eq!(j.api.delivery(&trace).await, canceled);
    j.api.post_without_body(&format!("/v1/webhooks/{trace}/cancel")).await.expect_problem(409);
    j.api.resend(&trace).await;
    let delivery = j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(delivery["attempts"][1]["outcome"], "succeeded", "a resend is still possible");
    assert!(delivery["nextAttemptAt"].is_null());
}

#[tokio::test]
async fn cancel_of_a_delivery_that_is_not_pending_is_409() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::ok(), Reply::status(500)]);
    for status in ["succeeded", "failed"] {
        let trace = j.api.send_one(&event("727")).await;
        assert_eq!(j.api.ended_delivery(&trace).await["status"], status);
        j.api.post_without_body(&format!("/v1/webhooks/{trace}/cancel")).await.expect_problem(409);
        assert_eq!(j.api.delivery(&trace).await["status"], status);
    }
}

#[tokio::test]
async fn cancel_lets_an_attempt_that_is_sending_finish_and_no_other_follows() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1, 1]}})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::status(500).held(&gate));
    let trace = j.api.send_one(&event("727")).await;
    j.receiver.next_request().await;

    assert_eq!(cancel(&j, &trace).await["status"], "canceled");
    gate.open();

    j.api.delivery_after_attempts(&trace, 1).await;
    // A later delivery with the same schedule ends after any retry that could have followed here.
    let witness = j.api.send_one(&event("727")).await;
    assert_eq!(attempts_of(&j.api.ended_delivery(&witness).await).len(), 3);

    let delivery = j.api.delivery_after_attempts(&trace, 1).await;
    assert_eq!(delivery["attempts"][0]["responseCode"], 500);
    assert!(delivery["attempts"][0]["nextAttemptAt"].is_null(), "nothing was scheduled at that failure");
    assert_eq!(delivery["status"], "canceled");
    assert!(delivery["nextAttemptAt"].is_null());
    assert_eq!(j.receiver.requests_of(&trace).len(), 1);
}

/// Keeps one receiver busy with so many events that some of its deliveries wait for a first attempt.
async fn waiting_delivery(j: &Journey) -> (Gate, String, Vec<String>) {
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let mut all = Vec::new();
    for _ in 0..6 {
        all.extend(j.api.send_batch(vec![event("727"); 100]).await.iter().flat_map(trace_ids));
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
    let mut j = Journey::with_all_senders().await;
    let (gate, trace, _) = waiting_delivery(&j).await;
    j.api.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_problem(409);
    for prefix in ["/v1", "/api/public/api/1"] {
        j.api.post_without_body(&format!("{prefix}/webhook/retry/{trace}/1")).await.expect_problem(409);
    }
    gate.open();
    let delivery = j.api.ended_delivery(&trace).await;
    j.release_senders();
    assert_eq!(attempts_of(&delivery).len(), 1);
    j.api.resend(&trace).await;
    assert_eq!(j.api.delivery_after_attempts(&trace, 2).await["attempts"][1]["attemptNumber"], "manual");
}

#[tokio::test]
async fn a_delivery_canceled_before_its_first_attempt_is_never_sent() {
    let mut j = Journey::with_all_senders().await;
    let (gate, trace, all) = waiting_delivery(&j).await;
    let canceled = cancel(&j, &trace).await;
    assert_eq!((&canceled["status"], &canceled["attempts"]), (&json!("canceled"), &json!([])));
    gate.open();
    // The newest first: once it was sent, nearly all others were.
    for other in all.iter().rev().filter(|other| **other != trace) {
        assert_eq!(j.api.ended_delivery(other).await["status"], "succeeded");
        j.release_senders();
    }
    assert!(j.receiver.requests_of(&trace).is_empty(), "all others were sent, and it was not");
    assert_eq!(j.api.delivery(&trace).await, canceled);
    j.api.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_problem(409);
}
