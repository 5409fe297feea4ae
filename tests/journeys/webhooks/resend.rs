//! Sending again what was sent, on demand.

use serde_json::{Value, json};

use crate::harness::{Gate, Journey, Reply, event, instant, spoiled_by_emulator, text};

fn attempts(delivery: &Value) -> &[Value] {
    delivery["attempts"].as_array().expect("attempts")
}

/// A delivery that succeeded at once, and its trace ID.
async fn delivered(j: &Journey) -> String {
    j.subscribe("/hook", json!({})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    j.receiver.next().await;
    trace
}

#[tokio::test]
async fn a_resend_is_an_attempt_of_its_own_with_the_same_bytes() {
    let j = Journey::begin().await;
    let trace = delivered(&j).await;
    let servicer = j.api.colleague("Ann, servicing", &["webhooks:resend"]).await;

    let answer = servicer.ask(&format!("/v1/webhooks/{trace}/resend")).await.is(202).json();

    assert_eq!(answer["traceId"], trace);
    let request = j.receiver.next().await;
    assert_eq!(request.attempt(), "manual");
    assert_eq!(request.attempt_id(), answer["id"]);
    assert_eq!(request.frozen(), j.receiver.seen()[0].frozen());
    let delivery = j.api.after_attempts(&trace, 2).await;
    let (first, manual) = (&attempts(&delivery)[0], &attempts(&delivery)[1]);
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
    let j = Journey::begin().await;
    let trace = delivered(&j).await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    let id = j.api.resend(&trace).await;
    let row = j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.is(200).json();
    assert!(["queued", "sending"].contains(&text(&row["outcome"])), "{row:#}");
    instant(&row["sentAt"]);
    assert_eq!(ids_of_history(&j).await[0], id);
    j.receiver.next().await;
    let row = j.api.get(&format!("/v1/loans/727/webhooks/{id}")).await.is(200).json();
    assert_eq!(row["outcome"], "sending");
    gate.open();
}

async fn ids_of_history(j: &Journey) -> Vec<String> {
    j.api.rows("727", "").await.iter().map(|row| text(&row["id"]).to_owned()).collect()
}

#[tokio::test]
async fn resends_counts_how_often_the_delivery_was_resent() {
    let j = Journey::begin().await;
    let trace = delivered(&j).await;
    for count in 1..=3 {
        j.api.resend(&trace).await;
        let delivery = j.api.after_attempts(&trace, 1 + count).await;
        assert!(attempts(&delivery).iter().all(|row| row["resends"] == count), "{delivery:#}");
    }
}

#[tokio::test]
async fn a_resend_names_the_newest_attempt_or_the_one_that_was_named() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.settled(&trace).await;
    let (first, second) = (&attempts(&delivery)[0]["id"], &attempts(&delivery)[1]["id"]);
    let mut count = 2;
    let mut resend_of = async |path: String| {
        let answer = j.api.ask(&path).await.is(202).json();
        count += 1;
        let delivery = j.api.after_attempts(&trace, count).await;
        let row = attempts(&delivery).iter().find(|row| row["id"] == answer["id"]).expect("its row").clone();
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
    let seen = j.receiver.seen_of(&trace);
    assert!(
        seen.iter().all(|request| request.frozen() == seen[0].frozen()),
        "the bytes are the same for all"
    );
}

#[tokio::test]
async fn an_unknown_attempt_number_is_404() {
    let j = Journey::begin().await;
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
    if !spoiled_by_emulator(
        "decodes paths before the function sees them, and so blanks at their end are lost",
    ) {
        unknown.push("1%20");
    }
    for prefix in ["/v1", "/api/public/api/1"] {
        for attempt in &unknown {
            j.api.ask(&format!("{prefix}/webhook/retry/{trace}/{attempt}")).await.problem(404);
        }
    }
    j.api.ask(&format!("/v1/webhook/retry/{trace}/1")).await.is(202);
    j.api.after_attempts(&trace, 2).await;
    j.api.ask(&format!("/v1/webhook/retry/{trace}/manual")).await.is(202);
    j.api.ask(&format!("/v1/webhook/retry/{trace}/2")).await.problem(404);
    assert_eq!(attempts(&j.api.after_attempts(&trace, 3).await).len(), 3);
}

#[tokio::test]
async fn a_repeated_call_with_a_key_returns_the_same_attempt() {
    let j = Journey::begin().await;
    let trace = delivered(&j).await;
    let ask = async |path: &str, key: &str| {
        j.api.request("POST", path).header("idempotency-key", key).answer().await.is(202).json()
    };
    let path = format!("/v1/webhooks/{trace}/resend");
    let first = ask(&path, "k").await;
    let others = futures_util::future::join_all((0..10).map(|_| ask(&path, "k"))).await;
    assert!(others.iter().all(|other| *other == first), "{others:#?}");
    j.api.after_attempts(&trace, 2).await;
    assert_eq!(ask(&path, "k").await, first, "after it was sent, too");
    assert_ne!(ask(&path, "other").await["id"], first["id"]);
    j.api.after_attempts(&trace, 3).await;
    assert_eq!(j.receiver.seen_of(&trace).len(), 3);
}

#[tokio::test]
async fn without_a_key_each_call_is_a_resend() {
    let j = Journey::begin().await;
    let trace = delivered(&j).await;
    let mut asked = vec![j.api.resend(&trace).await, j.api.resend(&trace).await, j.api.resend(&trace).await];
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), 3);
    assert!(j.api.after_attempts(&trace, 4).await["attempts"][3]["manual"] == true);
}

