//! Silence: what tells nothing, which is receivers of operational events, and events that are only called so.

use serde_json::{Value, json};

use super::{ALL, observer, send, sent, told_names, with_window};
use crate::harness::server::new_folder;
use crate::harness::{Journey, Reply, event_named, eventually, items_of, subscription_path, text};

async fn failed_of(j: &Journey, subscription: &Value) -> usize {
    let path = format!("/v1/webhooks?limit=200&status=failed&subscriptionId={}", text(&subscription["id"]));
    items_of(&j.api.get(&path).await.expect_status(200).json()).len()
}

/// A pager that is down fails, is exhausted and held, and tells nothing of that, to itself or to another.
#[tokio::test]
async fn a_receiver_of_operational_events_that_fails_causes_none() {
    let Some(j) = with_window(&new_folder(), 1).await else { return };
    let pager = observer(&j, &ALL).await;
    let settings =
        json!({"title": "Down", "criteria": {"operational": ALL}, "flow": {"holdAfterFailures": 6}});
    let down = j.subscribe("/down", settings).await;
    j.receiver.always("/down", Reply::status(500));
    let webhook = j.subscribe("/hook", json!({"title": "Core banking"})).await;
    // Two events each round: the fourth failure, and the success.
    for _ in 0..3 {
        send(&j, 4, 503).await;
        send(&j, 1, 200).await;
    }
    eventually("the pager that is down is held", async || {
        let shown = j.api.get(&subscription_path(&down)).await.expect_status(200).json();
        (!shown["hold"].is_null()).then_some(())
    })
    .await;
    assert!(failed_of(&j, &down).await >= 6);
    j.api.post_without_body(&format!("{}/release", subscription_path(&down))).await.expect_status(200);
    j.api.post_without_body(&format!("{}/hold", subscription_path(&down))).await.expect_status(200);
    let exhausted = eventually("the exhausted deliveries are told", async || {
        let events = sent(&j, &pager).await?;
        let windows: Vec<_> =
            events.into_iter().filter(|event| event["eventName"] == "delivery.exhausted").collect();
        let count: u64 = windows.iter().filter_map(|event| event["count"].as_u64()).sum();
        (count >= 12).then_some(windows)
    })
    .await;
    assert!(exhausted.iter().all(|event| event["subscriptionId"] == webhook["id"]), "{exhausted:#?}");
    let names = told_names(&j, &pager).await;
    let of = |name: &str| names.iter().filter(|other| *other == name).count();
    assert_eq!(
        [of("subscription.failing"), of("subscription.recovered"), of("subscription.held")],
        [3, 3, 0]
    );
}

/// Events of loans and operational events are apart, whatever they are called.
#[tokio::test]
async fn an_event_of_a_loan_with_such_a_name_is_an_event_of_the_loan() {
    let j = Journey::start().await;
    let pager = observer(&j, &ALL).await;
    let everything = j.subscribe("/all", json!({})).await;
    let named = j.subscribe("/named", json!({"criteria": {"events": ["subscription.held"]}})).await;
    let traces = j.api.send_event(&event_named("subscription.held", "727")).await;
    assert_eq!(traces.len(), 2, "those for events of loans");
    assert_eq!(told_names(&j, &pager).await, Vec::<String>::new());
    let of = |subscription: &Value| format!("/v1/webhooks?subscriptionId={}", text(&subscription["id"]));
    for subscription in [&everything, &named] {
        // The hold that `told_names` asked for is none of theirs.
        let list = j.api.get(&of(subscription)).await.expect_status(200).json();
        assert_eq!(items_of(&list).len(), 1, "{list}");
    }
    let verdicts = j.api.get("/v1/loans/727/events").await.expect_status(200).json();
    let asked: Vec<_> = items_of(&verdicts)[0]["verdicts"].as_array().expect("verdicts").iter().collect();
    assert!(asked.iter().all(|verdict| verdict["subscriptionId"] != pager["id"]), "{asked:#?}");
}

/// Nothing is kept where nobody is told: a new subscription begins to count when it is made.
#[tokio::test]
async fn a_new_subscription_hears_what_happens_from_then_on() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    send(&j, 5, 503).await;
    let first = observer(&j, &ALL).await;
    send(&j, 3, 503).await;
    assert_eq!(told_names(&j, &first).await, Vec::<String>::new());
    send(&j, 1, 503).await;
    assert_eq!(told_names(&j, &first).await, ["subscription.failing"]);
    j.api.delete(&subscription_path(&first)).await.expect_status(204);
    let second = observer(&j, &ALL).await;
    send(&j, 1, 200).await;
    send(&j, 4, 503).await;
    assert_eq!(
        told_names(&j, &second).await,
        ["subscription.failing"],
        "what was told to the first is forgotten"
    );
}

#[tokio::test]
async fn other_tenants_hear_nothing() {
    let j = Journey::start().await;
    let stranger = j.other_tenant().await;
    let body = json!({"title": "Stranger", "criteria": {"operational": ALL}, "request": {"url": j.receiver.url("/stranger")}});
    let theirs = stranger.subscribe(&body).await;
    let pager = observer(&j, &ALL).await;
    j.subscribe("/hook", json!({})).await;
    send(&j, 4, 503).await;
    assert_eq!(told_names(&j, &pager).await, ["subscription.failing"]);
    let path = format!("/v1/webhooks?subscriptionId={}", text(&theirs["id"]));
    assert_eq!(items_of(&stranger.get(&path).await.expect_status(200).json()).len(), 0);
}
