//! `subscriptions check`, and what `subscriptions get` shows of authentication.

use super::run_as_caller;
use crate::authentication::{oauth2, token};
use crate::harness::{Journey, Reply, text};
use serde_json::json;

#[tokio::test]
async fn the_command_line_prints_the_steps_and_fails_where_one_failed() {
    let Some(j) = Journey::on_own_process().await else { return };
    let created = j.subscribe("/hook", oauth2(&j, json!({}))).await;
    let id = text(&created["id"]);
    j.receiver.replies("/token", [token("a-token-of-ours", 60), Reply::status(503)]);
    let shown = run_as_caller(&j, &["subscriptions", "check", id], "").await.expect_success();
    assert!(shown.contains("connect") && shown.contains("a token was issued"), "{shown}");
    let failed = run_as_caller(&j, &["subscriptions", "check", id], "").await.expect_failure(1);
    assert!(failed.contains("could not leave"), "{failed}");
    let details = run_as_caller(&j, &["subscriptions", "get", id], "").await.expect_success();
    assert!(details.contains("OAuth 2.0, tokens from "), "{details}");
}
