//! Manual and automatic are independent: a resend neither cancels, delays, resets nor uses up the schedule.

use serde_json::{Value, json};

use crate::harness::rows::{ROUNDING, one_millisecond};
use crate::harness::{Gate, Journey, Reply, event, instant, room, wait};

fn attempts(delivery: &Value) -> &[Value] {
    delivery["attempts"].as_array().expect("attempts")
}

/// With a schedule of a retry in some seconds: fail, resend with this outcome, and look at the schedule.
async fn resend_between(outcome: Reply, succeeds: bool) {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [room(4), 1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500), outcome, Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    let before = j.api.after_attempts(&trace, 1).await;
    let due = instant(&before["nextAttemptAt"]);

    j.api.resend(&trace).await;
    let between = j.api.after_attempts(&trace, 2).await;

    assert_eq!(attempts(&between)[1]["outcome"], if succeeds { "succeeded" } else { "failed" });
    assert_eq!(between["status"], "pending", "a pending delivery stays pending until its own schedule ends");
    assert_eq!(instant(&between["nextAttemptAt"]), due, "a resend moves nothing");
    assert_eq!(attempts(&between)[0]["nextAttemptAt"], attempts(&before)[0]["nextAttemptAt"]);
    let after = j.api.settled(&trace).await;
    let numbers: Vec<_> = attempts(&after).iter().map(|row| row["attemptNumber"].clone()).collect();
    assert_eq!(numbers, [json!(1), json!("manual"), json!(2), json!(3)], "the resend used up no number");
    assert!(instant(&attempts(&after)[2]["sentAt"]) + one_millisecond() >= due);
    let wait = wait(&attempts(&after)[2]);
    assert!((wait - 1.0).abs() <= ROUNDING, "nor a place in the schedule: {wait}");
    assert_eq!(after["status"], "succeeded");
}

#[tokio::test]
async fn a_manual_resend_that_succeeds_between_two_automatic_attempts_leaves_the_schedule_where_it_was() {
    resend_between(Reply::ok(), true).await;
}

#[tokio::test]
async fn a_manual_resend_that_fails_between_two_automatic_attempts_leaves_the_schedule_where_it_was() {
    resend_between(Reply::status(500), false).await;
}

#[tokio::test]
async fn an_automatic_attempt_leaves_on_time_while_a_resend_is_on_its_way() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [room(2)]}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500), Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.after_attempts(&trace, 1).await;
    j.api.resend(&trace).await;
    let order: Vec<_> = [j.receiver.next().await, j.receiver.next().await, j.receiver.next().await]
        .map(|r| r.attempt().to_owned())
        .into();
    assert_eq!(order, ["1", "manual", "2"]);
    j.api.delivery_when(&trace, |delivery| delivery["status"] == "succeeded").await;
    gate.open();
    j.api.after_attempts(&trace, 3).await;
}

#[tokio::test]
async fn a_manual_success_turns_an_exhausted_delivery_succeeded() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    j.receiver.replies("/hook", [Reply::status(500), Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    assert_eq!(j.api.settled(&trace).await["status"], "failed");
    j.api.resend(&trace).await;
    assert_eq!(j.api.after_attempts(&trace, 2).await["status"], "failed", "a manual failure changes nothing");
    j.api.resend(&trace).await;
    // Where a step is several writes, the row is complete before the delivery hears of it.
    let delivery = j.api.delivery_when(&trace, |delivery| delivery["status"] == "succeeded").await;
    assert_eq!(attempts(&delivery).len(), 3);
    assert!(delivery["nextAttemptAt"].is_null());
    j.receiver.always("/hook", Reply::status(500));
    j.api.resend(&trace).await;
    let delivery = j.api.after_attempts(&trace, 4).await;
    assert_eq!(delivery["status"], "succeeded", "what once succeeded stays so");
    assert!(attempts(&delivery)[3]["nextAttemptAt"].is_null(), "a failed resend is not retried");
}
