//! Audit lines of the log: who changed what, with which key.

use serde_json::{Value, json};

use crate::harness::repeated_calls::guess_keys;
use crate::harness::repeated_calls::sign_in;
use crate::harness::{Journey, Launch, Server, event, eventually, subscription, subscription_path, text};

/// The lines of a JSON log with this message.
fn log_lines(output: &str, what: &str) -> Vec<Value> {
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == what).collect()
}

#[tokio::test]
async fn the_log_names_the_key_of_every_change() {
    let launch =
        Launch { arguments: vec!["--log-format".to_owned(), "json".to_owned()], ..Launch::default() };
    let Some(server) = Server::own_process_with(launch).await else { return };
    let j = Journey::on_server(server).await;
    let asked = json!({"name": "Ann of servicing", "scopes": crate::harness::journey::ALL_SCOPES});
    let ann_key = j.api.post("/v1/keys", &asked).await.expect_status(201).json();
    let ann = j.api.with_key(Some(text(&ann_key["key"])));
    let body = subscription(&j.receiver.url("/hook"), json!({}));
    let created = ann.subscribe(&body).await;
    let path = subscription_path(&created);
    ann.put(&path, &body).await.expect_status(200);
    ann.patch(&path, &json!({"title": "Other"})).await.expect_status(200);
    let rotated = ann.post_without_body(&format!("{path}/rotate-secret")).await.expect_status(200).json();
    for action in ["hold", "release"] {
        ann.post_without_body(&format!("{path}/{action}")).await.expect_status(200);
    }
    let trace = ann.send_one(&event("727")).await;
    ann.ended_delivery(&trace).await;
    let attempt = ann.resend(&trace).await;
    let link = json!({"loanId": "727", "scopes": ["history:read"], "viewer": "Joe"});
    let link = ann.post("/v1/portal-links", &link).await.expect_status(201).json();
    ann.delete(&path).await.expect_status(204);
    sign_in(&ann, ann.key()).await.expect_status(303);
    guess_keys(&ann).await;
    j.api.delete(&format!("/v1/keys/{}", text(&ann_key["id"]))).await.expect_status(204);

    let output = eventually("the last change is in the log", async || {
        let output = j.server.output();
        (!log_lines(&output, "key.deleted").is_empty()).then_some(output)
    })
    .await;
    let one = |what: &str| -> Value {
        let lines: Vec<_> =
            log_lines(&output, what).into_iter().filter(|line| line["tenant"] == *j.tenant).collect();
        let [line] = &lines[..] else { panic!("not one {what}: {output}") };
        line.clone()
    };
    for (what, id) in [
        ("subscription.created", &created["id"]),
        ("subscription.replaced", &created["id"]),
        ("subscription.patched", &created["id"]),
        ("subscription.secret_rotated", &created["id"]),
        ("subscription.held", &created["id"]),
        ("subscription.released", &created["id"]),
        ("subscription.deleted", &created["id"]),
    ] {
        let line = one(what);
        assert_eq!((&line["id"], &line["by_key_id"]), (id, &ann_key["id"]), "{line}");
        assert_eq!(line["by_key_name"], "Ann of servicing", "{line}");
    }
    assert_eq!(one("key.deleted")["id"], ann_key["id"]);
    assert!(log_lines(&output, "key.created").iter().any(|line| line["id"] == ann_key["id"]), "{output}");
    assert_eq!(one("portal_link.created")["viewer"], "Joe");
    assert_eq!(one("sign_in.succeeded")["key_id"], ann_key["id"]);
    let resent = one("resend.accepted");
    assert_eq!((&resent["requested_by"], &resent["trace_id"]), (&json!("Ann of servicing"), &json!(trace)));
    assert_eq!(resent["attempt_id"], attempt.as_str());
    assert_eq!(log_lines(&output, "key.refused").len(), 1, "one line for many wrong keys: {output}");
    for secret in [text(&ann_key["key"]), text(&link["url"]), "lh_guess_", text(&created["signingSecret"])] {
        assert!(!output.contains(secret), "{secret} is in the log: {output}");
    }
    assert!(!output.contains(text(&rotated["signingSecret"])), "{output}");
}
