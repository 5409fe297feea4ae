//! Signing secrets: shown once, rotated, and signatures that an independent implementation verifies.

use serde_json::{Value, json};

use crate::harness::{Gate, Journey, Received, Reply, event, subscription, subscription_path, text};

fn count_signatures(request: &Received) -> usize {
    let header = request.header("webhook-signature").expect("a signature");
    assert!(header.split(' ').all(|signature| signature.starts_with("v1,")), "{header}");
    header.split(' ').count()
}

fn signing_secret(shown: &Value) -> String {
    let secret = text(&shown["signingSecret"]);
    assert!(secret.starts_with("whsec_"), "a secret has the standard's prefix");
    secret.to_owned()
}

async fn rotate(j: &Journey, subscription: &Value) -> String {
    let rotated = j
        .api
        .post_without_body(&format!("{}/rotate-secret", subscription_path(subscription)))
        .await
        .expect_status(200)
        .json();
    assert_eq!(rotated["id"], subscription["id"]);
    assert_eq!(rotated["title"], subscription["title"]);
    signing_secret(&rotated)
}

#[tokio::test]
async fn the_signing_secret_is_shown_on_create_and_rotate_only() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let first = signing_secret(&created);
    let second = rotate(&j, &created).await;
    assert_ne!(first, second);

    let put = j
        .api
        .put(&subscription_path(&created), &subscription(&j.receiver.url("/hook"), json!({})))
        .await
        .expect_status(200);
    let read = j.api.get(&subscription_path(&created)).await.expect_status(200);
    let list = j.api.get("/v1/subscriptions").await.expect_status(200);
    for answer in [put, read, list] {
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(
            !shown.contains(&first[6..]) && !shown.contains(&second[6..]) && !shown.contains("whsec_"),
            "{shown}"
        );
    }
}

#[tokio::test]
async fn each_request_has_a_valid_standard_webhooks_signature() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let bodyless = j.subscribe("/get", json!({"request": {"method": "GET"}})).await;
    j.api.send_event(&event("727")).await;
    for _ in 0..2 {
        let request = j.receiver.next_request().await;
        let (own, other) =
            if request.path_and_query == "/get" { (&bodyless, &created) } else { (&created, &bodyless) };
        assert_eq!(count_signatures(&request), 1);
        assert!(request.is_signed_with(&signing_secret(own)));
        assert!(
            !request.is_signed_with(&signing_secret(other)),
            "each subscription signs with its own secret"
        );
    }
}

#[tokio::test]
async fn after_a_rotation_two_secrets_sign_and_a_second_rotation_drops_the_oldest() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({})).await;
    let first = signing_secret(&created);
    let second = rotate(&j, &created).await;

    j.api.send_one(&event("727")).await;
    let request = j.receiver.next_request().await;
    assert_eq!(count_signatures(&request), 2);
    assert!(request.is_signed_with(&first) && request.is_signed_with(&second));

    let third = rotate(&j, &created).await;
    j.api.send_one(&event("727")).await;
    let request = j.receiver.next_request().await;
    assert_eq!(count_signatures(&request), 2);
    assert!(request.is_signed_with(&second) && request.is_signed_with(&third));
    assert!(!request.is_signed_with(&first), "the oldest was dropped");
}

#[tokio::test]
async fn a_retry_after_a_rotation_has_both_signatures_and_the_same_bytes() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    let before = j.receiver.next_request().await;
    let rotated = rotate(&j, &created).await;
    gate.open();

    let after = j.receiver.next_request().await;

    assert_eq!((after.trace_id(), after.attempt_number()), (trace.as_str(), "2"));
    assert_eq!(before.frozen_parts(), after.frozen_parts());
    assert!(before.is_signed_with(&signing_secret(&created)) && !before.is_signed_with(&rotated));
    assert!(after.is_signed_with(&signing_secret(&created)) && after.is_signed_with(&rotated));
}

#[tokio::test]
async fn deliveries_of_a_deleted_subscription_are_still_signed() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::status(500).held(&gate)]);
    let trace = j.api.send_one(&event("727")).await;
    j.receiver.next_request().await;
    j.api.delete(&subscription_path(&created)).await.expect_status(204);
    gate.open();

    assert!(j.receiver.next_request().await.is_signed_with(&signing_secret(&created)));
    j.api.ended_delivery(&trace).await;
    j.api.resend(&trace).await;
    let resent = j.receiver.next_request().await;
    assert_eq!(resent.attempt_number(), "manual");
    assert!(resent.is_signed_with(&signing_secret(&created)));
}
