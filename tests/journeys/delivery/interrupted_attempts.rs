//! Interrupted attempts: a sender that dies during a request leaves a row that says so, and the next attempt follows at once.

use serde_json::{Value, json};

use crate::harness::rows::{assert_failed_in_phase, assert_failed_with};
use crate::harness::{Gate, Journey, Received, Reply, attempts_of, event, seconds_until_next_attempt, text};

/// Kills the process while it sends its next request, and starts it again.
async fn kill_while_sending(j: &Journey) -> Received {
    let request = j.receiver.next_request().await;
    j.server.kill();
    j.server.restart().await;
    request
}

/// A delivery with these retry delays whose first `interruptions` attempts were interrupted.
async fn interrupted_delivery(j: &Journey, delays: Value, interruptions: usize) -> (String, Gate) {
    j.subscribe("/hook", json!({"retry": {"delays": delays}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", vec![Reply::ok().held(&gate); interruptions]);
    let trace = j.api.send_one(&event("727")).await;
    for number in 1..=interruptions {
        assert_eq!(kill_while_sending(j).await.attempt_number(), number.to_string());
    }
    (trace, gate)
}

#[tokio::test]
async fn an_interrupted_attempt_reads_failed_and_the_next_follows_at_once() {
    let Some(j) = Journey::on_own_process().await else { return };
    let (trace, _gate) = interrupted_delivery(&j, json!([3600]), 1).await;

    let delivery = j.api.ended_delivery(&trace).await;

    assert_eq!(delivery["status"], "succeeded", "long before its retry would be due");
    let rows = attempts_of(&delivery);
    assert_eq!(rows.len(), 2);
    assert_failed_with(&rows[0], "interrupted");
    assert_eq!(
        (&rows[0]["attemptNumber"], &rows[1]["attemptNumber"]),
        (&json!(1), &json!(2)),
        "it keeps its number"
    );
    assert!(
        rows[0]["response"].is_null() || rows[0]["response"]["bytes"].is_null(),
        "nobody knows what came back"
    );
    let seen = j.receiver.requests_of(&trace);
    assert_eq!(
        seen.iter().map(Received::attempt_id).collect::<Vec<_>>(),
        [text(&rows[0]["id"]), text(&rows[1]["id"])]
    );
    assert_eq!(seen[0].frozen_parts(), seen[1].frozen_parts());
}

#[tokio::test]
async fn an_interrupted_attempt_uses_up_no_retry() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.receiver.always("/hook", Reply::status(500));
    let (trace, _gate) = interrupted_delivery(&j, json!([1800, 7200]), 1).await;

    let delivery = j.api.delivery_after_attempts(&trace, 2).await;

    let second = &attempts_of(&delivery)[1];
    assert_eq!((&second["attemptNumber"], &second["outcome"]), (&json!(2), &json!("failed")));
    assert!(
        (1800.0..1900.0).contains(&seconds_until_next_attempt(second)),
        "the first delay, not the second: {second:#}"
    );
    assert_eq!(delivery["nextAttemptAt"], second["nextAttemptAt"]);
}

#[tokio::test]
async fn an_interrupted_attempt_is_followed_by_another_without_configured_retries() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.receiver.always("/hook", Reply::status(500));
    let (trace, _gate) = interrupted_delivery(&j, json!([]), 1).await;

    let delivery = j.api.ended_delivery(&trace).await;

    assert_eq!(delivery["status"], "failed");
    let rows = attempts_of(&delivery);
    assert_eq!(rows.len(), 2);
    assert_failed_with(&rows[0], "interrupted");
    assert_eq!(rows[1]["responseCode"], 500);
    assert!(rows[1]["nextAttemptAt"].is_null());
}

#[tokio::test]
async fn the_third_interruption_in_a_row_counts_as_a_failure() {
    let Some(j) = Journey::on_own_process().await else { return };
    let (trace, _gate) = interrupted_delivery(&j, json!([1800, 7200]), 3).await;

    let delivery = j.api.delivery_after_attempts(&trace, 3).await;

    let rows = attempts_of(&delivery);
    rows.iter().for_each(|row| assert_failed_with(row, "interrupted"));
    assert_eq!(delivery["status"], "pending");
    assert!(
        seconds_until_next_attempt(&rows[2]) >= 1800.0,
        "the third takes its place in the schedule: {delivery:#}"
    );
    assert_eq!(delivery["nextAttemptAt"], rows[2]["nextAttemptAt"]);
}

#[tokio::test]
async fn the_third_interruption_in_a_row_exhausts_a_delivery_without_retries() {
    let Some(j) = Journey::on_own_process().await else { return };
    let (trace, _gate) = interrupted_delivery(&j, json!([]), 3).await;

    let delivery = j.api.ended_delivery(&trace).await;

    assert_eq!(delivery["status"], "failed");
    assert_eq!(attempts_of(&delivery).len(), 3);
    assert!(attempts_of(&delivery)[2]["nextAttemptAt"].is_null());
    assert_eq!(j.receiver.requests_of(&trace).len(), 3);
}

#[tokio::test]
async fn an_interrupted_resend_is_not_repeated_and_does_not_change_the_schedule() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": [3600]}, "timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500), Reply::ok().held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    let before = j.api.delivery_after_attempts(&trace, 1).await;
    j.receiver.next_request().await;
    let manual = j.api.resend(&trace).await;
    assert_eq!(kill_while_sending(&j).await.attempt_id(), manual);

    let after = j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(attempts_of(&after)[1]["id"], manual);
    assert_failed_with(&attempts_of(&after)[1], "interrupted");
    assert_eq!((&after["status"], &after["nextAttemptAt"]), (&json!("pending"), &before["nextAttemptAt"]));

    let later = j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 3).await;
    let sent: Vec<_> =
        j.receiver.requests_of(&trace).iter().map(|request| request.attempt_id().to_owned()).collect();
    assert_eq!(
        sent,
        [text(&attempts_of(&after)[0]["id"]), &manual, &later],
        "what came later was sent, and it was not sent again"
    );
}

