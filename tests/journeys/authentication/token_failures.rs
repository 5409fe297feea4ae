//! Tokens that cannot be had: failures of kind `auth`, by the schedule, and of kind `blocked` where the guard refuses.

use serde_json::json;

use super::{SECRET, oauth2, requests_to, token};
use crate::harness::{Gate, Journey, Reply, attempts_of, event, scaled_seconds, text};

#[tokio::test]
async fn an_outage_of_the_token_endpoint_is_a_failure_that_is_retried() {
    let j = Journey::start().await;
    let mut body = oauth2(&j, json!({}));
    body["retry"] = json!({"delays": [1]});
    j.subscribe("/hook", body).await;
    let refusal =
        json!({"error": "invalid_client", "error_description": format!("not {SECRET}")}).to_string();
    j.receiver.replies("/token", [Reply::with(401, &[], refusal.as_bytes()), token("a-token-of-ours", 60)]);
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    assert_eq!(delivery["status"], "succeeded");
    let failed = &attempts_of(&delivery)[0];
    assert_eq!(failed["responseCode"], json!(null));
    assert_eq!((&failed["error"]["kind"], &failed["error"]["phase"]), (&json!("auth"), &json!("prepare")));
    let detail = text(&failed["error"]["detail"]);
    assert!(
        detail.contains("answered 401: invalid_client, not ***; nothing was sent to the receiver"),
        "{detail}"
    );
    assert_eq!(requests_to(&j, "/hook").len(), 1);
    // What the token endpoint sent back is kept, but for our secret.
    let kept = j.api.get(text(&failed["response"]["href"])).await.expect_status(200).body;
    assert_eq!(String::from_utf8_lossy(&kept), refusal.replace(SECRET, "***"));
    let found = j.api.get("/v1/loans/727/webhooks?error=auth").await.expect_status(200).json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_token_endpoint_that_does_not_answer_uses_up_the_timeout_of_the_attempt() {
    let j = Journey::start().await;
    let mut body = oauth2(&j, json!({}));
    body["timeoutSeconds"] = json!(1);
    j.subscribe("/hook", body).await;
    let gate = Gate::closed();
    j.receiver.always("/token", token("a-token-of-ours", 60).held(&gate));
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    let error = &attempts_of(&delivery)[0]["error"];
    assert_eq!(error["kind"], "auth");
    assert!(text(&error["detail"]).contains("did not answer in time"), "{error}");
    assert!(requests_to(&j, "/hook").is_empty());
    gate.open();
}

#[tokio::test]
async fn an_answer_without_a_token_is_a_failure() {
    let j = Journey::start().await;
    j.subscribe("/hook", oauth2(&j, json!({}))).await;
    let other = json!({"access_token": "a-token-of-another-type", "token_type": "mac"}).to_string();
    j.receiver.always("/token", Reply::with(200, &[], other.as_bytes()));
    let trace = j.api.send_one(&event("727")).await;
    let delivery = j.api.ended_delivery(&trace).await;
    let row = &attempts_of(&delivery)[0];
    assert!(text(&row["error"]["detail"]).contains("another type than bearer"), "{row}");
    // A token is not kept, whatever is wrong with it.
    assert_eq!(row["response"], json!(null));
}

#[tokio::test]
async fn a_token_url_that_the_guard_refuses_is_blocked_and_not_retried() {
    let j = Journey::start().await;
    for token_url in ["https://169.254.169.254/latest", "https://[fd00::1]/token"] {
        let mut body = oauth2(&j, json!({"tokenUrl": token_url}));
        body["retry"] = json!({"delays": [scaled_seconds(1)]});
        let created = j.subscribe("/hook", body).await;
        let trace = j.api.send_one(&event("727")).await;
        let delivery = j.api.ended_delivery(&trace).await;
        assert_eq!(delivery["status"], "failed");
        let rows = attempts_of(&delivery);
        assert_eq!((rows.len(), &rows[0]["error"]["kind"]), (1, &json!("blocked")), "{delivery}");
        let detail = text(&rows[0]["error"]["detail"]);
        assert!(detail.contains("the token endpoint") && detail.contains("is not allowed"), "{detail}");
        j.api.delete(&crate::harness::subscription_path(&created)).await.expect_status(204);
    }
    assert!(requests_to(&j, "/hook").is_empty());
}
