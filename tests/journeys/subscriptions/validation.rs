//! Validation of a subscription: every invalid field is reported with its pointer, and nothing is stored.

use serde_json::{Value, json};

use crate::harness::{Journey, subscription, subscription_path};

#[tokio::test]
async fn an_invalid_field_is_422_with_a_pointer() {
    let j = Journey::start().await;
    let url = j.receiver.url("/hook");
    for (changes, pointer) in [
        (json!({"title": ""}), "/title"),
        (json!({"title": 7}), "/title"),
        (json!({"enabled": "yes"}), "/enabled"),
        (json!({"colour": "red"}), "/colour"),
        (json!({"criteria": {}}), "/criteria/events"),
        (json!({"criteria": {"events": "*"}}), "/criteria/events"),
        (json!({"criteria": {"events": ["A"], "more": 1}}), "/criteria/more"),
        (json!({"request": {"method": "HEAD"}}), "/request/method"),
        (json!({"request": {"method": "post"}}), "/request/method"),
        (json!({"request": {"url": "no url"}}), "/request/url"),
        (json!({"request": {"url": ""}}), "/request/url"),
        (json!({"request": {"body": "x"}}), "/request/body"),
        (json!({"request": {"contentType": "a\r\nb: c"}}), "/request/contentType"),
        (json!({"request": {"headers": {"bad name": "x"}}}), "/request/headers/bad name"),
        (json!({"request": {"headers": {"x-a": "a\r\nb: c"}}}), "/request/headers/x-a"),
        (json!({"timeoutSeconds": 0}), "/timeoutSeconds"),
        (json!({"timeoutSeconds": 31}), "/timeoutSeconds"),
        (json!({"timeoutSeconds": 1.5}), "/timeoutSeconds"),
    ] {
        let problem =
            j.api.post("/v1/subscriptions", &subscription(&url, changes.clone())).await.expect_problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{changes}: {problem}");
    }
    for required in ["title", "criteria", "request"] {
        let mut body = subscription(&url, json!({}));
        body.as_object_mut().expect("an object").remove(required);
        j.api.post("/v1/subscriptions", &body).await.expect_errors_at(&[&format!("/{required}")]);
    }
    let listed = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    assert_eq!(listed["items"], json!([]), "none of them was stored");
}

#[tokio::test]
async fn all_invalid_fields_are_reported_at_once() {
    let j = Journey::start().await;
    let body = subscription("no url", json!({"title": "", "timeoutSeconds": 99}));
    j.api.post("/v1/subscriptions", &body).await.expect_errors_at(&[
        "/title",
        "/request/url",
        "/timeoutSeconds",
    ]);
}

#[tokio::test]
async fn a_url_with_a_private_address_can_be_saved() {
    let j = Journey::start().await;
    for url in [
        "https://core.example.com/hooks/loans",
        "http://example.com/",
        "https://10.0.0.1:8443/x?y=z",
        "http://169.254.169.254/",
        "https://core_1.example.com./hook",
    ] {
        let created = j.api.subscribe(&subscription(url, json!({}))).await;
        assert_eq!(created["request"]["url"], url);
    }
}

#[tokio::test]
async fn a_malformed_url_or_another_scheme_is_422() {
    let j = Journey::start().await;
    let path = subscription_path(&j.subscribe("/hook", json!({})).await);
    for url in [
        "http:///path",
        "https:/core.example.com/hook",
        "https:core.example.com/hook",
        "ftp://example.com/hook",
        "https://core.example.com\\@other.example.com/hook",
        "https://core.exa\tmple.com/hook",
        "https://core.example.com:/hook",
        "https://core.example.com:0/hook",
        "https://core..example.com/hook",
        "https://%63ore.example.com/hook",
        "https://core.example.com:[[v('port')]]/hook",
        "[[v('scheme')]]://core.example.com/hook",
        "http[[v('s')]]://core.example.com/hook",
        "[[v('url')]]",
        "[[v('scheme', 'https')]]://core.example.com/hook",
        "ws://core.example.com/hook",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ] {
        let body = subscription(url, json!({}));
        j.api.post("/v1/subscriptions", &body).await.expect_errors_at(&["/request/url"]);
        j.api.put(&path, &body).await.expect_errors_at(&["/request/url"]);
        j.api.patch(&path, &json!({"request": {"url": url}})).await.expect_errors_at(&["/request/url"]);
    }
}

#[tokio::test]
async fn the_201st_subscription_of_a_tenant_is_409() {
    let j = Journey::start().await;
    let mut last = Value::Null;
    for _ in 0..200 {
        last = j.subscribe("/hook", json!({"criteria": {"events": ["Never"]}})).await;
    }
    let body = crate::harness::subscription(&j.receiver.url("/hook"), json!({}));
    j.api.post("/v1/subscriptions", &body).await.expect_problem(409);
    assert_eq!(j.api.get("/v1/subscriptions?limit=200").await.expect_status(200).json()["next"], Value::Null);
    j.api.delete(&subscription_path(&last)).await.expect_status(204);
    j.api.subscribe(&body).await;
}
