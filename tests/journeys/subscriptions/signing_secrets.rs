//! What may be written but not read: signing secrets and header values; and signatures that anyone can verify.

use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::harness::{Gate, Journey, Received, Reply, event, subscription, text};

fn path(subscription: &Value) -> String {
    format!("/v1/subscriptions/{}", text(&subscription["id"]))
}

/// Whether an implementation of Standard Webhooks that is not ours accepts the request under this secret.
fn verifies(request: &Received, secret: &str) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().expect("a header name");
        headers.append(name, value.parse().expect("a header value"));
    }
    Webhook::new(secret).expect("a secret in the standard's form").verify(&request.body, &headers).is_ok()
}

fn signatures(request: &Received) -> usize {
    let header = request.header("webhook-signature").expect("a signature");
    assert!(header.split(' ').all(|signature| signature.starts_with("v1,")), "{header}");
    header.split(' ').count()
}

fn secret(shown: &Value) -> String {
    let secret = text(&shown["signingSecret"]);
    assert!(secret.starts_with("whsec_"), "a secret has the standard's prefix");
    secret.to_owned()
}

async fn rotate(j: &Journey, subscription: &Value) -> String {
    let rotated = j.api.ask(&format!("{}/rotate-secret", path(subscription))).await.is(200).json();
    assert_eq!(rotated["id"], subscription["id"]);
    assert_eq!(rotated["title"], subscription["title"]);
    secret(&rotated)
}

#[tokio::test]
async fn the_signing_secret_is_shown_on_create_and_rotate_only() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({})).await;
    let first = secret(&made);
    let second = rotate(&j, &made).await;
    assert_ne!(first, second);

    let put = j.api.put(&path(&made), &subscription(&j.receiver.url("/hook"), json!({}))).await.is(200);
    let read = j.api.get(&path(&made)).await.is(200);
    let list = j.api.get("/v1/subscriptions").await.is(200);
    for answer in [put, read, list] {
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(
            !shown.contains(&first[6..]) && !shown.contains(&second[6..]) && !shown.contains("whsec_"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn each_request_is_signed_so_that_the_standard_verifies_it() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({})).await;
    let bodyless = j.subscribe("/get", json!({"request": {"method": "GET"}})).await;
    j.api.send(&event("727")).await;
    for _ in 0..2 {
        let request = j.receiver.next().await;
        let (own, other) = if request.target == "/get" { (&bodyless, &made) } else { (&made, &bodyless) };
        assert_eq!(signatures(&request), 1);
        assert!(verifies(&request, &secret(own)));
        assert!(!verifies(&request, &secret(other)), "each subscription signs with its own secret");
    }
}

#[tokio::test]
async fn after_a_rotation_both_secrets_sign_and_a_second_drops_the_oldest() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({})).await;
    let first = secret(&made);
    let second = rotate(&j, &made).await;

    j.api.send_one(&event("727")).await;
    let request = j.receiver.next().await;
    assert_eq!(signatures(&request), 2);
    assert!(verifies(&request, &first) && verifies(&request, &second));

    let third = rotate(&j, &made).await;
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next().await;
    assert_eq!(signatures(&request), 2);
    assert!(verifies(&request, &second) && verifies(&request, &third));
    assert!(!verifies(&request, &first), "the oldest was dropped");
}

#[tokio::test]
async fn an_attempt_after_a_rotation_carries_both_signatures_over_the_same_bytes() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    let before = j.receiver.next().await;
    let rotated = rotate(&j, &made).await;
    gate.open();

    let after = j.receiver.next().await;

    assert_eq!((after.trace(), after.attempt()), (trace.as_str(), "2"));
    assert_eq!(before.frozen(), after.frozen());
    assert!(verifies(&before, &secret(&made)) && !verifies(&before, &rotated));
    assert!(verifies(&after, &secret(&made)) && verifies(&after, &rotated));
}

#[tokio::test]
async fn a_deleted_subscription_still_signs_what_it_accepted() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.receiver.next().await;
    j.api.delete(&path(&made)).await.is(204);
    gate.open();

    assert!(verifies(&j.receiver.next().await, &secret(&made)));
    j.api.settled(&trace).await;
    j.api.resend(&trace).await;
    let resent = j.receiver.next().await;
    assert_eq!(resent.attempt(), "manual");
    assert!(verifies(&resent, &secret(&made)));
}

