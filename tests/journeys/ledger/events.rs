//! Events of a loan: each that was accepted is listed, and its context is kept as it came.

use std::time::SystemTime;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{accepted, event_ids, event_of, events};
use crate::harness::{Journey, event, event_named, instant, items_of, subscription_path, text, utc};

#[tokio::test]
async fn an_event_that_nothing_matches_is_listed_with_every_field() {
    let j = Journey::start().await;
    let body = r#"{"eventName": "Zahlung über 5 %", "loanId": "Kredit 7 ü", "occurredAt": "2026-11-23T11:00:00+01:00",
        "context": { "last-payment-amount": 250.00, "b": {"z": 1e2, "a": []} }}"#;
    let accepted = j.api.request("POST", "/v1/events").body(body).send().await.expect_status(202).json();
    assert_eq!(accepted["deliveries"], json!([]));

    let listed = events(&j.api, "Kredit%207%20%C3%BC", "").await;
    let id = text(&accepted["eventId"]);
    assert_eq!(listed, [event_of(&j.api, id).await]);
    let context = r#"{ "last-payment-amount": 250.00, "b": {"z": 1e2, "a": []} }"#;
    let href = format!("/v1/events/{id}/context");
    assert_eq!(
        listed[0],
        json!({"eventId": id, "loanId": "Kredit 7 ü", "eventName": "Zahlung über 5 %",
            "occurredAt": "2026-11-23T11:00:00+01:00", "acceptedAt": listed[0]["acceptedAt"], "test": false,
            "context": {"bytes": context.len(), "href": href}, "verdicts": []})
    );
    assert!((utc(SystemTime::now()) - instant(&listed[0]["acceptedAt"])).num_hours() < 1);

    let download = j.api.get(&href).await.expect_status(200);
    assert_eq!(String::from_utf8_lossy(&download.body), context, "the bytes as they came");
    assert_eq!(download.header("content-disposition"), format!("attachment; filename=\"context-{id}.json\""));
    assert_eq!(download.header("content-type"), "application/json");
    assert_eq!(download.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_context_is_kept_as_it_came_whatever_is_sent_of_it() {
    let j = Journey::start().await;
    j.subscribe("/whole", json!({})).await;
    j.subscribe("/part", json!({"request": {"payload": "{\"days\": [[v('status-days-past-due')]]}"}})).await;
    let id = accepted(&j.api, &event("727")).await;
    let context = j.api.get(&format!("/v1/events/{id}/context")).await.expect_status(200);
    assert_eq!(context.json(), event("727")["context"]);
}

#[tokio::test]
async fn events_of_a_loan_are_listed_newest_first_page_by_page() {
    let j = Journey::start().await;
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.insert(0, accepted(&j.api, &event("727")).await);
        accepted(&j.api, &event("728")).await;
    }
    assert_eq!(event_ids(&events(&j.api, "727", "").await), sent);
    let (mut passed, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = j.api.get(&format!("/v1/loans/727/events{query}")).await.expect_status(200).json();
        passed.extend(items_of(&page).iter().map(|event| text(&event["eventId"]).to_owned()));
        // What comes meanwhile is newer than every later page.
        accepted(&j.api, &event("727")).await;
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&cursor={next}");
    }
    assert_eq!(passed, sent);
    assert_eq!(events(&j.api, "729", "").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_repeated_call_adds_no_event() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let post = async || {
        let posted = j.api.request("POST", "/v1/events").header("idempotency-key", "k").json(&event("727"));
        posted.send().await.expect_status(202).json()
    };
    let first = post().await;
    j.api.ended_delivery(text(&first["deliveries"][0]["traceId"])).await;
    let before = events(&j.api, "727", "").await;
    j.subscribe("/new", json!({})).await;
    assert_eq!(post().await, first);
    assert_eq!(events(&j.api, "727", "").await, before);
    assert_eq!(event_ids(&before), [text(&first["eventId"])]);
}

#[tokio::test]
async fn each_event_of_a_batch_that_was_accepted_is_listed() {
    let j = Journey::start().await;
    let batch = json!({"events": [event_named("A", "727"), event_named("", "727"), event_named("B", "727")]});
    j.api.post("/v1/events/batch", &batch).await.expect_status(200);
    let mut names: Vec<_> =
        events(&j.api, "727", "").await.iter().map(|event| text(&event["eventName"]).to_owned()).collect();
    names.sort();
    assert_eq!(names, ["A", "B"]);
}

#[tokio::test]
async fn a_test_is_marked_and_decided_by_its_subscription_alone() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"enabled": false})).await;
    j.subscribe("/other", json!({})).await;
    let test = format!("{}/test", subscription_path(&created));
    let accepted = j.api.post(&test, &json!({"loanId": "727"})).await.expect_status(202).json();
    let event = event_of(&j.api, text(&accepted["eventId"])).await;
    assert_eq!((&event["test"], &event["eventName"]), (&json!(true), &json!("Test")));
    let verdicts = event["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0]["traceId"], accepted["deliveries"][0]["traceId"]);
}

#[tokio::test]
async fn what_does_not_exist_is_404() {
    let j = Journey::start().await;
    let unknown = [Uuid::now_v7().to_string(), "x".to_owned()];
    for id in unknown {
        for below in ["", "/context", "/explain?subscriptionId=01234567-89ab-7def-8123-456789abcdef"] {
            j.api.get(&format!("/v1/events/{id}{below}")).await.expect_problem(404);
        }
    }
    let reader = j.api.with_new_key("sender", &["events:write"]).await;
    let id = accepted(&j.api, &event("727")).await;
    for path in
        ["/v1/loans/727/events".to_owned(), format!("/v1/events/{id}"), format!("/v1/events/{id}/context")]
    {
        reader.get(&path).await.expect_problem(403);
        j.api.with_key(None).get(&path).await.expect_problem(401);
    }
}
