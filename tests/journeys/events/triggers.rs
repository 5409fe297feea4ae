//! Triggers and restrictions: which events of a loan send a webhook.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Api, Journey, Reply, event_named, results_of, subscription_path, text};

fn past_due(loan: &str, days: u32) -> Value {
    let mut event = event_named("Days Past Due Changed", loan);
    event["context"] = json!({"status-days-past-due": days, "loan-status": "Open"});
    event
}

/// Sends events of a loan one after the other, and returns the number of deliveries of each.
async fn deliveries_of(api: &Api, loan: &str, days: &[u32]) -> Vec<usize> {
    let mut sent = Vec::new();
    for days in days {
        sent.push(api.send_event(&past_due(loan, *days)).await.len());
    }
    sent
}

#[tokio::test]
async fn an_on_change_trigger_fires_on_each_rising_edge() {
    let j = Journey::start().await;
    let created = j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    assert_eq!(created["criteria"], json!({"trigger": "(> status-days-past-due 30)", "fire": "on-change"}));

    assert_eq!(deliveries_of(&j.api, "727", &[0, 31, 45, 30, 31]).await, [0, 1, 0, 0, 1]);
    for days in [31, 31] {
        let request = j.receiver.next_request().await;
        assert_eq!(request.json()["context"]["status-days-past-due"], days);
    }
    // Trigger state is kept for each loan.
    assert_eq!(deliveries_of(&j.api, "728", &[90, 91]).await, [1, 0]);
    assert_eq!(j.receiver.next_request().await.json()["context"]["status-days-past-due"], 90);
    assert_eq!(j.api.rows("727", "").await.len(), 2);
}

#[tokio::test]
async fn an_every_match_trigger_fires_each_time_it_is_true() {
    let j = Journey::start().await;
    let criteria = json!({"trigger": "(> status-days-past-due 30)", "fire": "every-match"});
    j.subscribe("/late", json!({"criteria": criteria})).await;
    assert_eq!(deliveries_of(&j.api, "727", &[0, 31, 45, 30, 31]).await, [0, 1, 1, 0, 1]);
}