#[tokio::test]
async fn header_values_are_write_only_and_three_stars_keep_them() {
    let j = Journey::begin().await;
    let headers = json!({"Authorization": "Bearer the-secret-token", "x-team": "collections"});
    let made = j.subscribe("/hook", json!({"request": {"headers": headers}})).await;
    let read = j.api.get(&path(&made)).await.is(200).json();
    let list = j.api.get("/v1/subscriptions").await.is(200).json();
    for shown in [&made, &read, &list["items"][0]] {
        let shown = shown["request"]["headers"].as_object().expect("headers are an object");
        assert_eq!(shown.len(), 2);
        assert!(shown.values().all(|value| value == "***"), "{shown:?}");
        assert!(shown.keys().any(|name| name.eq_ignore_ascii_case("authorization")));
    }

    let edited =
        json!({"request": {"headers": {"authorization": "***", "x-team": "servicing", "x-new": "1"}}});
    let put = j.api.put(&path(&made), &subscription(&j.receiver.url("/hook"), edited)).await.is(200);
    assert!(!String::from_utf8_lossy(&put.body).contains("the-secret-token"));
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next().await;
    assert_eq!(
        request.header("authorization"),
        Some("Bearer the-secret-token"),
        "kept, whatever the case of its name"
    );
    assert_eq!(request.header("x-team"), Some("servicing"));
    assert_eq!(request.header("x-new"), Some("1"));
}

#[tokio::test]
async fn three_stars_keep_no_value_for_another_host() {
    let j = Journey::begin().await;
    let headers = json!({"request": {"headers": {"Authorization": "Bearer the-secret-token"}}});
    let made = j.subscribe("/hook", headers).await;
    let elsewhere = crate::harness::Receiver::start().await;
    let moved =
        |url: &str, value: &str| subscription(url, json!({"request": {"headers": {"authorization": value}}}));
    for url in [
        elsewhere.url("/evil"),
        "https://127.0.0.1/hook".to_owned(),
        j.receiver.url("/hook").replace("127.0.0.1", "localhost"),
        j.receiver.url("/hook").replace("http:", "https:"),
    ] {
        let refused = j.api.put(&path(&made), &moved(&url, "***")).await.problem(422);
        assert_eq!(refused["errors"][0]["pointer"], "/request/headers/authorization", "{url}: {refused}");
        assert!(text(&refused["errors"][0]["detail"]).contains("give the value again"), "{url}: {refused}");
    }
    // A value that was given for a host in between is none of the first one.
    j.api.put(&path(&made), &moved(&elsewhere.url("/own"), "Bearer another")).await.is(200);
    j.api
        .put(&path(&made), &moved(&j.receiver.url("/hook"), "***"))
        .await
        .points_at(&["/request/headers/authorization"]);
    j.api.put(&path(&made), &moved(&elsewhere.url("/other"), "***")).await.is(200);
    j.api.send_one(&event("727")).await;
    let request = elsewhere.next().await;
    assert_eq!(
        (request.target.as_str(), request.header("authorization")),
        ("/other", Some("Bearer another"))
    );
    assert!(j.receiver.seen().is_empty());
}

#[tokio::test]
async fn three_stars_without_a_stored_value_are_422() {
    let j = Journey::begin().await;
    let stars = subscription(&j.receiver.url("/hook"), json!({"request": {"headers": {"x-a": "***"}}}));
    j.api.post("/v1/subscriptions", &stars).await.points_at(&["/request/headers/x-a"]);
    let made = j.subscribe("/hook", json!({"request": {"headers": {"x-b": "1"}}})).await;
    j.api.put(&path(&made), &stars).await.points_at(&["/request/headers/x-a"]);
}

#[tokio::test]
async fn headers_that_are_loanhooks_own_cannot_be_set() {
    let j = Journey::begin().await;
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
        let problem = j.api.post("/v1/subscriptions", &body).await.problem(422);
        let pointer = text(&problem["errors"][0]["pointer"]);
        assert!(pointer.eq_ignore_ascii_case(&format!("/request/headers/{name}")), "{name}: {problem}");
    }
}
