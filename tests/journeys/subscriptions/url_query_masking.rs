//! Values in the query of a receiver's URL may be tokens: no list of the history shows them, and whoever may not write
//! subscriptions is shown them nowhere.

use serde_json::{Value, json};

use crate::harness::{Answer, Journey, event, subscription, text};

const TOKEN: &str = "hush-token-4714";

fn path(subscription: &Value) -> String {
    format!("/v1/subscriptions/{}", text(&subscription["id"]))
}

#[tokio::test]
async fn only_who_may_write_subscriptions_is_shown_them() {
    let j = Journey::begin().await;
    let url = j.receiver.url(&format!("/hook?token={TOKEN}&loan=[[v('loan-id')]]&{TOKEN}#{TOKEN}"));
    let made = j.api.subscribe(&subscription(&url, json!({}))).await;
    let unsent = json!({"title": "Unsent", "request": {"payload": "{\"a\": [[v('missing')]]}"}});
    j.api.subscribe(&subscription(&url, unsent)).await;
    let traces = j.api.send(&event("727")).await;
    let mut rows = Vec::new();
    for trace in &traces {
        rows.push(j.api.settled(trace).await["attempts"][0].clone());
    }
    assert!(j.receiver.next().await.target.contains(TOKEN), "it is sent");

    let reader = j.api.colleague("Reader", &["history:read", "webhooks:resend"]).await;
    let row = |row: &Value| format!("/v1/loans/727/webhooks/{}", text(&row["id"]));
    let mut whole = vec!["/v1/subscriptions".to_owned(), path(&made)];
    whole.extend(rows.iter().map(row));
    let mut lists = vec!["/v1/loans/727/webhooks".to_owned()];
    lists.extend(traces.iter().map(|trace| format!("/v1/webhooks/{trace}")));
    let shown = |answer: Answer| String::from_utf8(answer.is(200).body).expect("text");
    let is_masked = |path: &str, shown: &str| {
        let masked = !shown.contains(TOKEN) && shown.contains("/hook?token=***&loan=***&***#***");
        assert!(masked, "{path}: {shown}");
    };
    for path in lists.iter().chain(&whole) {
        is_masked(path, &shown(reader.get(path).await));
    }
    for path in &lists {
        is_masked(path, &shown(j.api.get(path).await));
    }
    for path in &whole {
        let whole = shown(j.api.get(path).await);
        assert!(whole.contains(&format!("/hook?token={TOKEN}&loan=")), "{path}: {whole}");
    }
}

#[tokio::test]
async fn what_stands_for_a_value_is_not_taken_for_one() {
    let j = Journey::begin().await;
    let url = j.receiver.url(&format!("/hook?token={TOKEN}"));
    let made = j.api.subscribe(&subscription(&url, json!({}))).await;
    let reader = j.api.colleague("Reader", &["history:read"]).await;
    let mut read = reader.get(&path(&made)).await.is(200).json();
    read["title"] = json!("Renamed");
    j.api.put(&path(&made), &read).await.points_at(&["/request/url"]);
    assert_eq!(j.api.get(&path(&made)).await.json()["request"]["url"], url.as_str());
}
