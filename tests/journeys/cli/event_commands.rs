//! `events` and `why`.

use serde_json::{Value, json};

use super::run_as_caller;
use crate::harness::{Journey, event, event_named, items_of, subscription, subscription_path, text};

const TITLE: &str = "Collections: 30 days late";

/// A loan with an event that fired one subscription and not another: its delivery, and the other subscription.
async fn loan_with_event() -> (Journey, Value, Value) {
    let j = Journey::start().await;
    let late = json!({"title": TITLE, "criteria": {"trigger": "(> status-days-past-due 30)"}});
    let late = j.subscribe("/late", late).await;
    j.subscribe(
        "/bank",
        json!({"title": "Core banking", "criteria": {"events": [event("727")["eventName"]]}}),
    )
    .await;
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    (j, delivery, late)
}

#[tokio::test]
async fn events_prints_a_table_or_the_json_of_the_api() {
    let (j, delivery, _) = loan_with_event().await;
    let table = run_as_caller(&j, &["events", "727"], "").await.expect_success();
    let row = table.lines().nth(1).expect("a row under the head");
    for word in [
        text(&delivery["eventId"]),
        text(&delivery["eventName"]),
        "delivered",
        "1 trigger false, 1 delivered",
    ] {
        assert!(row.contains(word), "{word}: {table}");
    }
    let page = run_as_caller(&j, &["events", "727", "--json"], "").await.json();
    assert_eq!(page, j.api.get("/v1/loans/727/events").await.json());
    let none = run_as_caller(&j, &["events", "727", "--result", "failed"], "").await;
    assert_eq!(none.expect_success(), "");
    assert!(none.stderr().contains("no event like that"), "{}", none.stderr());

    j.api.send_batch(vec![event_named("Other", "727"); 4]).await;
    let all = run_as_caller(&j, &["events", "727", "--all", "--limit", "2", "--json"], "").await.json();
    assert_eq!((items_of(&all).len(), &all["next"]), (5, &json!(null)));
    let asked = ["events", "727", "--event-name", "Other", "--limit", "3"];
    let first = run_as_caller(&j, &asked, "").await;
    assert_eq!(first.expect_success().lines().count(), 4);
    assert!(first.stderr().contains("--cursor"), "{}", first.stderr());
}

#[tokio::test]
async fn why_prints_the_newest_events_with_their_verdicts_in_words() {
    let (j, delivery, _) = loan_with_event().await;
    let printed = run_as_caller(&j, &["why", "727"], "").await.expect_success();
    assert!(
        printed.lines().next().is_some_and(|line| line.ends_with(text(&delivery["eventId"]))),
        "{printed}"
    );
    let trace = text(&delivery["traceId"]);
    for line in [
        format!("  {TITLE}  did not fire: its trigger was false"),
        format!("  Core banking               fired: succeeded (trace {trace})"),
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    let nobody = j.other_tenant().await;
    nobody.send_event(&event("727")).await;
    let unheard = super::run_with_key(&j, nobody.key(), &["why", "727"]).await.expect_success();
    assert!(unheard.contains("no subscription asks for events of this name"), "{unheard}");
}

#[tokio::test]
async fn why_of_an_event_prints_the_formulas_with_their_values() {
    let (j, delivery, late) = loan_with_event().await;
    let id = text(&delivery["eventId"]);
    let printed = run_as_caller(&j, &["why", "727", id], "").await.expect_success();
    for line in [
        &format!("{TITLE}, version 1: did not fire: its trigger was false"),
        "trigger is false",
        "  `(> status-days-past-due 30)` is false because `status-days-past-due` is 13",
        "  (> status-days-past-due 30)",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}: {printed}");
    }
    let json = run_as_caller(&j, &["why", "727", id, "--json"], "").await.json();
    assert_eq!(json["event"], j.api.get(&format!("/v1/events/{id}")).await.json());
    let explanations = json["explanations"].as_array().expect("explanations");
    let of_late = explanations.iter().find(|of| of["subscriptionId"] == late["id"]).expect("an explanation");
    assert_eq!((explanations.len(), &of_late["explanation"]["verdict"]), (2, &json!("trigger_false")));

    let changes = json!({"title": TITLE, "criteria": {"trigger": "(> status-days-past-due 10)"}});
    let changed = subscription(&j.receiver.url("/late"), changes);
    j.api.put(&subscription_path(&late), &changed).await.expect_status(200);
    let now = run_as_caller(&j, &["why", "727", id, "--now"], "").await.expect_success();
    assert!(now.contains(&format!("{TITLE}, version 2: fired")) && now.contains("trigger is true"), "{now}");

    let elsewhere = run_as_caller(&j, &["why", "728", id], "").await.expect_failure(1);
    assert!(elsewhere.contains("loan 727"), "{elsewhere}");
    run_as_caller(&j, &["why", "727", "x"], "").await.expect_failure(1);
}
