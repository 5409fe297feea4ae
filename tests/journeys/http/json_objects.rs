//! Objects are objects: a list of the same values in the same order is something else, and is told so.

use serde_json::{Value, json};

use crate::harness::request_bodies::PAYMENT;
use crate::harness::{Answer, Journey, event, subscription, text};

/// Each error of the 422 is about this place, or one below it.
#[track_caller]
fn refused_at(answer: Answer, place: &str) {
    let problem = answer.problem(422);
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("validation lists errors: {problem}"));
    assert!(!errors.is_empty(), "{problem}");
    assert!(errors.iter().all(|error| text(&error["pointer"]).starts_with(place)), "{place}: {problem}");
}

#[tokio::test]
async fn an_event_that_is_an_array_of_its_values_is_422() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    for array in [json!([PAYMENT, "727", {}]), json!([PAYMENT, "727", {}, null]), json!([event("727")])] {
        j.api.post("/v1/events", &array).await.problem(422);
    }
    assert!(j.api.rows("727", "").await.is_empty());
}

#[tokio::test]
async fn an_array_in_the_place_of_an_event_of_a_batch_spoils_only_itself() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let events =
        json!([[PAYMENT, "700", {}], event("701"), [PAYMENT, "700", {}, null, "key"], [event("700")], []]);
    let answer = j.api.post("/v1/events/batch", &json!({"events": events})).await.is(200).json();
    let statuses: Vec<_> =
        answer["results"].as_array().expect("results").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [422, 202, 422, 422, 422], "{answer}");
    assert!(j.api.rows("700", "").await.is_empty());
}

#[tokio::test]
async fn a_batch_that_is_an_array_of_its_events_is_422() {
    let j = Journey::begin().await;
    for array in [json!([[event("727")]]), json!([event("727")])] {
        j.api.post("/v1/events/batch", &array).await.problem(422);
    }
}

#[tokio::test]
async fn an_array_in_the_place_of_an_object_of_a_subscription_is_422_and_says_where() {
    let j = Journey::begin().await;
    let url = j.receiver.url("/hook");
    let whole = subscription(&url, json!({}));
    let made = j.api.subscribe(&whole).await;
    let its_own = format!("/v1/subscriptions/{}", text(&made["id"]));
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
    let listed = j.api.get("/v1/subscriptions").await.is(200).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "none was made: {listed}");
    assert_eq!(listed["items"][0]["retry"], made["retry"], "nor was it changed");
}

#[tokio::test]
async fn a_sample_or_a_key_that_is_an_array_of_its_values_is_422() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({})).await;
    let test = format!("/v1/subscriptions/{}/test", text(&made["id"]));
    for array in [json!(["727"]), json!(["727", null, null]), json!(["727", PAYMENT, {}])] {
        j.api.post(&test, &array).await.problem(422);
    }
    for array in [json!(["Ann", ["history:read"]]), json!(["Ann", ["history:read"], null])] {
        j.api.post("/v1/keys", &array).await.problem(422);
    }
    assert!(j.api.rows("727", "").await.is_empty());
    let keys = j.api.get("/v1/keys").await.is(200).json();
    assert_eq!(keys["items"].as_array().map(Vec::len), Some(1), "the journey's own alone: {keys}");
}

#[tokio::test]
async fn a_header_that_is_named_twice_is_422() {
    let j = Journey::begin().await;
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
        refused_at(j.api.request("POST", "/v1/subscriptions").body(body).answer().await, "/request/headers");
    }
    assert_eq!(j.api.get("/v1/subscriptions").await.is(200).json()["items"], json!([]));
}