#[tokio::test]
async fn an_accepted_resend_is_sent_or_reads_interrupted_after_a_kill() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    for round in 1..=5 {
        let id = j.api.resend(&trace).await;
        j.server.kill();
        j.server.restart().await;
        let delivery = j.api.delivery_after_attempts(&trace, 1 + round).await;
        let row = attempts_of(&delivery).iter().find(|row| row["id"] == id).expect("its row");
        let reached =
            j.receiver.requests_of(&trace).iter().filter(|request| request.attempt_id() == id).count();
        assert!(reached <= 1);
        assert!(
            row["outcome"] == "succeeded" && reached == 1 || row["error"]["kind"] == "interrupted",
            "{row:#}"
        );
    }
}

/// A delivery with a request that was lost on a kept connection: the receiver read it and closed without a byte of a
/// response. The connection is kept for a few seconds only, so it may take several tries.
async fn lost_on_a_kept_connection(j: &Journey, lose: impl AsyncFn(&str) -> Value) -> Value {
    for _ in 0..20 {
        let trace = j.api.send_one(&event("727")).await;
        j.api.ended_delivery(&trace).await;
        j.receiver.replies("/hook", [Reply::hang_up()]);
        let delivery = lose(&trace).await;
        if attempts_of(&delivery).iter().any(|row| row["error"]["kind"] == "interrupted") {
            return delivery;
        }
    }
    panic!("no connection was kept from one request to the next");
}

#[tokio::test]
async fn a_request_lost_on_a_kept_connection_is_interrupted_and_uses_up_no_retry() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": []}})).await;
    let delivery = lost_on_a_kept_connection(&j, async |_| {
        let trace = j.api.send_one(&event("727")).await;
        j.api.ended_delivery(&trace).await
    })
    .await;

    assert_eq!(delivery["status"], "succeeded");
    let rows = attempts_of(&delivery);
    assert_eq!(rows.len(), 2, "{delivery:#}");
    assert_failed_in_phase(&rows[0], "wait", "interrupted");
    assert_eq!((&rows[1]["attemptNumber"], &rows[1]["responseCode"]), (&json!(2), &json!(200)));
}

#[tokio::test]
async fn a_resend_lost_on_a_kept_connection_is_not_repeated() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"retry": {"delays": []}})).await;
    let delivery = lost_on_a_kept_connection(&j, async |trace| {
        j.api.resend(trace).await;
        j.api.delivery_after_attempts(trace, 2).await
    })
    .await;

    let trace = text(&delivery["traceId"]);
    assert_failed_in_phase(&attempts_of(&delivery)[1], "wait", "interrupted");
    assert_eq!(delivery["status"], "succeeded");
    let later = j.api.resend(trace).await;
    let rows = j.api.delivery_after_attempts(trace, 3).await;
    assert_eq!(attempts_of(&rows)[2]["id"], later, "nothing came between: {rows:#}");
}
