//! Acceptance of an event: what a 202 says, and which subscriptions match.

use serde_json::json;

use crate::harness::{Journey, event, event_named, instant, text, trace_ids};

#[tokio::test]
async fn a_202_lists_the_deliveries_and_each_is_sent() {
    let j = Journey::start().await;
    let core = j.subscribe("/core", json!({"title": "Core banking"})).await;
    let crm = j.subscribe("/crm", json!({"title": "Borrower app"})).await;

    let accepted = j.api.post("/v1/events", &event("727")).await.expect_status(202).json();

    assert!(!text(&accepted["eventId"]).is_empty());
    let deliveries = accepted["deliveries"].as_array().expect("a list of deliveries");
    assert_eq!(deliveries.len(), 2);
    for (subscription, title, path) in [(&core, "Core banking", "/core"), (&crm, "Borrower app", "/crm")] {
        let delivery = deliveries.iter().find(|delivery| delivery["subscriptionId"] == subscription["id"]);
        let delivery = delivery.unwrap_or_else(|| panic!("{title} is among them: {accepted}"));
        assert_eq!(delivery["eventTitle"], title);
        let trace = text(&delivery["traceId"]);
        uuid::Uuid::parse_str(trace).expect("a trace ID is a UUID");
        let settled = j.api.ended_delivery(trace).await;
        assert_eq!(settled["status"], "succeeded");
        assert_eq!(settled["eventId"], accepted["eventId"]);
        assert_eq!(j.receiver.requests_of(trace)[0].path_and_query, path);
    }
}

#[tokio::test]
async fn an_event_without_a_match_is_202_with_an_empty_list() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"criteria": {"events": ["Payment Reversed"]}})).await;

    let accepted = j.api.post("/v1/events", &event("727")).await.expect_status(202).json();

    assert!(!text(&accepted["eventId"]).is_empty());
    assert_eq!(accepted["deliveries"], json!([]));
    assert!(j.api.rows("727", "").await.is_empty(), "nothing was attempted");
}

#[tokio::test]
async fn an_event_matches_by_exact_name_and_a_star_matches_every_event() {
    let j = Journey::start().await;
    let titles = [
        ("both", json!(["Payment Reversed", "Autopay Failed"])),
        ("one", json!(["Payment Reversed"])),
        ("other case", json!(["payment reversed"])),
        ("all", json!(["*"])),
    ];
    for (title, events) in titles {
        j.subscribe("/hook", json!({"title": title, "criteria": {"events": events}})).await;
    }
    for (name, wanted) in [
        ("Payment Reversed", vec!["all", "both", "one"]),
        ("Autopay Failed", vec!["all", "both"]),
        ("Something of this lender's own", vec!["all"]),
    ] {
        let accepted = j.api.post("/v1/events", &event_named(name, "727")).await.expect_status(202).json();
        let deliveries = accepted["deliveries"].as_array().expect("a list of deliveries");
        let mut matched: Vec<_> = deliveries.iter().map(|delivery| text(&delivery["eventTitle"])).collect();
        matched.sort_unstable();
        assert_eq!(matched, wanted, "for {name}");
    }
}

#[tokio::test]
async fn a_new_subscription_matches_the_next_event() {
    let j = Journey::start().await;
    for round in 0..5 {
        j.subscribe("/hook", json!({"title": format!("webhook {round}")})).await;
        assert_eq!(j.api.send_event(&event("727")).await.len(), round + 1);
    }
}

#[tokio::test]
async fn occurred_at_is_kept_with_the_delivery_and_its_rows() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let mut event = event("727");
    event["occurredAt"] = json!("2026-11-23T10:00:00Z");

    let delivery = j.api.ended_delivery(&j.api.send_one(&event).await).await;

    let occurred_at = instant(&event["occurredAt"]);
    assert_eq!(instant(&delivery["occurredAt"]), occurred_at);
    assert_eq!(instant(&delivery["attempts"][0]["occurredAt"]), occurred_at);
    assert_eq!(instant(&j.api.rows("727", "").await[0]["occurredAt"]), occurred_at);
}

#[tokio::test]
async fn each_loan_has_its_own_history_whatever_characters_its_id_has() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let loans = ["727", "loan 728", "Ärger-729", "a.b", "借款"];
    for loan in loans {
        j.api.ended_delivery(&j.api.send_one(&event(loan)).await).await;
    }
    for loan in loans {
        let path =
            percent_encoding::utf8_percent_encode(loan, percent_encoding::NON_ALPHANUMERIC).to_string();
        let rows = j.api.rows(&path, "").await;
        assert_eq!(rows.len(), 1, "for {loan}");
        assert_eq!(rows[0]["loanId"], loan);
        let source = j.api.get(text(&rows[0]["source"]["href"])).await.expect_status(200);
        assert_eq!(source.json()["context"]["loan-display-id"], loan, "its own links lead to it");
    }
}

#[tokio::test]
async fn a_disabled_subscription_matches_no_event() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"enabled": false})).await;
    assert!(j.api.send_event(&event("727")).await.is_empty());
}

#[tokio::test]
async fn equal_events_without_an_idempotency_key_are_two_events() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let first = j.api.post("/v1/events", &event("727")).await.expect_status(202).json();
    let second = j.api.post("/v1/events", &event("727")).await.expect_status(202).json();
    assert_ne!(first["eventId"], second["eventId"]);
    assert_ne!(trace_ids(&first), trace_ids(&second));
}

#[tokio::test]
async fn every_one_of_100_events_in_quick_succession_is_sent_once() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let mut traces = Vec::new();
    for _ in 0..100 {
        traces.push(j.api.send_one(&event("727")).await);
    }
    for trace in traces {
        assert_eq!(j.api.ended_delivery(&trace).await["status"], "succeeded");
        assert_eq!(j.receiver.requests_of(&trace).len(), 1);
    }
}

#[tokio::test]
async fn a_context_name_with_a_lone_surrogate_is_422_and_a_value_with_one_is_accepted() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"criteria": {"trigger": "(> d 30)", "fire": "every-match"}})).await;
    let body = |context: &str| format!(r#"{{"eventName": "Posted", "loanId": "727", "context": {context}}}"#);
    let wrong = body(r#"{"d": 40, "of": [{"k\ud800": 1}]}"#);
    for (path, sent) in [("/v1/events", wrong.clone()), ("/v1/formulas/evaluate", wrong_formula())] {
        let problem = j.api.request("POST", path).body(sent).send().await.expect_problem(422);
        assert_eq!(problem["errors"][0]["pointer"], r"/context/of/0/k\ud800", "{problem}");
        assert!(text(&problem["detail"]).contains("lone surrogate"), "{problem}");
    }
    let batch = format!(r#"{{"events": [{wrong}]}}"#);
    let answer = j.api.request("POST", "/v1/events/batch").body(batch).send().await.expect_status(200).json();
    assert_eq!(answer["results"][0]["status"], 422, "{answer}");

    let context = r#"{"d": 40, "odd": "\ud800", "pair\ud83d\ude00": 1}"#;
    let accepted =
        j.api.request("POST", "/v1/events").body(body(context)).send().await.expect_status(202).json();
    assert_eq!(trace_ids(&accepted).len(), 1, "it stops no formula that does not use it");
    let sent = j.receiver.next_request().await;
    assert_eq!(sent.body, format!(r#"{{"eventName":"Posted","context":{context}}}"#).into_bytes());
}

fn wrong_formula() -> String {
    r#"{"formula": "(> d 30)", "context": {"d": 40, "of": [{"k\ud800": 1}]}}"#.to_owned()
}
