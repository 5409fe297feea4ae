//! JSON objects: an array of the same values is refused wherever an object belongs, and so is a name given twice.

use serde_json::{Value, json};

use crate::harness::request_bodies::PAYMENT;
use crate::harness::{
    ApiResponse, Journey, event, items_of, results_of, subscription, subscription_path, text,
};

/// A 422 whose errors all point at this place, or below it.
#[track_caller]
fn refused_at(answer: ApiResponse, place: &str) {
    let problem = answer.expect_problem(422);
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("validation lists errors: {problem}"));
    assert!(!errors.is_empty(), "{problem}");
    assert!(errors.iter().all(|error| text(&error["pointer"]).starts_with(place)), "{place}: {problem}");
}

#[tokio::test]
async fn an_array_in_place_of_an_event_is_422() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for array in [json!([PAYMENT, "727", {}]), json!([PAYMENT, "727", {}, null]), json!([event("727")])] {
        j.api.post("/v1/events", &array).await.expect_problem(422);
    }
    assert!(j.api.rows("727", "").await.is_empty());
}

#[tokio::test]
async fn an_array_in_place_of_a_batched_event_fails_alone() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let events =
        json!([[PAYMENT, "700", {}], event("701"), [PAYMENT, "700", {}, null, "key"], [event("700")], []]);
    let answer = j.api.post("/v1/events/batch", &json!({"events": events})).await.expect_status(200).json();
    let statuses: Vec<_> = results_of(&answer).iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [422, 202, 422, 422, 422], "{answer}");
    assert!(j.api.rows("700", "").await.is_empty());
}

#[tokio::test]
async fn an_array_in_place_of_a_batch_is_422() {
    let j = Journey::start().await;
    for array in [json!([[event("727")]]), json!([event("727")])] {
        j.api.post("/v1/events/batch", &array).await.expect_problem(422);
    }
}

#[tokio::test]
async fn an_array_in_place_of_an_object_in_a_subscription_is_422_with_a_pointer() {
    let j = Journey::start().await;
    let url = j.receiver.url("/hook");
    let whole = subscription(&url, json!({}));
    let created = j.api.subscribe(&whole).await;
    let its_own = subscription_path(&created);
    let changed = |field: &str, value: Value| {
        let mut body = whole.clone();
        body[field] = value;
        body
    };
    for (body, place) in [
        (json!([whole]), ""),
        (json!(["Bank", "", true, {"events": ["*"]}, null, {"url": url}, {"delays": []}, 15]), ""),
        (changed("criteria", json!([["*"]])), "/criteria"),
        (changed("criteria", json!([["*"], null, null])), "/criteria"),
        (changed("criteria", json!([{"events": ["*"]}])), "/criteria"),
        (changed("request", json!(["POST", url, {}, "application/json", null])), "/request"),
        (changed("request", json!([{"url": url}])), "/request"),
        (changed("request", json!({"url": url, "headers": [["x-bank", "7"]]})), "/request/headers"),
        (changed("request", json!({"url": url, "headers": [{"x-bank": "7"}]})), "/request/headers"),
        (changed("retry", json!([[1]])), "/retry"),
        (changed("retry", json!([[1], null, null, null])), "/retry"),
        (changed("retry", json!({"exponential": [1, 2.0, 60, 3, 0.0]})), "/retry"),
        (changed("retry", json!({"exponential": [1, 2.0, 60, 3]})), "/retry"),
    ] {
        refused_at(j.api.post("/v1/subscriptions", &body).await, place);
        refused_at(j.api.put(&its_own, &body).await, place);
    }
    let listed = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    assert_eq!(items_of(&listed).len(), 1, "none was made: {listed}");
    assert_eq!(listed["items"][0]["retry"], created["retry"], "nor was it changed");
}

#[tokio::test]
async fn an_array_in_place_of_a_test_or_key_request_is_422() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let test = format!("{}/test", subscription_path(&created));
    for array in [json!(["727"]), json!(["727", null, null]), json!(["727", PAYMENT, {}])] {
        j.api.post(&test, &array).await.expect_problem(422);
    }
    for array in [json!(["Ann", ["history:read"]]), json!(["Ann", ["history:read"], null])] {
        j.api.post("/v1/keys", &array).await.expect_problem(422);
    }
    assert!(j.api.rows("727", "").await.is_empty());
    let keys = j.api.get("/v1/keys").await.expect_status(200).json();
    assert_eq!(items_of(&keys).len(), 1, "the journey's own alone: {keys}");
}

#[tokio::test]
async fn a_header_named_twice_is_422() {
    let j = Journey::start().await;
    for headers in [
        r#"{"x-bank": "7", "x-bank": "8"}"#,
        r#"{"x-bank": "7", "x-bank": "7"}"#,
        r#"{"x-bank": "7", "x-other": "1", "x-bank": "8"}"#,
        r#"{"x-bank": "7", "X-Bank": "8"}"#,
    ] {
        let url = j.receiver.url("/hook");
        let body = format!(
            r#"{{"title": "Bank", "criteria": {{"events": ["*"]}}, "request": {{"url": "{url}", "headers": {headers}}}}}"#
        );
        refused_at(j.api.request("POST", "/v1/subscriptions").body(body).send().await, "/request/headers");
    }
    assert_eq!(j.api.get("/v1/subscriptions").await.expect_status(200).json()["items"], json!([]));
}
