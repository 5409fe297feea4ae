//! Triggers and restrictions: which events of a loan send a webhook.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::request_bodies::named;
use crate::harness::{Api, Journey, Reply, text};

fn past_due(loan: &str, days: u32) -> Value {
    let mut event = named("Days Past Due Changed", loan);
    event["context"] = json!({"status-days-past-due": days, "loan-status": "Open"});
    event
}

/// Sends events of a loan one after the other, and says how many webhooks each was promised.
async fn sent(api: &Api, loan: &str, days: &[u32]) -> Vec<usize> {
    let mut sent = Vec::new();
    for days in days {
        sent.push(api.send(&past_due(loan, *days)).await.len());
    }
    sent
}

#[tokio::test]
async fn a_trigger_that_goes_true_stays_true_goes_false_and_true_again_sends_twice() {
    let j = Journey::begin().await;
    let made = j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    assert_eq!(made["criteria"], json!({"trigger": "(> status-days-past-due 30)", "fire": "on-change"}));

    assert_eq!(sent(&j.api, "727", &[0, 31, 45, 30, 31]).await, [0, 1, 0, 0, 1]);
    for days in [31, 31] {
        let request = j.receiver.next().await;
        assert_eq!(request.json()["context"]["status-days-past-due"], days);
    }
    // Another loan is another memory.
    assert_eq!(sent(&j.api, "728", &[90, 91]).await, [1, 0]);
    assert_eq!(j.receiver.next().await.json()["context"]["status-days-past-due"], 90);
    assert_eq!(j.api.rows("727", "").await.len(), 2);
}

#[tokio::test]
async fn every_match_sends_each_time() {
    let j = Journey::begin().await;
    let criteria = json!({"trigger": "(> status-days-past-due 30)", "fire": "every-match"});
    j.subscribe("/late", json!({"criteria": criteria})).await;
    assert_eq!(sent(&j.api, "727", &[0, 31, 45, 30, 31]).await, [0, 1, 1, 0, 1]);
}

#[tokio::test]
async fn of_events_at_once_one_sends() {
    let j = Journey::begin().await;
    j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    for round in 0..3 {
        let events = vec![past_due("727", 31); 10];
        let answers = join_all(events.iter().map(|event| j.api.send(event))).await;
        let traces: Vec<_> = answers.into_iter().flatten().collect();
        let [trace] = traces.as_slice() else { panic!("round {round}: {traces:?}") };
        assert_eq!(j.receiver.next().await.trace(), trace);
        assert_eq!(sent(&j.api, "727", &[0]).await, [0]);
    }
    let batch: Vec<_> = (0..10).map(|_| past_due("728", 31)).collect();
    let results = j.api.post("/v1/events/batch", &json!({"events": batch})).await.is(200).json();
    let results = results["results"].as_array().expect("results");
    let sent: usize = results.iter().map(|result| result["deliveries"].as_array().map_or(0, Vec::len)).sum();
    assert_eq!(sent, 1);
}

#[tokio::test]
async fn the_events_of_a_batch_are_taken_in_their_order() {
    let j = Journey::begin().await;
    j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    // 0, 31, 0, 31 …: each second one is a rise, if none overtakes another.
    let events: Vec<_> = (0..60).map(|n| past_due("727", if n % 2 == 0 { 0 } else { 31 })).collect();
    let results = j.api.post("/v1/events/batch", &json!({"events": events})).await.is(200).json();
    for (n, result) in results["results"].as_array().expect("results").iter().enumerate() {
        assert_eq!(result["deliveries"].as_array().map(Vec::len), Some(n % 2), "event {n}");
    }
}

#[tokio::test]
async fn a_restriction_holds_and_a_rise_that_it_forbids_is_consumed() {
    let j = Journey::begin().await;
    let restriction = "(= loan-status \"Open\")";
    j.subscribe("/named", json!({"restriction": restriction})).await;
    j.subscribe(
        "/late",
        json!({"criteria": {"trigger": "(> status-days-past-due 30)"}, "restriction": restriction}),
    )
    .await;
    let mut closed = past_due("727", 31);
    closed["context"]["loan-status"] = "Closed".into();
    assert!(j.api.send(&closed).await.is_empty());
    assert_eq!(sent(&j.api, "727", &[31, 0, 31]).await, [1, 1, 2]);
}

