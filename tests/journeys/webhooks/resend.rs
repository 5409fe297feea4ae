//! Resend: a delivery is sent again on demand.

use serde_json::{Value, json};

use crate::harness::{Gate, Journey, Reply, attempts_of, emulator_differs, event, instant, text};

/// A delivery that succeeded at once, and its trace ID.
async fn delivered(j: &Journey) -> String {
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    j.receiver.next_request().await;
    trace
}

#[tokio::test]
async fn a_resend_is_a_new_attempt_with_the_same_bytes() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    let servicer = j.api.with_new_key("Ann, servicing", &["webhooks:resend"]).await;

    let answer =
        servicer.post_without_body(&format!("/v1/webhooks/{trace}/resend")).await.expect_status(202).json();

    assert_eq!(answer["traceId"], trace);
    let request = j.receiver.next_request().await;
    assert_eq!(request.attempt_number(), "manual");
    assert_eq!(request.attempt_id(), answer["id"]);
    assert_eq!(request.frozen_parts(), j.receiver.requests()[0].frozen_parts());
    let delivery = j.api.delivery_after_attempts(&trace, 2).await;
    let (first, manual) = (&attempts_of(&delivery)[0], &attempts_of(&delivery)[1]);
    for (field, value) in [
        ("id", answer["id"].clone()),
        ("attemptNumber", json!("manual")),
        ("manual", json!(true)),
        ("requestedBy", json!("Ann, servicing")),
        ("resendOf", first["id"].clone()),
        ("outcome", json!("succeeded")),
        ("responseCode", json!(200)),
        ("nextAttemptAt", Value::Null),
    ] {
        assert_eq!(manual[field], value, "{field}");
    }
    assert_eq!(delivery["status"], "succeeded");
}

#[tokio::test]
async fn the_row_of_a_resend_can_be_read_at_once() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let id = j.api.resend(&trace).await;
    let row = j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.expect_status(200).json();
    assert!(["queued", "sending"].contains(&text(&row["outcome"])), "{row:#}");
    instant(&row["sentAt"]);
    assert_eq!(ids_of_history(&j).await[0], id);
    j.receiver.next_request().await;
    let row = j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.expect_status(200).json();
    assert_eq!(row["outcome"], "sending");
    gate.open();
}

async fn ids_of_history(j: &Journey) -> Vec<String> {
    j.api.rows("727", "").await.iter().map(|row| text(&row["id"]).to_owned()).collect()
}

#[tokio::test]
async fn resends_counts_how_often_the_delivery_was_resent() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    for count in 1..=3 {
        j.api.resend(&trace).await;
        let delivery = j.api.delivery_after_attempts(&trace, 1 + count).await;
        assert!(attempts_of(&delivery).iter().all(|row| row["resends"] == count), "{delivery:#}");
    }
}

#[tokio::test]
async fn resend_of_is_the_named_attempt_or_the_newest() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    let (first, second) = (&attempts_of(&delivery)[0]["id"], &attempts_of(&delivery)[1]["id"]);
    let mut count = 2;
    let mut resend_of = async |path: String| {
        let answer = j.api.post_without_body(&path).await.expect_status(202).json();
        count += 1;
        let delivery = j.api.delivery_after_attempts(&trace, count).await;
        let row =
            attempts_of(&delivery).iter().find(|row| row["id"] == answer["id"]).expect("its row").clone();
        (row["id"].clone(), row["resendOf"].clone())
    };
    let (manual, of) = resend_of(format!("/v1/webhooks/{trace}/resend")).await;
    assert_eq!(of, *second);
    let (_, of) = resend_of(format!("/v1/webhook/retry/{trace}/1")).await;
    assert_eq!(of, *first);
    let (_, of) = resend_of(format!("/api/public/api/1/webhook/retry/{trace}/2")).await;
    assert_eq!(of, *second);
    let (newest_manual, of) = resend_of(format!("/v1/webhook/retry/{trace}/manual")).await;
    assert_ne!(of, *first);
    assert_ne!(of, *second);
    assert_ne!(of, manual, "of several, the newest");
    let (_, of) = resend_of(format!("/v1/webhooks/{trace}/resend")).await;
    assert_eq!(of, newest_manual);
    let seen = j.receiver.requests_of(&trace);
    assert!(
        seen.iter().all(|request| request.frozen_parts() == seen[0].frozen_parts()),
        "the bytes are the same for all"
    );
}

