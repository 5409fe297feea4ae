//! A sender that dies in the middle of a request leaves a row that says so, and the next attempt follows at once.

use serde_json::{Value, json};

use crate::harness::rows::{failed_by, failed_in};
use crate::harness::{Gate, Journey, Received, Reply, event, late, text};

fn attempts(delivery: &Value) -> &[Value] {
    delivery["attempts"].as_array().expect("attempts")
}

/// Kills the process while its next request is on the way, and starts it again.
async fn interrupt(j: &Journey) -> Received {
    let request = j.receiver.next().await;
    j.target.kill();
    j.target.restart().await;
    request
}

/// A delivery with these retry delays whose first `interruptions` attempts were interrupted.
async fn interrupted(j: &Journey, delays: Value, interruptions: usize) -> (String, Gate) {
    j.subscribe("/hook", json!({"retry": {"delays": delays}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", vec![Reply::ok().held(&gate); interruptions]);
    let trace = j.api.send_one(&event("727")).await;
    for number in 1..=interruptions {
        assert_eq!(interrupt(j).await.attempt(), number.to_string());
    }
    (trace, gate)
}

#[tokio::test]
async fn an_interrupted_attempt_reads_failed_and_the_next_follows_at_once() {
    let Some(j) = Journey::alone().await else { return };
    let (trace, _gate) = interrupted(&j, json!([3600]), 1).await;

    let delivery = j.api.settled(&trace).await;

    assert_eq!(delivery["status"], "succeeded", "long before its retry would be due");
    let rows = attempts(&delivery);
    assert_eq!(rows.len(), 2);
    failed_by(&rows[0], "interrupted");
    assert_eq!(
        (&rows[0]["attemptNumber"], &rows[1]["attemptNumber"]),
        (&json!(1), &json!(2)),
        "it keeps its number"
    );
    assert!(
        rows[0]["response"].is_null() || rows[0]["response"]["bytes"].is_null(),
        "nobody knows what came back"
    );
    let seen = j.receiver.seen_of(&trace);
    assert_eq!(
        seen.iter().map(Received::attempt_id).collect::<Vec<_>>(),
        [text(&rows[0]["id"]), text(&rows[1]["id"])]
    );
    assert_eq!(seen[0].frozen(), seen[1].frozen());
}

#[tokio::test]
async fn an_interrupted_attempt_uses_up_no_place_in_the_schedule() {
    let Some(j) = Journey::alone().await else { return };
    j.receiver.always("/hook", Reply::status(500));
    let (trace, _gate) = interrupted(&j, json!([1800, 7200]), 1).await;

    let delivery = j.api.after_attempts(&trace, 2).await;

    let second = &attempts(&delivery)[1];
    assert_eq!((&second["attemptNumber"], &second["outcome"]), (&json!(2), &json!("failed")));
    assert!((1800.0..1900.0).contains(&late(second)), "the first delay, not the second: {second:#}");
    assert_eq!(delivery["nextAttemptAt"], second["nextAttemptAt"]);
}

#[tokio::test]
async fn an_interrupted_attempt_is_followed_even_where_no_retries_are_configured() {
    let Some(j) = Journey::alone().await else { return };
    j.receiver.always("/hook", Reply::status(500));
    let (trace, _gate) = interrupted(&j, json!([]), 1).await;

    let delivery = j.api.settled(&trace).await;

    assert_eq!(delivery["status"], "failed");
    let rows = attempts(&delivery);
    assert_eq!(rows.len(), 2);
    failed_by(&rows[0], "interrupted");
    assert_eq!(rows[1]["responseCode"], 500);
    assert!(rows[1]["nextAttemptAt"].is_null());
}

#[tokio::test]
async fn the_third_interruption_in_a_row_counts_as_a_failure() {
    let Some(j) = Journey::alone().await else { return };
    let (trace, _gate) = interrupted(&j, json!([1800, 7200]), 3).await;

    let delivery = j.api.after_attempts(&trace, 3).await;

    let rows = attempts(&delivery);
    rows.iter().for_each(|row| failed_by(row, "interrupted"));
    assert_eq!(delivery["status"], "pending");
    assert!(late(&rows[2]) >= 1800.0, "the third takes its place in the schedule: {delivery:#}");
    assert_eq!(delivery["nextAttemptAt"], rows[2]["nextAttemptAt"]);
}

#[tokio::test]
async fn the_third_interruption_in_a_row_is_the_end_where_no_retries_are_left() {
    let Some(j) = Journey::alone().await else { return };
    let (trace, _gate) = interrupted(&j, json!([]), 3).await;

    let delivery = j.api.settled(&trace).await;

    assert_eq!(delivery["status"], "failed");
    assert_eq!(attempts(&delivery).len(), 3);
    assert!(attempts(&delivery)[2]["nextAttemptAt"].is_null());
    assert_eq!(j.receiver.seen_of(&trace).len(), 3);
}

#[tokio::test]
async fn an_interrupted_resend_is_not_repeated_and_leaves_the_schedule_alone() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500), Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    let before = j.api.after_attempts(&trace, 1).await;
    j.receiver.next().await;
    let manual = j.api.resend(&trace).await;
    assert_eq!(interrupt(&j).await.attempt_id(), manual);

    let after = j.api.after_attempts(&trace, 2).await;
    assert_eq!(attempts(&after)[1]["id"], manual);
    failed_by(&attempts(&after)[1], "interrupted");
    assert_eq!((&after["status"], &after["nextAttemptAt"]), (&json!("pending"), &before["nextAttemptAt"]));

    let later = j.api.resend(&trace).await;
    j.api.after_attempts(&trace, 3).await;
    let sent: Vec<_> =
        j.receiver.seen_of(&trace).iter().map(|request| request.attempt_id().to_owned()).collect();
    assert_eq!(
        sent,
        [text(&attempts(&after)[0]["id"]), &manual, &later],
        "what came later was sent, and it was not sent again"
    );
}

#[tokio::test]
async fn a_resend_that_was_promised_is_sent_after_a_kill() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    for round in 1..=5 {
        let id = j.api.resend(&trace).await;
        j.target.kill();
        j.target.restart().await;
        let delivery = j.api.after_attempts(&trace, 1 + round).await;
        let row = attempts(&delivery).iter().find(|row| row["id"] == id).expect("its row");
        let reached = j.receiver.seen_of(&trace).iter().filter(|request| request.attempt_id() == id).count();
        assert!(reached <= 1);
        assert!(
            row["outcome"] == "succeeded" && reached == 1 || row["error"]["kind"] == "interrupted",
            "{row:#}"
        );
    }
}

