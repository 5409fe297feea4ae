//! Idempotency keys: an event that is posted again with its key is the same event.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{
    Api, ApiResponse, Journey, attempts_of, event, subscription, subscription_path, trace_ids,
};

async fn post(api: &Api, key: &str, body: &str) -> ApiResponse {
    api.request("POST", "/v1/events").header("idempotency-key", key).body(body.to_owned()).send().await
}

#[tokio::test]
async fn the_same_key_and_body_return_the_same_trace_ids_and_send_nothing_twice() {
    let j = Journey::start().await;
    j.subscribe("/a", json!({})).await;
    j.subscribe("/b", json!({})).await;
    let body = event("727").to_string();

    let first = post(&j.api, "k", &body).await.expect_status(202).json();
    for trace in trace_ids(&first) {
        j.api.ended_delivery(&trace).await;
    }
    let second = post(&j.api, "k", &body).await.expect_status(202).json();

    assert_eq!(second, first);
    for trace in trace_ids(&first) {
        assert_eq!(attempts_of(&j.api.ended_delivery(&trace).await).len(), 1);
    }
    assert_eq!(j.api.rows("727", "").await.len(), 2);
    assert_eq!(j.receiver.requests().len(), 2);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_409() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let body = event("727").to_string();
    post(&j.api, "k", &body).await.expect_status(202);
    post(&j.api, "k", &event("728").to_string()).await.expect_problem(409);
    let same_meaning = body.replace(':', ": ");
    assert_ne!(same_meaning, body);
    post(&j.api, "k", &same_meaning).await.expect_problem(409);
    assert!(j.api.rows("728", "").await.is_empty());
}

#[tokio::test]
async fn an_idempotency_key_of_one_tenant_means_nothing_to_another() {
    let j = Journey::start().await;
    let stranger = j.other_tenant().await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.expect_status(202).json();
    let other = post(&stranger, "k", &event("728").to_string()).await.expect_status(202).json();
    assert_ne!(first["eventId"], other["eventId"]);
}

#[tokio::test]
async fn an_idempotency_key_is_shared_by_all_api_keys_of_a_tenant() {
    let j = Journey::start().await;
    let colleague = j.api.with_new_key("another loader", &["events:write"]).await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.expect_status(202).json();
    assert_eq!(post(&colleague, "k", &body).await.expect_status(202).json(), first);
}

#[tokio::test]
async fn a_replay_returns_the_first_answer_after_subscriptions_were_edited_deleted_or_added() {
    let j = Journey::start().await;
    let kept = j.subscribe("/kept", json!({"title": "Kept"})).await;
    let gone = j.subscribe("/gone", json!({"title": "Gone"})).await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.expect_status(202).json();
    assert_eq!(trace_ids(&first).len(), 2);

    let renamed = subscription(
        &j.receiver.url("/moved"),
        json!({"title": "Renamed", "criteria": {"events": ["Never"]}}),
    );
    j.api.put(&subscription_path(&kept), &renamed).await.expect_status(200);
    j.api.delete(&subscription_path(&gone)).await.expect_status(204);
    j.subscribe("/new", json!({"title": "New"})).await;

    assert_eq!(post(&j.api, "k", &body).await.expect_status(202).json(), first);
    for trace in trace_ids(&first) {
        j.api.ended_delivery(&trace).await;
    }
    assert_eq!(j.api.rows("727", "").await.len(), 2);
    assert!(
        j.receiver
            .requests()
            .iter()
            .all(|request| ["/kept", "/gone"].contains(&request.path_and_query.as_str()))
    );
}

#[tokio::test]
async fn the_key_of_an_event_without_a_match_is_remembered() {
    let j = Journey::start().await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.expect_status(202).json();
    j.subscribe("/hook", json!({})).await;
    let second = post(&j.api, "k", &body).await.expect_status(202).json();
    assert_eq!(second, first);
    assert_eq!(second["deliveries"], json!([]));
}

#[tokio::test]
async fn concurrent_posts_with_one_key_make_one_event() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    for round in 0..5 {
        let (loan, key) = (format!("loan-{round}"), format!("key-{round}"));
        let body = event(&loan).to_string();
        let answers: Vec<Value> = join_all((0..20).map(|_| post(&j.api, &key, &body)))
            .await
            .into_iter()
            .map(|answer| answer.expect_status(202).json())
            .collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        let trace = &trace_ids(&answers[0])[0];
        j.api.ended_delivery(trace).await;
        assert_eq!(j.api.rows(&loan, "").await.len(), 1);
        assert_eq!(j.receiver.requests_of(trace).len(), 1);
    }
}

#[tokio::test]
async fn concurrent_posts_of_two_bodies_with_one_key_accept_one_body() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let bodies = [event("727").to_string(), event("728").to_string()];
    let answers = join_all((0..20).map(|n| post(&j.api, "k", &bodies[n % 2]))).await;
    let mut accepted: Vec<Value> =
        answers.iter().filter(|one| one.status == 202).map(ApiResponse::json).collect();
    assert!(answers.iter().all(|one| one.status == 202 || one.status == 409), "{answers:#?}");
    assert_eq!(accepted.len(), 10);
    accepted.dedup();
    assert_eq!(accepted.len(), 1);
}

#[tokio::test]
async fn the_key_of_a_refused_event_can_be_used_again() {
    let j = Journey::start().await;
    post(&j.api, "k", "{\"eventName\": 7}").await.expect_problem(422);
    post(&j.api, "k", "no json").await.expect_problem(400);
    post(&j.api, "k", &event("727").to_string()).await.expect_status(202);
}
