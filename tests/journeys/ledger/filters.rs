//! Filters of a loan's events, and what is 422.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{accepted, event_ids, events};
use crate::harness::{Journey, Reply, event_named, instant, items_of, text};

/// A loan with an event of each result: unmatched, delivered, failed, pending.
async fn loan_of_each_result() -> (Journey, Vec<Value>) {
    let j = Journey::start().await;
    let only = |name: &str, retry: Value| json!({"criteria": {"events": [name]}, "retry": {"delays": retry}});
    j.subscribe("/good", only("Good", json!([]))).await;
    j.subscribe("/bad", only("Bad", json!([]))).await;
    j.subscribe("/good", only("Bad", json!([]))).await;
    j.subscribe("/later", only("Later", json!([3600]))).await;
    j.receiver.always("/bad", Reply::status(500));
    j.receiver.always("/later", Reply::status(500));
    accepted(&j.api, &event_named("Unheard", "727")).await;
    for name in ["Good", "Bad"] {
        for trace in j.api.send_event(&event_named(name, "727")).await {
            j.api.ended_delivery(&trace).await;
        }
    }
    let later = j.api.send_one(&event_named("Later", "727")).await;
    j.api.delivery_after_attempts(&later, 1).await;
    let all = events(&j.api, "727", "").await;
    assert_eq!(all.len(), 4);
    (j, all)
}

#[tokio::test]
async fn each_filter_returns_exactly_the_matching_events() {
    let (j, all) = loan_of_each_result().await;
    for (result, name) in
        [("unmatched", "Unheard"), ("delivered", "Good"), ("failed", "Bad"), ("pending", "Later")]
    {
        for query in [
            format!("?result={result}"),
            format!("?eventName={name}"),
            format!("?result={result}&eventName={name}"),
        ] {
            let found = events(&j.api, "727", &query).await;
            let names: Vec<_> = found.iter().map(|event| text(&event["eventName"])).collect();
            assert_eq!(names, [name], "{query}");
        }
    }
    assert!(events(&j.api, "727", "?result=failed&eventName=Good").await.is_empty());
    let page = j.api.get("/v1/loans/727/events?result=failed&limit=1").await.expect_status(200).json();
    assert_eq!((items_of(&page).len(), &page["next"]), (1, &json!(null)), "no other follows");
    assert_eq!(all.len(), 4);
}

#[tokio::test]
async fn from_is_inclusive_and_to_exclusive_and_both_mean_accepted_at() {
    let (j, all) = loan_of_each_result().await;
    let accepted_at =
        |index: usize| instant(&all[index]["acceptedAt"]).to_rfc3339_opts(SecondsFormat::Millis, true);
    let ids = event_ids(&all);
    let found = async |query: String| {
        let found = events(&j.api, "727", &query).await;
        event_ids(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    // The newest three were sent when what was sent before had been delivered, so no two of them have one time.
    assert_eq!(found(format!("?from={}", accepted_at(1))).await, ids[..2]);
    assert_eq!(found(format!("?to={}", accepted_at(1))).await, ids[2..]);
    assert_eq!(found(format!("?from={}&to={}", accepted_at(1), accepted_at(0))).await, ids[1..2]);
    assert!(found(format!("?from={0}&to={0}", accepted_at(1))).await.is_empty());
}

#[tokio::test]
async fn an_invalid_filter_or_cursor_is_422() {
    let j = Journey::start().await;
    for query in [
        "result=lost",
        "result=",
        "from=yesterday",
        "from=2020-01-01T00:00:00",
        "to=2026-11-23",
        "limit=0",
        "limit=201",
        "limit=01",
        "cursor=x",
        "cursor=AAAA",
        "colour=red",
        "eventName=%ff",
        "result=failed&result=pending",
    ] {
        j.api.get(&format!("/v1/loans/727/events?{query}")).await.expect_problem(422);
    }
    j.api
        .get("/v1/loans/727/events?result=lost&from=soon&limit=0")
        .await
        .expect_errors_at(&["result", "from", "limit"]);
}