#[tokio::test]
async fn nothing_new_can_be_sent_by_a_resend() {
    let j = Journey::begin().await;
    let trace = delivered(&j).await;
    let body = json!({"eventName": "Forged", "context": {"forged": true}, "url": j.receiver.url("/forged")});
    let answer = j.api.post(&format!("/v1/webhooks/{trace}/resend"), &body).await;
    assert!([202, 400, 422].contains(&answer.status), "{answer:?}");
    j.api.resend(&trace).await;
    j.api.after_attempts(&trace, if answer.status == 202 { 3 } else { 2 }).await;
    let seen = j.receiver.seen();
    assert!(seen.iter().all(|request| request.frozen() == seen[0].frozen()));
}

#[tokio::test]
async fn resends_in_quick_succession_are_all_sent() {
    let j = Journey::begin().await;
    let trace = delivered(&j).await;
    for _ in 0..60 {
        j.api.resend(&trace).await;
    }
    let delivery = j.api.after_attempts(&trace, 61).await;
    assert!(attempts(&delivery).iter().all(|row| row["outcome"] == "succeeded"));
    assert_eq!(j.receiver.seen_of(&trace).len(), 61);
}

#[tokio::test]
async fn a_resend_that_waits_is_queued_and_has_not_happened_yet() {
    let Some(j) = Journey::alone().await else { return };
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let trace = j.api.send_one(&event("727")).await;
    j.api.settled(&trace).await;
    j.receiver.next().await;
    let gate = Gate::closed();
    j.receiver.always("/hook", Reply::ok().held(&gate));
    // As many as may be under way to one subscription at once.
    j.api.send_batch(vec![event("728"); 16]).await;
    for _ in 0..16 {
        j.receiver.next().await;
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
        j.api.ask(&format!("{prefix}/webhook/retry/{trace}/manual")).await.problem(404);
    }
    gate.open();
    assert_eq!(attempts(&j.api.after_attempts(&trace, 2).await)[1]["outcome"], "succeeded");
    assert!(j.api.rows("727", "?outcome=queued").await.is_empty());
    j.api.ask(&format!("/v1/webhook/retry/{trace}/manual")).await.is(202);
}
