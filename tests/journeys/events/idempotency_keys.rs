//! A key makes an event one event, however often it is posted.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::api::{Api, traces};
use crate::harness::{Answer, Journey, event, subscription, text};

async fn post(api: &Api, key: &str, body: &str) -> Answer {
    api.request("POST", "/v1/events").header("idempotency-key", key).body(body.to_owned()).answer().await
}

#[tokio::test]
async fn the_same_key_and_body_return_the_same_trace_ids_and_send_nothing_twice() {
    let j = Journey::begin().await;
    j.subscribe("/a", json!({})).await;
    j.subscribe("/b", json!({})).await;
    let body = event("727").to_string();

    let first = post(&j.api, "k", &body).await.is(202).json();
    for trace in traces(&first) {
        j.api.settled(&trace).await;
    }
    let second = post(&j.api, "k", &body).await.is(202).json();

    assert_eq!(second, first);
    for trace in traces(&first) {
        assert_eq!(j.api.settled(&trace).await["attempts"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(j.api.rows("727", "").await.len(), 2);
    assert_eq!(j.receiver.seen().len(), 2);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_409() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let body = event("727").to_string();
    post(&j.api, "k", &body).await.is(202);
    post(&j.api, "k", &event("728").to_string()).await.problem(409);
    let same_meaning = body.replace(':', ": ");
    assert_ne!(same_meaning, body);
    post(&j.api, "k", &same_meaning).await.problem(409);
    assert!(j.api.rows("728", "").await.is_empty());
}

#[tokio::test]
async fn a_key_belongs_to_its_tenant() {
    let j = Journey::begin().await;
    let stranger = j.stranger().await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.is(202).json();
    let other = post(&stranger, "k", &event("728").to_string()).await.is(202).json();
    assert_ne!(first["eventId"], other["eventId"]);
}

#[tokio::test]
async fn a_key_is_the_tenants_and_not_the_callers() {
    let j = Journey::begin().await;
    let colleague = j.api.colleague("another loader", &["events:write"]).await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.is(202).json();
    assert_eq!(post(&colleague, "k", &body).await.is(202).json(), first);
}

#[tokio::test]
async fn a_replay_answers_as_at_first_whatever_was_edited_since() {
    let j = Journey::begin().await;
    let kept = j.subscribe("/kept", json!({"title": "Kept"})).await;
    let gone = j.subscribe("/gone", json!({"title": "Gone"})).await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.is(202).json();
    assert_eq!(traces(&first).len(), 2);

    let renamed = subscription(
        &j.receiver.url("/moved"),
        json!({"title": "Renamed", "criteria": {"events": ["Never"]}}),
    );
    j.api.put(&format!("/v1/subscriptions/{}", text(&kept["id"])), &renamed).await.is(200);
    j.api.delete(&format!("/v1/subscriptions/{}", text(&gone["id"]))).await.is(204);
    j.subscribe("/new", json!({"title": "New"})).await;

    assert_eq!(post(&j.api, "k", &body).await.is(202).json(), first);
    for trace in traces(&first) {
        j.api.settled(&trace).await;
    }
    assert_eq!(j.api.rows("727", "").await.len(), 2);
    assert!(j.receiver.seen().iter().all(|request| ["/kept", "/gone"].contains(&request.target.as_str())));
}

#[tokio::test]
async fn an_event_without_a_match_is_remembered_too() {
    let j = Journey::begin().await;
    let body = event("727").to_string();
    let first = post(&j.api, "k", &body).await.is(202).json();
    j.subscribe("/hook", json!({})).await;
    let second = post(&j.api, "k", &body).await.is(202).json();
    assert_eq!(second, first);
    assert_eq!(second["deliveries"], json!([]));
}

#[tokio::test]
async fn concurrent_posts_with_one_key_make_one_event() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    for round in 0..5 {
        let (loan, key) = (format!("loan-{round}"), format!("key-{round}"));
        let body = event(&loan).to_string();
        let answers: Vec<Value> = join_all((0..20).map(|_| post(&j.api, &key, &body)))
            .await
            .into_iter()
            .map(|answer| answer.is(202).json())
            .collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        let trace = &traces(&answers[0])[0];
        j.api.settled(trace).await;
        assert_eq!(j.api.rows(&loan, "").await.len(), 1);
        assert_eq!(j.receiver.seen_of(trace).len(), 1);
    }
}

#[tokio::test]
async fn concurrent_posts_of_two_bodies_with_one_key_accept_one_of_them() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let bodies = [event("727").to_string(), event("728").to_string()];
    let answers = join_all((0..20).map(|n| post(&j.api, "k", &bodies[n % 2]))).await;
    let mut accepted: Vec<Value> = answers.iter().filter(|one| one.status == 202).map(Answer::json).collect();
    assert!(answers.iter().all(|one| one.status == 202 || one.status == 409), "{answers:#?}");
    assert_eq!(accepted.len(), 10);
    accepted.dedup();
    assert_eq!(accepted.len(), 1);
}

#[tokio::test]
async fn a_refused_event_leaves_its_key_free() {
    let j = Journey::begin().await;
    post(&j.api, "k", "{\"eventName\": 7}").await.problem(422);
    post(&j.api, "k", "no json").await.problem(400);
    post(&j.api, "k", &event("727").to_string()).await.is(202);
}