/// The rows of a delivery whose first request was lost on a kept connection: the receiver took it, and hung up without
/// a byte of an answer. The connection is kept for a few seconds only, so it may take several tries.
async fn lost_on_a_kept_connection(j: &Journey, lose: impl AsyncFn(&str) -> Value) -> Value {
    for _ in 0..20 {
        let trace = j.api.send_one(&event("727")).await;
        j.api.settled(&trace).await;
        j.receiver.replies("/hook", [Reply::hang_up()]);
        let delivery = lose(&trace).await;
        if attempts(&delivery).iter().any(|row| row["error"]["kind"] == "interrupted") {
            return delivery;
        }
    }
    panic!("no connection was kept from one request to the next");
}

#[tokio::test]
async fn a_request_that_a_kept_connection_lost_is_followed_at_once_without_using_up_a_retry() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": []}})).await;
    let delivery = lost_on_a_kept_connection(&j, async |_| {
        let trace = j.api.send_one(&event("727")).await;
        j.api.settled(&trace).await
    })
    .await;

    assert_eq!(delivery["status"], "succeeded");
    let rows = attempts(&delivery);
    assert_eq!(rows.len(), 2, "{delivery:#}");
    failed_in(&rows[0], "wait", "interrupted");
    assert_eq!((&rows[1]["attemptNumber"], &rows[1]["responseCode"]), (&json!(2), &json!(200)));
}

#[tokio::test]
async fn a_resend_that_a_kept_connection_lost_is_not_repeated() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": []}})).await;
    let delivery = lost_on_a_kept_connection(&j, async |trace| {
        j.api.resend(trace).await;
        j.api.after_attempts(trace, 2).await
    })
    .await;

    let trace = text(&delivery["traceId"]);
    failed_in(&attempts(&delivery)[1], "wait", "interrupted");
    assert_eq!(delivery["status"], "succeeded");
    let later = j.api.resend(trace).await;
    let rows = j.api.after_attempts(trace, 3).await;
    assert_eq!(attempts(&rows)[2]["id"], later, "nothing came between: {rows:#}");
}
