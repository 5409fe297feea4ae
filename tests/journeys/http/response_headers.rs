//! Headers of every response: what may be cached, and that JSON is nothing else.

use serde_json::json;

use crate::harness::{Journey, subscription, text};

#[tokio::test]
async fn responses_with_a_secret_are_not_cached_and_json_is_not_sniffed() {
    let j = Journey::start().await;
    let key = json!({"name": "new", "scopes": ["history:read"]});
    let link = json!({"loanId": "727", "scopes": ["history:read"]});
    let created = j.api.post("/v1/subscriptions", &subscription(&j.receiver.url("/hook"), json!({}))).await;
    let rotate = format!("/v1/subscriptions/{}/rotate-secret", text(&created.json()["id"]));
    for answer in [
        created,
        j.api.post_without_body(&rotate).await,
        j.api.post("/v1/keys", &key).await,
        j.api.post("/v1/portal-links", &link).await,
    ] {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    }
    for path in ["/v1/subscriptions", "/v1/keys", "/openapi.json", "/v1/none", "/v1/webhooks/none"] {
        let answer = j.api.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    }
}
