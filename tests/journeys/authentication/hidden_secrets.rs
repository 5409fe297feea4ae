//! Hidden secrets: what a receiver sends back of them is not kept.

use serde_json::json;

use super::{oauth2, token};
use crate::harness::{Journey, Reply, attempts_of, event, text};

#[tokio::test]
async fn what_a_receiver_sends_back_of_our_secrets_is_hidden() {
    let j = Journey::start().await;
    let headers = json!({"X-Api-Key": "the-key/of-ours", "X-Short": "short"});
    let mut body = oauth2(&j, json!({}));
    body["request"]["headers"] = headers;
    j.subscribe("/hook", body).await;
    j.receiver.always("/token", token("a-token-of-ours", 3600));
    let said = r#"{"token": "a-token-of-ours", "key": "the-key\/of-ours", "url": "?k=the-key%2Fof-ours", "short": "short"}"#;
    let echo = [("content-type", "application/json"), ("x-echo", "Bearer a-token-of-ours")];
    j.receiver.replies("/hook", [Reply::with(500, &echo, said.as_bytes())]);
    let trace = j.api.send_one(&event("727")).await;
    let row = attempts_of(&j.api.ended_delivery(&trace).await)[0].clone();
    let kept = j.api.get(text(&row["response"]["href"])).await.expect_status(200).body;
    let shown = r#"{"token": "***", "key": "***", "url": "?k=***", "short": "short"}"#;
    assert_eq!(String::from_utf8_lossy(&kept), shown);
    assert_eq!(row["response"]["bytes"], shown.len());
    let read = j.api.get(&format!("/v1/loans/727/webhooks/{}", text(&row["id"]))).await.expect_status(200);
    let read = String::from_utf8_lossy(&read.body).into_owned();
    assert!(read.contains("Bearer ***") && !read.contains("a-token-of-ours"), "{read}");
}
