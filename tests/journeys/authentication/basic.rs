//! HTTP Basic: the header of each request, as the subscription has it when the request leaves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::authorizations;
use crate::harness::{Journey, Reply, event, scaled_seconds, subscription_path};

fn header(user: &str, password: &str) -> Option<String> {
    Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

#[tokio::test]
async fn a_retry_and_a_resend_have_the_password_that_the_subscription_has_then() {
    let j = Journey::start().await;
    let auth = json!({"type": "basic", "username": "loan hook", "password": "old: pässword"});
    let retry = json!({"delays": [scaled_seconds(3)]});
    let created = j.subscribe("/hook", json!({"request": {"auth": auth}, "retry": retry})).await;
    j.receiver.replies("/hook", [Reply::status(401)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    let rotated = json!({"request": {"auth": {"password": "new-password"}}});
    j.api.patch(&subscription_path(&created), &rotated).await.expect_status(200);
    j.api.ended_delivery(&trace).await;
    j.api.patch(&subscription_path(&created), &json!({"request": {"auth": null}})).await.expect_status(200);
    j.api.resend(&trace).await;
    j.api.delivery_after_attempts(&trace, 3).await;
    let expected = [header("loan hook", "old: pässword"), header("loan hook", "new-password"), None];
    assert_eq!(authorizations(&j, "/hook"), expected);
}

#[tokio::test]
async fn a_header_that_was_rendered_wins_over_newer_authentication() {
    let j = Journey::start().await;
    let headers = json!({"Authorization": "Key [[v('loan-id')]]"});
    let retry = json!({"delays": [scaled_seconds(3)]});
    let created = j.subscribe("/hook", json!({"request": {"headers": headers}, "retry": retry})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    let trace = j.api.send_one(&event("727")).await;
    j.api.delivery_after_attempts(&trace, 1).await;
    let auth = json!({"type": "basic", "username": "ann", "password": "hush-hush"});
    let changed = json!({"request": {"headers": {"Authorization": null}, "auth": auth}});
    j.api.patch(&subscription_path(&created), &changed).await.expect_status(200);
    j.api.ended_delivery(&trace).await;
    let second = j.api.send_one(&event("728")).await;
    j.api.ended_delivery(&second).await;
    let rendered = Some("Key 727".to_owned());
    assert_eq!(authorizations(&j, "/hook"), [rendered.clone(), rendered, header("ann", "hush-hush")]);
}