#[tokio::test]
async fn concurrent_events_with_one_rising_edge_fire_once() {
    let j = Journey::start().await;
    j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    for round in 0..3 {
        let events = vec![past_due("727", 31); 10];
        let answers = join_all(events.iter().map(|event| j.api.send_event(event))).await;
        let traces: Vec<_> = answers.into_iter().flatten().collect();
        let [trace] = traces.as_slice() else { panic!("round {round}: {traces:?}") };
        assert_eq!(j.receiver.next_request().await.trace_id(), trace);
        assert_eq!(deliveries_of(&j.api, "727", &[0]).await, [0]);
    }
    let batch: Vec<_> = (0..10).map(|_| past_due("728", 31)).collect();
    let results = j.api.post("/v1/events/batch", &json!({"events": batch})).await.expect_status(200).json();
    let results = results_of(&results);
    let sent: usize = results.iter().map(|result| result["deliveries"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn triggers_evaluate_the_events_of_a_batch_in_order() {
    let j = Journey::start().await;
    j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    // 0, 31, 0, 31 …: every second event is a rising edge, if they are evaluated in order.
    // As many as an emulator of AWS takes in well before a batch runs out of time.
    let events: Vec<_> = (0..30).map(|n| past_due("727", if n % 2 == 0 { 0 } else { 31 })).collect();
    let results = j.api.post("/v1/events/batch", &json!({"events": events})).await.expect_status(200).json();
    for (n, result) in results_of(&results).iter().enumerate() {
        assert_eq!(result["deliveries"].as_array().map(Vec::len), Some(n % 2), "event {n}");
    }
}

#[tokio::test]
async fn a_restriction_that_is_false_sends_nothing_and_uses_up_the_rising_edge() {
    let j = Journey::start().await;
    let restriction = "(= loan-status \"Open\")";
    j.subscribe("/named", json!({"restriction": restriction})).await;
    j.subscribe(
        "/late",
        json!({"criteria": {"trigger": "(> status-days-past-due 30)"}, "restriction": restriction}),
    )
    .await;
    let mut closed = past_due("727", 31);
    closed["context"]["loan-status"] = "Closed".into();
    assert!(j.api.send_event(&closed).await.is_empty());
    assert_eq!(deliveries_of(&j.api, "727", &[31, 0, 31]).await, [1, 1, 2]);
}

#[tokio::test]
async fn changing_a_trigger_resets_its_state_and_disabling_it_freezes_the_state() {
    let j = Journey::start().await;
    let created = j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    let path = subscription_path(&created);
    let put = async |changes: Value| {
        j.api
            .put(&path, &crate::harness::subscription(&j.receiver.url("/late"), changes))
            .await
            .expect_status(200);
    };
    let same = json!({"trigger": "(> status-days-past-due 30)"});
    assert_eq!(deliveries_of(&j.api, "727", &[31]).await, [1]);
    put(json!({"criteria": same, "title": "Renamed"})).await;
    assert_eq!(deliveries_of(&j.api, "727", &[31]).await, [0]);
    put(json!({"criteria": same, "enabled": false})).await;
    assert_eq!(deliveries_of(&j.api, "727", &[0]).await, [0]);
    put(json!({"criteria": same})).await;
    assert_eq!(deliveries_of(&j.api, "727", &[31]).await, [0], "nobody saw it fall");
    put(json!({"criteria": {"trigger": "(>= status-days-past-due 31)"}})).await;
    assert_eq!(deliveries_of(&j.api, "727", &[31]).await, [1]);
}

#[tokio::test]
async fn a_replayed_event_fires_no_trigger_again() {
    let j = Journey::start().await;
    j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    let send = async |event: &Value| {
        let asked = j.api.request("POST", "/v1/events").header("idempotency-key", "a").json(event);
        asked.send().await.expect_status(202).json()
    };
    let first = send(&past_due("727", 31)).await;
    assert_eq!(first["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!(deliveries_of(&j.api, "727", &[0]).await, [0]);
    assert_eq!(send(&past_due("727", 31)).await, first);
    assert_eq!(deliveries_of(&j.api, "727", &[31]).await, [1], "the repeat raised nothing");
    for _ in 0..2 {
        j.receiver.next_request().await;
    }
    assert_eq!(j.api.rows("727", "").await.len(), 2);
}

#[tokio::test]
async fn a_formula_error_is_shown_in_the_subscription() {
    let j = Journey::start().await;
    let trigger = "(and true\n     (> status-days-past-due limit))";
    let created = j.subscribe("/late", json!({"criteria": {"trigger": trigger}})).await;
    let path = subscription_path(&created);
    assert_eq!(j.api.get(&path).await.expect_status(200).json()["formulaErrors"], Value::Null);

    assert_eq!(deliveries_of(&j.api, "727", &[31, 32]).await, [0, 0]);
    let errors = j.api.get(&path).await.expect_status(200).json()["formulaErrors"].clone();
    assert_eq!(errors["count"], 2);
    let last = &errors["last"];
    for (field, value) in [
        ("formula", json!("trigger")),
        ("loanId", json!("727")),
        ("version", json!(1)),
        ("line", json!(2)),
        ("column", json!(6)),
    ] {
        assert_eq!(last[field], value, "{field}");
    }
    assert_eq!(last["detail"], "a number is needed here, and this is nil");
    assert!(!text(&last["at"]).is_empty());
    // A PUT of what was read changes nothing.
    let mut shown = j.api.get(&path).await.expect_status(200).json();
    shown["request"].as_object_mut().expect("an object").remove("headers");
    j.api.put(&path, &shown).await.expect_status(200);
    assert_eq!(j.api.get(&path).await.expect_status(200).json()["formulaErrors"]["count"], 2);
}

#[tokio::test]
async fn an_invalid_formula_is_422_with_line_and_column() {
    let j = Journey::start().await;
    let url = j.receiver.url("/hook");
    for (changes, pointer, kind, line, column) in [
        (json!({"criteria": {"trigger": "(> a"}}), "/criteria/trigger", "invalid", 1, 1),
        (
            json!({"criteria": {"trigger": "(and true\n (contians? b 1))"}}),
            "/criteria/trigger",
            "invalid",
            2,
            2,
        ),
        (json!({"restriction": "(swap! a inc)"}), "/restriction", "formula-unsupported", 1, 1),
        (json!({"restriction": "(.length a)"}), "/restriction", "formula-unsupported", 1, 1),
    ] {
        let body = crate::harness::subscription(&url, changes.clone());
        let problem = j.api.post("/v1/subscriptions", &body).await.expect_problem(422);
        assert!(text(&problem["type"]).ends_with(&format!("/{kind}")), "{problem}");
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["line"], &error["column"]),
            (&json!(pointer), &json!(line), &json!(column)),
            "{problem}"
        );
    }
    let misspelt = json!({"criteria": {"trigger": "(contians? b 1)"}});
    let problem = j
        .api
        .post("/v1/subscriptions", &crate::harness::subscription(&url, misspelt))
        .await
        .expect_problem(422);
    assert!(text(&problem["detail"]).contains("did you mean `contains?`"), "{problem}");
}

#[tokio::test]
async fn rising_edges_of_40_subscriptions_fire_together() {
    let j = Journey::start().await;
    j.receiver.always("/late", Reply::status(200));
    for n in 0..40 {
        let criteria = json!({"trigger": format!("(> status-days-past-due {n})")});
        j.subscribe("/late", json!({"title": format!("After {n}"), "criteria": criteria})).await;
    }
    assert_eq!(deliveries_of(&j.api, "727", &[20, 10, 40]).await, [20, 0, 30]);
    for _ in 0..50 {
        j.receiver.next_request().await;
    }
}
