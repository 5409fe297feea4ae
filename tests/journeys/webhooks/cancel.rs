//! Cancel, and deliveries that were not attempted yet.

use serde_json::{Value, json};

use crate::flow::by_hand;
use crate::harness::{Gate, Journey, Reply, attempts_of, event};

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

/// A delivery that waits for its first attempt, as its webhook is held; and the webhook.
async fn waiting_delivery(j: &Journey) -> (Value, String) {
    let webhook = j.subscribe("/hook", json!({})).await;
    by_hand(j, &webhook, "hold").await;
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.delivery(&trace).await;
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("pending"), &json!([])));
    (webhook, trace)
}

#[tokio::test]
async fn a_resend_before_the_first_attempt_is_409() {
    let j = Journey::start().await;
    let (webhook, trace) = waiting_delivery(&j).await;
    j.api.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_problem(409);
    for prefix in ["/v1", "/api/public/api/1"] {
        j.api.post_without_body(&format!("{prefix}/webhook/retry/{trace}/1")).await.expect_problem(409);
    }
    by_hand(&j, &webhook, "release").await;
    let delivery = j.api.ended_delivery(&trace).await;
    assert_eq!(attempts_of(&delivery).len(), 1);
    j.api.resend(&trace).await;
    assert_eq!(j.api.delivery_after_attempts(&trace, 2).await["attempts"][1]["attemptNumber"], "manual");
}

#[tokio::test]
async fn a_delivery_canceled_before_its_first_attempt_is_never_sent() {
    let j = Journey::start().await;
    let (webhook, trace) = waiting_delivery(&j).await;
    let canceled = cancel(&j, &trace).await;
    assert_eq!((&canceled["status"], &canceled["attempts"]), (&json!("canceled"), &json!([])));
    // What waited after it is sent.
    let witness = j.api.send_one(&event("727")).await;
    by_hand(&j, &webhook, "release").await;
    assert_eq!(j.api.ended_delivery(&witness).await["status"], "succeeded");
    assert!(j.receiver.requests_of(&trace).is_empty());
    assert_eq!(j.api.delivery(&trace).await, canceled);
    j.api.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_problem(409);
}