#[tokio::test]
async fn an_unknown_attempt_number_is_404() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    let mut unknown = vec![
        "2",
        "0",
        "-1",
        "01",
        "001",
        "+1",
        "%2B1",
        "99999999999999999999",
        "1.0",
        "first",
        "MANUAL",
        "manual",
        "%20",
    ];
    if !emulator_differs("decodes paths before the function sees them, and so blanks at their end are lost") {
        unknown.push("1%20");
    }
    for prefix in ["/v1", "/api/public/api/1"] {
        for attempt in &unknown {
            j.api
                .post_without_body(&format!("{prefix}/webhook/retry/{trace}/{attempt}"))
                .await
                .expect_problem(404);
        }
    }
    j.api.post_without_body(&format!("/v1/webhook/retry/{trace}/1")).await.expect_status(202);
    j.api.delivery_after_attempts(&trace, 2).await;
    j.api.post_without_body(&format!("/v1/webhook/retry/{trace}/manual")).await.expect_status(202);
    j.api.post_without_body(&format!("/v1/webhook/retry/{trace}/2")).await.expect_problem(404);
    assert_eq!(attempts_of(&j.api.delivery_after_attempts(&trace, 3).await).len(), 3);
}

#[tokio::test]
async fn a_repeated_resend_with_an_idempotency_key_returns_the_same_attempt() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    let ask = async |path: &str, key: &str| {
        j.api.request("POST", path).header("idempotency-key", key).send().await.expect_status(202).json()
    };
    let path = format!("/v1/webhooks/{trace}/resend");
    let first = ask(&path, "k").await;
    let others = futures_util::future::join_all((0..10).map(|_| ask(&path, "k"))).await;
    assert!(others.iter().all(|other| *other == first), "{others:#?}");
    j.api.delivery_after_attempts(&trace, 2).await;
    assert_eq!(ask(&path, "k").await, first, "after it was sent, too");
    assert_ne!(ask(&path, "other").await["id"], first["id"]);
    j.api.delivery_after_attempts(&trace, 3).await;
    assert_eq!(j.receiver.requests_of(&trace).len(), 3);
}

#[tokio::test]
async fn without_an_idempotency_key_each_call_is_a_resend() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    let mut asked = vec![j.api.resend(&trace).await, j.api.resend(&trace).await, j.api.resend(&trace).await];
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), 3);
    assert!(j.api.delivery_after_attempts(&trace, 4).await["attempts"][3]["manual"] == true);
}

#[tokio::test]
async fn a_resend_cannot_change_what_is_sent() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    let body = json!({"eventName": "Forged", "context": {"forged": true}, "url": j.receiver.url("/forged")});
    let answer = j.api.post(&format!("/v1/webhooks/{trace}/resend"), &body).await;
    assert!([202, 400, 422].contains(&answer.status), "{answer:?}");
    j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, if answer.status == 202 { 3 } else { 2 }).await;
    let seen = j.receiver.requests();
    assert!(seen.iter().all(|request| request.frozen_parts() == seen[0].frozen_parts()));
}

#[tokio::test]
async fn every_one_of_60_resends_in_quick_succession_is_sent() {
    let j = Journey::start().await;
    let trace = delivered(&j).await;
    for _ in 0..60 {
        j.api.resend(&trace).await;
    }
    let delivery = j.api.delivery_after_attempts(&trace, 61).await;
    assert!(attempts_of(&delivery).iter().all(|row| row["outcome"] == "succeeded"));
    assert_eq!(j.receiver.requests_of(&trace).len(), 61);
}

#[tokio::test]
async fn a_waiting_resend_is_queued_and_is_not_yet_the_manual_attempt() {
    let Some(j) = Journey::on_own_process().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.ended_delivery(&trace).await;
    j.receiver.next_request().await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    // As many requests as one subscription may have in flight.
    j.api.send_batch(vec![event("728"); 16]).await;
    for _ in 0..16 {
        j.receiver.next_request().await;
    }

    let waiting = j.api.resend(&trace).await;

    let queued = j.api.rows("727", "?outcome=queued").await;
    assert_eq!(queued.iter().map(|row| text(&row["id"])).collect::<Vec<_>>(), [waiting.as_str()]);
    assert_eq!(queued[0]["outcome"], "queued");
    assert_eq!(j.api.rows("727", "?outcome=queued&attempt=manual").await, queued);
    for other in ["?outcome=sending", "?outcome=failed", "?outcome=queued&attempt=auto"] {
        assert!(j.api.rows("727", other).await.is_empty(), "{other}");
    }
    for prefix in ["/v1", "/api/public/api/1"] {
        j.api.post_without_body(&format!("{prefix}/webhook/retry/{trace}/manual")).await.expect_problem(404);
    }
    gate.open();
    assert_eq!(attempts_of(&j.api.delivery_after_attempts(&trace, 2).await)[1]["outcome"], "succeeded");
    assert!(j.api.rows("727", "?outcome=queued").await.is_empty());
    j.api.post_without_body(&format!("/v1/webhook/retry/{trace}/manual")).await.expect_status(202);
}
