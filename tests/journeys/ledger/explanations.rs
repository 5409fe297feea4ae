//! Explanations of verdicts, as JSON and as text.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{accepted, past_due};
use crate::harness::{Api, Journey, event, subscription, subscription_path, text};

fn explain_path(event: &str, subscription: &Value, more: &str) -> String {
    format!("/v1/events/{event}/explain?subscriptionId={}{more}", text(&subscription["id"]))
}

async fn explained_text(api: &Api, path: &str) -> String {
    let answer = api.request("GET", path).header("accept", "text/plain").send().await.expect_status(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    String::from_utf8(answer.body).expect("text")
}

#[tokio::test]
async fn a_trigger_that_was_false_is_explained_with_its_values() {
    let j = Journey::start().await;
    let late = json!({"title": "Collections: 30 days late",
        "criteria": {"trigger": "(> status-days-past-due 30)"}, "restriction": "(= loan-status \"Open\")"});
    let late = j.subscribe("/late", late).await;
    let id = accepted(&j.api, &past_due("727", 13)).await;

    let explained = j.api.get(&explain_path(&id, &late, "")).await.expect_status(200).json();
    assert_eq!(explained["verdict"], "trigger_false");
    let trigger = &explained["trigger"];
    assert_eq!(
        (&trigger["formula"], &trigger["value"], &trigger["error"]),
        (&json!("(> status-days-past-due 30)"), &json!(false), &json!(null))
    );
    assert_eq!(trigger["variables"], json!({"status-days-past-due": 13}));
    assert_eq!(
        trigger["steps"],
        json!([
            {"source": "status-days-past-due", "line": 1, "column": 4, "value": 13, "printed": "13"},
            {"source": "(> status-days-past-due 30)", "line": 1, "column": 1, "value": false, "printed": "false"},
        ])
    );
    assert_eq!(
        trigger["reason"],
        "`(> status-days-past-due 30)` is false because `status-days-past-due` is 13"
    );
    assert_eq!((&trigger["truncated"], &explained["restriction"]["value"]), (&json!(false), &json!(true)));

    let printed = explained_text(&j.api, &explain_path(&id, &late, "")).await;
    for line in [
        "Collections: 30 days late, version 1: did not fire: its trigger was false",
        "trigger is false",
        "  `(> status-days-past-due 30)` is false because `status-days-past-due` is 13",
        "restriction is true",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
}

#[tokio::test]
async fn the_version_that_decided_is_explained_unless_that_of_now_is_asked_for() {
    let j = Journey::start().await;
    let trigger = |days: u32| json!({"criteria": {"trigger": format!("(> status-days-past-due {days})")}});
    let late = j.subscribe("/late", trigger(30)).await;
    let id = accepted(&j.api, &past_due("727", 13)).await;
    let verdict = async |more: &str| {
        let explained = j.api.get(&explain_path(&id, &late, more)).await.expect_status(200).json();
        (explained["verdict"].clone(), explained["trigger"]["formula"].clone())
    };
    let before = (json!("trigger_false"), json!("(> status-days-past-due 30)"));
    assert_eq!(verdict("&version=now").await, before);

    let changed = subscription(&j.receiver.url("/late"), trigger(10));
    j.api.put(&subscription_path(&late), &changed).await.expect_status(200);
    assert_eq!(verdict("").await, before);
    assert_eq!(verdict("&version=then").await, before);
    assert_eq!(verdict("&version=now").await, (json!("delivered"), json!("(> status-days-past-due 10)")));

    let others = subscription(&j.receiver.url("/late"), json!({"criteria": {"events": ["Other"]}}));
    j.api.put(&subscription_path(&late), &others).await.expect_status(200);
    assert_eq!(verdict("&version=now").await, (json!(null), json!(null)));

    j.api.delete(&subscription_path(&late)).await.expect_status(204);
    assert_eq!(verdict("").await, before, "a version outlives its subscription");
    j.api.get(&explain_path(&id, &late, "&version=now")).await.expect_problem(404);
}

#[tokio::test]
async fn a_formula_that_failed_is_explained_with_its_error() {
    let j = Journey::start().await;
    let fails = j.subscribe("/hook", json!({"criteria": {"trigger": "(> fico 700)"}})).await;
    let id = accepted(&j.api, &event("727")).await;
    let explained = j.api.get(&explain_path(&id, &fails, "")).await.expect_status(200).json();
    let trigger = &explained["trigger"];
    assert_eq!((&explained["verdict"], &trigger["value"]), (&json!("formula_error"), &json!(null)));
    assert!(text(&trigger["error"]["detail"]).contains(' '), "{trigger}");
    assert_eq!((&trigger["error"]["line"], &trigger["error"]["column"]), (&json!(1), &json!(1)));
    assert_eq!(trigger["variables"], json!({"fico": null}));
    let printed = explained_text(&j.api, &explain_path(&id, &fails, "")).await;
    assert!(
        printed.contains("trigger failed") && printed.contains("not in the event's context: `fico`"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_subscription_that_decided_nothing_is_404_with_the_reason() {
    let j = Journey::start().await;
    let others =
        j.subscribe("/hook", json!({"criteria": {"events": ["Other"]}, "restriction": "true"})).await;
    let id = accepted(&j.api, &event("727")).await;
    let problem = j.api.get(&explain_path(&id, &others, "")).await.expect_problem(404);
    assert!(text(&problem["detail"]).contains("other names"), "{problem}");
    let now = j.api.get(&explain_path(&id, &others, "&version=now")).await.expect_status(200).json();
    assert_eq!((&now["verdict"], &now["trigger"]), (&json!(null), &json!(null)));
    assert_eq!(now["restriction"]["value"], true);

    let unknown = json!({"id": Uuid::now_v7().to_string()});
    j.api.get(&explain_path(&id, &unknown, "")).await.expect_problem(404);
    let stranger = j.other_tenant().await;
    let theirs = stranger.subscribe(&subscription(&j.receiver.url("/theirs"), json!({}))).await;
    for more in ["", "&version=now"] {
        j.api.get(&explain_path(&id, &theirs, more)).await.expect_problem(404);
    }
}

#[tokio::test]
async fn an_invalid_query_is_422_and_a_key_without_the_scope_403() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let id = accepted(&j.api, &event("727")).await;
    for (query, pointer) in [
        ("", "subscriptionId"),
        ("?subscriptionId=x", "subscriptionId"),
        (&format!("?subscriptionId={}&version=1", text(&created["id"])), "version"),
    ] {
        j.api.get(&format!("/v1/events/{id}/explain{query}")).await.expect_errors_at(&[pointer]);
    }
    let sender = j.api.with_new_key("sender", &["events:write"]).await;
    sender.get(&explain_path(&id, &created, "")).await.expect_problem(403);
}
