//! Counts: what became of events and deliveries, and what came back.

use serde_json::{Value, json};

use super::{rows_when, sum};
use crate::harness::{Journey, Reply, event, event_named, subscription_path, text};

/// The counts of all rows together: a journey may pass from one hour into the next.
fn counts(rows: &[Value], names: &[&str]) -> Vec<i64> {
    names.iter().map(|name| sum(rows, &format!("/{}", name.replace('.', "/")))).collect()
}

#[tokio::test]
async fn each_event_delivery_attempt_and_resend_is_counted() {
    let j = Journey::start().await;
    j.api.send_event(&event_named("Nothing matches", "727")).await;
    let bank = j.subscribe("/bank", json!({"title": "Core banking", "retry": {"delays": [1]}})).await;
    j.receiver.replies("/bank", [Reply::ok()]);
    let first = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&first).await;
    j.receiver.replies("/bank", [Reply::status(500), Reply::status(204)]);
    let later = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&later).await;
    j.receiver.replies("/bank", [Reply::status(404), Reply::status(503)]);
    let exhausted = j.api.send_one(&event("727")).await;
    assert_eq!(j.api.ended_delivery(&exhausted).await["status"], "failed");
    j.receiver.replies("/bank", [Reply::status(500), Reply::status(500), Reply::ok()]);
    let resent = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&resent).await;
    j.api.resend(&resent).await;
    j.api.delivery_after_attempts(&resent, 3).await;
    // A test send is left out.
    let test = format!("{}/test", subscription_path(&bank));
    let tested = j.api.post(&test, &json!({"loanId": "727"})).await.expect_status(202).json();
    j.api.ended_delivery(text(&tested["deliveries"][0]["traceId"])).await;

    let rows = rows_when(&j.api, "", |rows| sum(rows, "/resends") == 1 && sum(rows, "/pending") == 0).await;
    let names =
        ["eventsAccepted", "eventsUnmatched", "deliveriesAccepted", "succeededFirst", "succeededLater"];
    assert_eq!(counts(&rows, &names), [5, 1, 4, 1, 2], "{rows:#?}");
    assert_eq!(counts(&rows, &["exhausted", "canceled", "pending", "resends"]), [1, 0, 0, 1]);
    let classes = ["attempts.2xx", "attempts.4xx", "attempts.5xx", "attempts.3xx", "attempts.timeout"];
    assert_eq!(counts(&rows, &classes), [3, 1, 4, 0, 0]);
    let measured = rows.iter().find(|row| !row["responseTimeMs"].is_null()).expect("times");
    for times in ["responseTimeMs", "firstAttemptMs"] {
        let [p50, p95, p99] =
            ["p50", "p95", "p99"].map(|name| measured[times][name].as_f64().expect("a number"));
        assert!(0.0 <= p50 && p50 <= p95 && p95 <= p99, "{measured:#}");
    }

    let of_bank = rows_when(&j.api, "?group=subscription", |rows| !rows.is_empty()).await;
    for row in &of_bank {
        assert_eq!((&row["subscriptionId"], &row["title"]), (&bank["id"], &json!("Core banking")));
        assert_eq!((&row["eventsAccepted"], &row["eventsUnmatched"]), (&Value::Null, &Value::Null));
    }
    assert_eq!(counts(&of_bank, &["deliveriesAccepted", "resends"]), [4, 1]);
    let by_name = rows_when(&j.api, "?group=event&by=day", |rows| !rows.is_empty()).await;
    let unmatched: Vec<_> =
        by_name.iter().filter(|row| row["eventName"] == "Nothing matches").cloned().collect();
    assert_eq!(counts(&unmatched, &["eventsAccepted", "eventsUnmatched", "deliveriesAccepted"]), [1, 1, 0]);
    assert!(unmatched.iter().all(|row| row["responseTimeMs"].is_null() && row["firstAttemptMs"].is_null()));

    let stranger = j.other_tenant().await;
    let report = stranger.get("/v1/reports/deliveries").await.expect_status(200).json();
    assert_eq!(report["items"], json!([]), "tenants never meet");
    j.api.delete(&subscription_path(&bank)).await.expect_status(204);
    let of_deleted = rows_when(&j.api, "?group=subscription", |rows| !rows.is_empty()).await;
    assert!(of_deleted[0]["title"].is_null() && of_deleted[0]["subscriptionId"] == bank["id"]);
}

#[tokio::test]
async fn what_ends_after_a_restart_is_counted_once() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/bank", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/bank", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    j.server.kill();
    j.server.restart().await;
    j.api.ended_delivery(&trace).await;
    let rows = rows_when(&j.api, "?by=day", |rows| sum(rows, "/pending") == 0).await;
    let names = ["deliveriesAccepted", "succeededFirst", "succeededLater", "attempts.2xx", "attempts.5xx"];
    assert_eq!(counts(&rows, &names), [1, 0, 1, 1, 1], "{rows:#?}");
}
