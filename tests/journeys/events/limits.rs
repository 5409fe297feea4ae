//! Limits of events and batches, and the status beyond each.

use serde_json::{Value, json};

use crate::harness::{ApiResponse, Journey, event, event_named, results_of};

const EVENT_LIMIT_BYTES: usize = 256 * 1024;
const BATCH_LIMIT_BYTES: usize = 4 * 1024 * 1024;

async fn post(j: &Journey, body: impl Into<reqwest::Body>) -> ApiResponse {
    j.api.request("POST", "/v1/events").body(body).send().await
}

/// An event whose JSON is exactly this long.
fn event_of(bytes: usize) -> String {
    let frame = json!({"eventName": "Large", "loanId": "727", "context": {"note": ""}}).to_string();
    let event =
        json!({"eventName": "Large", "loanId": "727", "context": {"note": "x".repeat(bytes - frame.len())}});
    let event = event.to_string();
    assert_eq!(event.len(), bytes);
    event
}

fn nested(depth: usize) -> String {
    let context = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    format!("{{\"eventName\": \"Nested\", \"loanId\": \"727\", \"context\": {context}}}")
}

#[tokio::test]
async fn an_event_with_wrong_or_missing_members_is_422_with_a_pointer() {
    let j = Journey::start().await;
    for (body, pointer) in [
        (json!({"loanId": "727", "context": {}}), "/eventName"),
        (json!({"eventName": "A", "context": {}}), "/loanId"),
        (json!({"eventName": "A", "loanId": "727"}), "/context"),
        (json!({"eventName": "A", "loanId": 727, "context": {}}), "/loanId"),
        (json!({"eventName": null, "loanId": "727", "context": {}}), "/eventName"),
        (json!({"eventName": "A", "loanId": "727", "context": []}), "/context"),
        (json!({"eventName": "A", "loanId": "727", "context": "text"}), "/context"),
        (json!({"eventName": "A", "loanId": "727", "context": {}, "occurredAt": "yesterday"}), "/occurredAt"),
        (
            json!({"eventName": "A", "loanId": "727", "context": {}, "occured": "2026-11-23T10:00:00Z"}),
            "/occured",
        ),
        (json!({"eventName": "A", "loanId": "727", "context": {}, "idempotencyKey": "k"}), "/idempotencyKey"),
    ] {
        post(&j, body.to_string()).await.expect_errors_at(&[pointer]);
    }
    for body in ["null", "[]", "7", "\"text\""] {
        post(&j, body).await.expect_problem(422);
    }
}

#[tokio::test]
async fn event_name_and_loan_id_are_1_to_256_characters() {
    let j = Journey::start().await;
    for name in ["a".repeat(256), "ü".repeat(256), "借".repeat(256), "🏦".repeat(256)] {
        j.api.send_event(&event_named(&name, "727")).await;
        j.api.send_event(&event_named("A", &name)).await;
        let longer = format!("{name}x");
        j.api.post("/v1/events", &event_named(&longer, "727")).await.expect_errors_at(&["/eventName"]);
        j.api.post("/v1/events", &event_named("A", &longer)).await.expect_errors_at(&["/loanId"]);
    }
    j.api.post("/v1/events", &event_named("", "")).await.expect_problem(422);
    j.api.post("/v1/events", &event_named("", "727")).await.expect_errors_at(&["/eventName"]);
    j.api.post("/v1/events", &event_named("A", "")).await.expect_errors_at(&["/loanId"]);
}

#[tokio::test]
async fn control_characters_in_event_name_or_loan_id_are_422() {
    let j = Journey::start().await;
    for control in ['\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}'] {
        j.api
            .post("/v1/events", &event_named(&format!("a{control}b"), "727"))
            .await
            .expect_errors_at(&["/eventName"]);
        j.api
            .post("/v1/events", &event_named("A", &format!("7{control}7")))
            .await
            .expect_errors_at(&["/loanId"]);
    }
}

#[tokio::test]
async fn a_loan_id_that_cannot_stand_in_a_path_is_422() {
    let j = Journey::start().await;
    for loan in [".", "..", "7/7", "7\\7", "7?7", "7#7", "7%7", "%2e", "/"] {
        j.api.post("/v1/events", &event_named("A", loan)).await.expect_errors_at(&["/loanId"]);
    }
    for loan in ["...", ".7", "7.", "7.7", "a b", "a&b=c", "a+b", "a;b:c@d", "[1]", "\"7\""] {
        j.api.send_event(&event_named("A", loan)).await;
    }
    j.api.send_event(&event_named("A name / with ? all # of % them \\ .", "727")).await;
}

#[tokio::test]
async fn context_nesting_is_at_most_32() {
    let j = Journey::start().await;
    post(&j, nested(32)).await.expect_status(202);
    let problem = post(&j, nested(33)).await.expect_problem(422);
    assert!(problem["errors"].to_string().contains("/context"), "{problem}");
    post(&j, nested(20_000)).await.expect_problem(422);
    let brackets = format!("{{\"eventName\":\"A\",\"loanId\":\"727\",\"context\":{}", "[".repeat(100_000));
    let unfinished = post(&j, brackets).await;
    assert!(matches!(unfinished.status, 400 | 422), "{unfinished:?}");
}

#[tokio::test]
async fn an_event_of_256_kib_is_accepted_and_a_longer_one_is_413() {
    let j = Journey::start().await;
    post(&j, event_of(EVENT_LIMIT_BYTES)).await.expect_status(202);
    post(&j, event_of(EVENT_LIMIT_BYTES + 1)).await.expect_problem(413);
    post(&j, event_of(3 * EVENT_LIMIT_BYTES)).await.expect_problem(413);
}

#[tokio::test]
async fn a_batch_of_4_mib_is_accepted_and_a_longer_one_or_an_event_over_256_kib_is_413() {
    let j = Journey::start().await;
    let batch = |events: &[String]| format!("{{\"events\":[{}]}}", events.join(","));
    let ask = async |body: String| j.api.request("POST", "/v1/events/batch").body(body).send().await;

    let mixed = ask(batch(&[event_of(100), event_of(EVENT_LIMIT_BYTES), event_of(EVENT_LIMIT_BYTES + 1)]))
        .await
        .expect_status(200)
        .json();
    let statuses: Vec<_> = results_of(&mixed).iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [202, 202, 413], "{mixed}");

    let mut full = vec![event_of(EVENT_LIMIT_BYTES - 1); 15];
    let frame = batch(&full).len() + 1;
    full.push(event_of(BATCH_LIMIT_BYTES - frame));
    let full = batch(&full);
    assert_eq!(full.len(), BATCH_LIMIT_BYTES);
    ask(full.clone()).await.expect_status(200);
    ask(format!("{full} ")).await.expect_problem(413);
}

#[tokio::test]
async fn a_batch_of_100_events_is_accepted_and_of_101_is_422() {
    let j = Journey::start().await;
    let batch = |events: usize| json!({"events": vec![event("727"); events]});
    let taken = j.api.post("/v1/events/batch", &batch(100)).await.expect_status(200).json();
    assert_eq!(results_of(&taken).len(), 100);
    j.api.post("/v1/events/batch", &batch(101)).await.expect_errors_at(&["/events"]);
    for wrong in [json!({}), json!({"events": {}}), json!([]), json!({"events": [], "more": 1}), Value::Null]
    {
        j.api.post("/v1/events/batch", &wrong).await.expect_problem(422);
    }
}
