//! Header values of a subscription: write-only, kept by `***`, and never for another host.

use serde_json::json;

use crate::harness::{Journey, event, subscription, subscription_path, text};

#[tokio::test]
async fn header_values_are_write_only_and_three_stars_keep_the_stored_value() {
    let j = Journey::start().await;
    let headers = json!({"Authorization": "Bearer the-secret-token", "x-team": "collections"});
    let created = j.subscribe("/hook", json!({"request": {"headers": headers}})).await;
    let read = j.api.get(&subscription_path(&created)).await.expect_status(200).json();
    let list = j.api.get("/v1/subscriptions").await.expect_status(200).json();
    for shown in [&created, &read, &list["items"][0]] {
        let shown = shown["request"]["headers"].as_object().expect("headers are an object");
        assert_eq!(shown.len(), 2);
        assert!(shown.values().all(|value| value == "***"), "{shown:?}");
        assert!(shown.keys().any(|name| name.eq_ignore_ascii_case("authorization")));
    }

    let edited =
        json!({"request": {"headers": {"authorization": "***", "x-team": "servicing", "x-new": "1"}}});
    let put = j
        .api
        .put(&subscription_path(&created), &subscription(&j.receiver.url("/hook"), edited))
        .await
        .expect_status(200);
    assert!(!String::from_utf8_lossy(&put.body).contains("the-secret-token"));
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next_request().await;
    assert_eq!(
        request.header("authorization"),
        Some("Bearer the-secret-token"),
        "kept, whatever the case of its name"
    );
    assert_eq!(request.header("x-team"), Some("servicing"));
    assert_eq!(request.header("x-new"), Some("1"));
}

#[tokio::test]
async fn three_stars_are_422_when_scheme_host_or_port_changed() {
    let j = Journey::start().await;
    let headers = json!({"request": {"headers": {"Authorization": "Bearer the-secret-token"}}});
    let created = j.subscribe("/hook", headers).await;
    let elsewhere = crate::harness::Receiver::start().await;
    let moved =
        |url: &str, value: &str| subscription(url, json!({"request": {"headers": {"authorization": value}}}));
    for url in [
        elsewhere.url("/evil"),
        "https://127.0.0.1/hook".to_owned(),
        j.receiver.url("/hook").replace("127.0.0.1", "localhost"),
        j.receiver.url("/hook").replace("http:", "https:"),
    ] {
        let refused = j.api.put(&subscription_path(&created), &moved(&url, "***")).await.expect_problem(422);
        assert_eq!(refused["errors"][0]["pointer"], "/request/headers/authorization", "{url}: {refused}");
        assert!(text(&refused["errors"][0]["detail"]).contains("give the value again"), "{url}: {refused}");
    }
    // A value that was given for another host is not kept for the first host.
    j.api
        .put(&subscription_path(&created), &moved(&elsewhere.url("/own"), "Bearer another"))
        .await
        .expect_status(200);
    j.api
        .put(&subscription_path(&created), &moved(&j.receiver.url("/hook"), "***"))
        .await
        .expect_errors_at(&["/request/headers/authorization"]);
    j.api.put(&subscription_path(&created), &moved(&elsewhere.url("/other"), "***")).await.expect_status(200);
    j.api.send_one(&event("727")).await;
    let request = elsewhere.next_request().await;
    assert_eq!(
        (request.path_and_query.as_str(), request.header("authorization")),
        ("/other", Some("Bearer another"))
    );
    assert!(j.receiver.requests().is_empty());
}

#[tokio::test]
async fn three_stars_without_a_stored_value_are_422() {
    let j = Journey::start().await;
    let stars = subscription(&j.receiver.url("/hook"), json!({"request": {"headers": {"x-a": "***"}}}));
    j.api.post("/v1/subscriptions", &stars).await.expect_errors_at(&["/request/headers/x-a"]);
    let created = j.subscribe("/hook", json!({"request": {"headers": {"x-b": "1"}}})).await;
    j.api.put(&subscription_path(&created), &stars).await.expect_errors_at(&["/request/headers/x-a"]);
}

#[tokio::test]
async fn reserved_headers_cannot_be_set() {
    let j = Journey::start().await;
    for name in [
        "webhook-id",
        "Webhook-Signature",
        "webhook-anything",
        "loanhook-attempt",
        "LOANHOOK-x",
        "host",
        "Content-Length",
        "content-type",
        "User-Agent",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "te",
        "upgrade",
        "proxy-connection",
    ] {
        let body = subscription(&j.receiver.url("/hook"), json!({"request": {"headers": {name: "x"}}}));
        let problem = j.api.post("/v1/subscriptions", &body).await.expect_problem(422);
        let pointer = text(&problem["errors"][0]["pointer"]);
        assert!(pointer.eq_ignore_ascii_case(&format!("/request/headers/{name}")), "{name}: {problem}");
    }
}
