//! Masking of URL queries, whose values may be tokens: no list shows them, and nobody without the scope
//! `subscriptions:write` is shown them.

use serde_json::{Value, json};

use crate::harness::{ApiResponse, Journey, event, subscription, subscription_path, text};

const TOKEN: &str = "hush-token-4714";

#[tokio::test]
async fn url_query_values_are_masked_in_lists_and_without_the_scope_subscriptions_write() {
    let j = Journey::start().await;
    let url = j.receiver.url(&format!("/hook?token={TOKEN}&loan=[[v('loan-id')]]&{TOKEN}#{TOKEN}"));
    let created = j.api.subscribe(&subscription(&url, json!({}))).await;
    let unsent = json!({"title": "Unsent", "request": {"payload": "{\"a\": [[v('missing')]]}"}});
    j.api.subscribe(&subscription(&url, unsent)).await;
    let traces = j.api.send_event(&event("727")).await;
    let mut rows = Vec::new();
    for trace in &traces {
        rows.push(j.api.ended_delivery(trace).await["attempts"][0].clone());
    }
    assert!(j.receiver.next_request().await.path_and_query.contains(TOKEN), "it is sent");

    let reader = j.api.with_new_key("Reader", &["history:read", "webhooks:resend"]).await;
    let row = |row: &Value| format!("/v1/loans/727/webhooks/{}", text(&row["id"]));
    let mut whole = vec!["/v1/subscriptions".to_owned(), subscription_path(&created)];
    whole.extend(rows.iter().map(row));
    let mut lists = vec!["/v1/loans/727/webhooks".to_owned()];
    lists.extend(traces.iter().map(|trace| format!("/v1/webhooks/{trace}")));
    let shown = |answer: ApiResponse| String::from_utf8(answer.expect_status(200).body).expect("text");
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
async fn a_masked_url_query_value_in_a_put_is_422() {
    let j = Journey::start().await;
    let url = j.receiver.url(&format!("/hook?token={TOKEN}"));
    let created = j.api.subscribe(&subscription(&url, json!({}))).await;
    let reader = j.api.with_new_key("Reader", &["history:read"]).await;
    let mut read = reader.get(&subscription_path(&created)).await.expect_status(200).json();
    read["title"] = json!("Renamed");
    j.api.put(&subscription_path(&created), &read).await.expect_errors_at(&["/request/url"]);
    assert_eq!(j.api.get(&subscription_path(&created)).await.json()["request"]["url"], url.as_str());
}
