//! Criteria that name operational events, restrictions, and test sends.

use serde_json::{Value, json};

use super::{ALL, observer, send, told_names};
use crate::harness::{Journey, event, subscription, subscription_path, text};

fn settings(j: &Journey, criteria: &Value) -> Value {
    subscription(&j.receiver.url("/ops"), json!({"criteria": criteria}))
}

#[tokio::test]
async fn criteria_that_are_wrong_are_refused_with_the_names_that_there_are() {
    let j = Journey::start().await;
    for (criteria, pointer, said) in [
        (json!({"operational": []}), "/criteria/operational", "subscription.failing"),
        (json!({"operational": ["subscription.failed"]}), "/criteria/operational/0", "subscription.failing"),
        (json!({"operational": ["*"]}), "/criteria/operational/0", "job.finished"),
        (json!({"operational": ALL, "events": ["*"]}), "/criteria/operational", "without events"),
        (json!({"operational": ALL, "trigger": "true"}), "/criteria/operational", "without events"),
    ] {
        let refused = j.api.post("/v1/subscriptions", &settings(&j, &criteria)).await.expect_problem(422);
        let error = &refused["errors"][0];
        assert_eq!(error["pointer"], pointer, "{criteria}: {refused}");
        assert!(text(&error["detail"]).contains(said), "{criteria}: {refused}");
    }
    let mut ordered = settings(&j, &json!({"operational": ALL}));
    ordered["flow"] = json!({"order": "loan"});
    let refused = j.api.post("/v1/subscriptions", &ordered).await.expect_problem(422);
    assert_eq!(refused["errors"][0]["pointer"], "/flow/order", "{refused}");
}

#[tokio::test]
async fn criteria_are_read_as_they_were_set_and_can_be_changed() {
    let j = Journey::start().await;
    let criteria = json!({"operational": ["job.finished", "subscription.held"]});
    let created = j.api.subscribe(&settings(&j, &criteria)).await;
    let path = subscription_path(&created);
    assert_eq!(j.api.get(&path).await.expect_status(200).json()["criteria"], criteria);
    let to_events = json!({"criteria": {"operational": null, "events": ["*"]}});
    let changed = j.api.patch(&path, &to_events).await.expect_status(200).json();
    assert_eq!(changed["criteria"], json!({"events": ["*"]}));
    let back = json!({"criteria": {"operational": ["job.finished"], "events": null}});
    let changed = j.api.patch(&path, &back).await.expect_status(200).json();
    assert_eq!(changed["criteria"], json!({"operational": ["job.finished"]}));
}

#[tokio::test]
async fn event_types_list_operational_events_with_their_variables() {
    let j = Journey::start().await;
    let types = j.api.get("/v1/event-types").await.expect_status(200).json();
    let operational = types["operational"].as_array().expect("a list");
    let names: Vec<_> = operational.iter().map(|event| text(&event["eventName"])).collect();
    assert_eq!(names, ALL);
    assert_eq!(
        operational[1]["variables"],
        json!(["event-name", "subscription-id", "title", "occurred-at", "by", "since"])
    );
    let of_loans = types["items"].as_array().expect("a list");
    assert!(of_loans.iter().all(|event| !ALL.contains(&text(&event["eventName"]))));
}

#[tokio::test]
async fn a_restriction_sees_the_facts() {
    let j = Journey::start().await;
    let settings = json!({
        "title": "Core banking only",
        "criteria": {"operational": ["subscription.failing"]},
        "restriction": "(and (= event-name \"subscription.failing\") (= title \"Core banking\") (>= failures-in-a-row 4))",
    });
    let pager = observer(&j, &["subscription.failing"]).await;
    let restricted = j.subscribe("/restricted", settings).await;
    let other = j.subscribe("/hook", json!({"title": "Other"})).await;
    send(&j, 4, 503).await;
    // On AWS nothing is told of a webhook that is deleted in the same minute.
    assert_eq!(told_names(&j, &pager).await, ["subscription.failing"]);
    j.api.delete(&subscription_path(&other)).await.expect_status(204);
    let core = j.subscribe("/hook", json!({"title": "Core banking"})).await;
    send(&j, 4, 503).await;
    assert_eq!(told_names(&j, &pager).await, ["subscription.failing", "subscription.failing"]);
    let path = format!("/v1/webhooks?subscriptionId={}", text(&restricted["id"]));
    let list = j.api.get(&path).await.expect_status(200).json();
    let items = list["items"].as_array().expect("a list");
    assert_eq!(items.len(), 1, "{list}");
    let trace = text(&items[0]["traceId"]);
    j.api.ended_delivery(trace).await;
    assert_eq!(j.receiver.requests_of(trace)[0].json()["subscriptionId"], core["id"]);
}

#[tokio::test]
async fn a_test_sends_a_sample_which_belongs_to_no_loan() {
    let j = Journey::start().await;
    let pager =
        j.api.subscribe(&settings(&j, &json!({"operational": ["job.finished", "subscription.held"]}))).await;
    let path = format!("{}/test", subscription_path(&pager));
    for (body, name) in
        [(json!({}), "job.finished"), (json!({"eventName": "subscription.failing"}), "subscription.failing")]
    {
        let sent = j.api.post(&path, &body).await.expect_status(202).json();
        let delivery = j.api.ended_delivery(text(&sent["deliveries"][0]["traceId"])).await;
        assert_eq!((&delivery["test"], &delivery["loanId"]), (&json!(true), &Value::Null), "{delivery}");
        let request = j.receiver.next_request().await;
        assert_eq!((request.header("loanhook-test"), request.header("loanhook-loan")), (Some("1"), None));
        assert_eq!(request.json()["eventName"], name);
    }
    for (body, pointer) in [
        (json!({"loanId": "727"}), "/loanId"),
        (json!({"context": {}}), "/context"),
        (json!({"occurredAt": "2026-11-23T10:00:00Z"}), "/occurredAt"),
        (json!({"eventName": "Test"}), "/eventName"),
    ] {
        let refused = j.api.post(&path, &body).await.expect_problem(422);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let of_loans = j.subscribe("/hook", json!({})).await;
    let refused =
        j.api.post(&format!("{}/test", subscription_path(&of_loans)), &json!({})).await.expect_problem(422);
    assert_eq!(refused["errors"][0]["pointer"], "/loanId", "{refused}");
    assert_eq!(j.api.send_event(&event("727")).await.len(), 1, "the one for events of loans");
}
