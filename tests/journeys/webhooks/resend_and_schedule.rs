//! Independence of resends and schedule: a resend neither cancels, delays, resets nor uses up the automatic attempts.

use serde_json::json;

use crate::harness::rows::{ROUNDING_SECONDS, one_millisecond};
use crate::harness::{Gate, Journey, Reply, attempts_of, event, instant, retry_wait_seconds, scaled_seconds};

/// Fails an attempt, resends with this outcome before the retry is due, and checks that the schedule is the same.
async fn resend_between_attempts(outcome: Reply, succeeds: bool) {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [scaled_seconds(4), 1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500), outcome, Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    let before = j.api.delivery_after_attempts(&trace, 1).await;
    let due = instant(&before["nextAttemptAt"]);

    j.api.resend(&trace).await;
    let between = j.api.delivery_after_attempts(&trace, 2).await;

    assert_eq!(attempts_of(&between)[1]["outcome"], if succeeds { "succeeded" } else { "failed" });
    assert_eq!(between["status"], "pending", "a pending delivery stays pending until its own schedule ends");
    assert_eq!(instant(&between["nextAttemptAt"]), due, "a resend moves nothing");
    assert_eq!(attempts_of(&between)[0]["nextAttemptAt"], attempts_of(&before)[0]["nextAttemptAt"]);
    let after = j.api.ended_delivery(&trace).await;
    let numbers: Vec<_> = attempts_of(&after).iter().map(|row| row["attemptNumber"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!("manual"), json!(2), json!(3)], "the resend used up no number");
    assert!(instant(&attempts_of(&after)[2]["sentAt"]) + one_millisecond() >= due);
    let wait = retry_wait_seconds(&attempts_of(&after)[2]);
    assert!((wait - 1.0).abs() <= ROUNDING_SECONDS, "nor a place in the schedule: {wait}");
    assert_eq!(after["status"], "succeeded");
}

#[tokio::test]
async fn a_successful_resend_does_not_change_the_schedule() {
    resend_between_attempts(Reply::ok(), true).await;
}

#[tokio::test]
async fn a_failed_resend_does_not_change_the_schedule() {
    resend_between_attempts(Reply::status(500), false).await;
}

#[tokio::test]
async fn an_automatic_attempt_leaves_on_time_while_a_resend_is_sending() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [scaled_seconds(2)]}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500), Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    j.api.resend(&trace).await;
    let order: Vec<_> =
        [j.receiver.next_request().await, j.receiver.next_request().await, j.receiver.next_request().await]
            .map(|r| r.attempt_number().to_owned())
            .into();
    assert_eq!(order, ["1", "manual", "2"]);
    j.api.delivery_when(&trace, |delivery| delivery["status"] == "succeeded").await;
    gate.open();
    j.api.delivery_after_attempts(&trace, 3).await;
}

#[tokio::test]
async fn a_successful_resend_of_an_exhausted_delivery_makes_it_succeeded() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::status(500), Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    assert_eq!(j.api.ended_delivery(&trace).await["status"], "failed");
    j.api.resend(&trace).await;
    assert_eq!(
        j.api.delivery_after_attempts(&trace, 2).await["status"],
        "failed",
        "a manual failure changes nothing"
    );
    j.api.resend(&trace).await;
    // Where a step is several writes, the row is complete before the delivery is.
    let delivery = j.api.delivery_when(&trace, |delivery| delivery["status"] == "succeeded").await;
    assert_eq!(attempts_of(&delivery).len(), 3);
    assert!(delivery["nextAttemptAt"].is_null());
    j.receiver.always("/hook", Reply::status(500));
    j.api.resend(&trace).await;
    let delivery = j.api.delivery_after_attempts(&trace, 4).await;
    assert_eq!(delivery["status"], "succeeded", "what once succeeded stays so");
    assert!(attempts_of(&delivery)[3]["nextAttemptAt"].is_null(), "a failed resend is not retried");
}