#[tokio::test]
async fn a_changed_trigger_forgets_and_a_disabled_one_is_frozen() {
    let j = Journey::begin().await;
    let made = j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    let path = format!("/v1/subscriptions/{}", text(&made["id"]));
    let put = async |changes: Value| {
        j.api.put(&path, &crate::harness::subscription(&j.receiver.url("/late"), changes)).await.is(200);
    };
    let same = json!({"trigger": "(> status-days-past-due 30)"});
    assert_eq!(sent(&j.api, "727", &[31]).await, [1]);
    put(json!({"criteria": same, "title": "Renamed"})).await;
    assert_eq!(sent(&j.api, "727", &[31]).await, [0]);
    put(json!({"criteria": same, "enabled": false})).await;
    assert_eq!(sent(&j.api, "727", &[0]).await, [0]);
    put(json!({"criteria": same})).await;
    assert_eq!(sent(&j.api, "727", &[31]).await, [0], "nobody saw it fall");
    put(json!({"criteria": {"trigger": "(>= status-days-past-due 31)"}})).await;
    assert_eq!(sent(&j.api, "727", &[31]).await, [1]);
}

#[tokio::test]
async fn an_event_repeated_under_its_key_promises_the_same_and_sends_nothing() {
    let j = Journey::begin().await;
    j.subscribe("/late", json!({"criteria": {"trigger": "(> status-days-past-due 30)"}})).await;
    let send = async |event: &Value| {
        let asked = j.api.request("POST", "/v1/events").header("idempotency-key", "a").json(event);
        asked.answer().await.is(202).json()
    };
    let first = send(&past_due("727", 31)).await;
    assert_eq!(first["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!(sent(&j.api, "727", &[0]).await, [0]);
    assert_eq!(send(&past_due("727", 31)).await, first);
    assert_eq!(sent(&j.api, "727", &[31]).await, [1], "the repeat raised nothing");
    for _ in 0..2 {
        j.receiver.next().await;
    }
    assert_eq!(j.api.rows("727", "").await.len(), 2);
}

#[tokio::test]
async fn a_formula_that_fails_on_an_event_is_told_where_the_subscription_is() {
    let j = Journey::begin().await;
    let trigger = "(and true\n     (> status-days-past-due limit))";
    let made = j.subscribe("/late", json!({"criteria": {"trigger": trigger}})).await;
    let path = format!("/v1/subscriptions/{}", text(&made["id"]));
    assert_eq!(j.api.get(&path).await.is(200).json()["formulaErrors"], Value::Null);

    assert_eq!(sent(&j.api, "727", &[31, 32]).await, [0, 0]);
    let errors = j.api.get(&path).await.is(200).json()["formulaErrors"].clone();
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
    // What reads show may come back in a PUT, and changes nothing.
    let mut shown = j.api.get(&path).await.is(200).json();
    shown["request"].as_object_mut().expect("an object").remove("headers");
    j.api.put(&path, &shown).await.is(200);
    assert_eq!(j.api.get(&path).await.is(200).json()["formulaErrors"]["count"], 2);
}

#[tokio::test]
async fn a_formula_that_is_wrong_is_422_with_its_line_and_column() {
    let j = Journey::begin().await;
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
        let problem = j.api.post("/v1/subscriptions", &body).await.problem(422);
        assert!(text(&problem["type"]).ends_with(&format!("/{kind}")), "{problem}");
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["pointer"], &error["line"], &error["column"]),
            (&json!(pointer), &json!(line), &json!(column)),
            "{problem}"
        );
    }
    let misspelt = json!({"criteria": {"trigger": "(contians? b 1)"}});
    let problem =
        j.api.post("/v1/subscriptions", &crate::harness::subscription(&url, misspelt)).await.problem(422);
    assert!(text(&problem["detail"]).contains("did you mean `contains?`"), "{problem}");
}

#[tokio::test]
async fn triggers_of_many_subscriptions_rise_together() {
    let j = Journey::begin().await;
    j.receiver.always("/late", Reply::status(200));
    for n in 0..40 {
        let criteria = json!({"trigger": format!("(> status-days-past-due {n})")});
        j.subscribe("/late", json!({"title": format!("After {n}"), "criteria": criteria})).await;
    }
    assert_eq!(sent(&j.api, "727", &[20, 10, 40]).await, [20, 0, 30]);
    for _ in 0..50 {
        j.receiver.next().await;
    }
}
