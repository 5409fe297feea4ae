//! `subscriptions` and `keys`.

use serde_json::{Value, json};

use super::run_as_caller;
use crate::harness::{Journey, subscription, text};

#[tokio::test]
async fn subscriptions_are_created_listed_replaced_tested_and_deleted() {
    let j = Journey::start().await;
    let url = j.receiver.url("/hook");
    let body = subscription(
        &url,
        json!({"title": "Core banking", "request": {"headers": {"authorization": "Bearer hush"}}}),
    );

    let created =
        run_as_caller(&j, &["subscriptions", "create", "-", "--json"], &body.to_string()).await.json();
    assert!(text(&created["signingSecret"]).starts_with("whsec_"));
    let id = text(&created["id"]);
    let list = run_as_caller(&j, &["subscriptions", "list"], "").await.expect_success();
    assert!(list.contains(id) && list.contains("Core banking"), "{list}");
    let shown = run_as_caller(&j, &["subscriptions", "get", id, "--json"], "").await.json();
    assert_eq!(shown, j.api.get(&format!("/v1/subscriptions/{id}")).await.json());
    let output = run_as_caller(&j, &["subscriptions", "get", id], "").await.expect_success();
    assert!(
        output.contains("Core banking") && !output.contains("hush") && !output.contains("whsec_"),
        "{output}"
    );

    let other = subscription(&url, json!({"title": "Renamed", "enabled": false}));
    run_as_caller(&j, &["subscriptions", "replace", id, "-"], &other.to_string()).await.expect_success();
    assert_eq!(j.api.get(&format!("/v1/subscriptions/{id}")).await.json()["title"], "Renamed");

    let patch = |version: &'static str| {
        let asked = ["subscriptions", "patch", id, "-", "--if-version", version];
        let patch = json!({"title": "Patched"}).to_string();
        let j = &j;
        async move { run_as_caller(j, &asked, &patch).await }
    };
    let refused = patch("1").await.expect_failure(1);
    assert!(refused.contains("412") && refused.contains("version 2"), "{refused}");
    let patched = patch("2").await.expect_success();
    assert!(patched.contains("Patched") && patched.contains("Version"), "{patched}");
    let stale = ["subscriptions", "replace", id, "-", "--if-version", "2"];
    run_as_caller(&j, &stale, &other.to_string()).await.expect_failure(1);
    let read = j.api.get(&format!("/v1/subscriptions/{id}")).await.json();
    assert_eq!((&read["title"], &read["enabled"]), (&json!("Patched"), &json!(false)));

    let rotated = run_as_caller(&j, &["subscriptions", "rotate-secret", id, "--json"], "").await.json();
    assert_ne!(rotated["signingSecret"], created["signingSecret"]);

    run_as_caller(&j, &["subscriptions", "test", id, "--loan", "727", "--event", "Sample"], "")
        .await
        .expect_success();
    assert_eq!(j.receiver.next_request().await.json()["eventName"], "Sample");

    run_as_caller(&j, &["subscriptions", "delete", id], "").await.expect_success();
    run_as_caller(&j, &["subscriptions", "delete", id], "").await.expect_failure(1);
    assert_eq!(j.api.get("/v1/subscriptions").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_refused_subscription_is_one_line_with_the_pointers() {
    let j = Journey::start().await;
    let wrong = subscription("no url", json!({"timeoutSeconds": 99})).to_string();
    let output = run_as_caller(&j, &["subscriptions", "create", "-"], &wrong).await.expect_failure(1);
    assert!(
        output.contains("422") && output.contains("/request/url") && output.contains("/timeoutSeconds"),
        "{output}"
    );
}

#[tokio::test]
async fn a_byte_order_mark_before_input_is_ignored() {
    let j = Journey::start().await;
    let marked = |body: Value| format!("\u{feff}{body}");
    let body = subscription(&j.receiver.url("/hook"), json!({"criteria": {"events": ["Sample"]}}));
    let created =
        run_as_caller(&j, &["subscriptions", "create", "-", "--json"], &marked(body.clone())).await.json();
    let id = text(&created["id"]);
    run_as_caller(&j, &["subscriptions", "replace", id, "-"], &marked(body)).await.expect_success();
    let test = ["subscriptions", "test", id, "--loan", "727", "--context", "-"];
    run_as_caller(&j, &test, &marked(json!({"days": 3}))).await.expect_success();
    let event = json!({"eventName": "Sample", "loanId": "727", "context": {}});
    run_as_caller(&j, &["send", "-"], &marked(event)).await.expect_success();
    let eval = ["eval", "(> days 2)", "--context", "-"];
    assert_eq!(run_as_caller(&j, &eval, &marked(json!({"days": 3}))).await.expect_success().trim(), "true");
}

#[tokio::test]
async fn keys_are_created_listed_and_deleted() {
    let j = Journey::start().await;
    let scopes = "history:read,webhooks:resend";
    let created =
        run_as_caller(&j, &["keys", "create", "--name", "Ann", "--scope", scopes, "--json"], "").await.json();
    let key = text(&created["key"]);
    j.api.with_key(Some(key)).get("/v1/subscriptions").await.expect_status(200);

    let printed = run_as_caller(&j, &["keys", "create", "--name", "Bob", "--scope", "admin"], "")
        .await
        .expect_success();
    assert!(printed.contains("lh_"), "it is shown this once: {printed}");
    let list = run_as_caller(&j, &["keys", "list"], "").await.expect_success();
    assert!(list.contains("Ann") && list.contains("Bob") && !list.contains(key), "{list}");

    run_as_caller(&j, &["keys", "delete", text(&created["id"])], "").await.expect_success();
    j.api.with_key(Some(key)).get("/v1/subscriptions").await.expect_problem(401);
    let names: Vec<Value> = run_as_caller(&j, &["keys", "list", "--json"], "").await.json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["name"].clone())
        .collect();
    assert!(!names.contains(&json!("Ann")), "{names:?}");
}

#[tokio::test]
async fn a_test_is_marked_in_every_output() {
    let j = Journey::start().await;
    let created = j.subscribe("/hook", json!({"title": "Core banking"})).await;
    let id = text(&created["id"]);
    let asked = ["subscriptions", "test", id, "--loan", "727", "--occurred-at", "2026-11-23T10:00:00Z"];
    let trace = run_as_caller(&j, &asked, "").await.expect_success();
    let delivery = j.api.ended_delivery(trace.trim()).await;
    assert_eq!(delivery["occurredAt"], "2026-11-23T10:00:00Z");
    let history = run_as_caller(&j, &["history", "727"], "").await.expect_success();
    assert!(history.contains("[test] Core banking"), "{history}");
    for asked in [["events", "727"], ["why", "727"]] {
        let output = run_as_caller(&j, &asked, "").await.expect_success();
        assert!(output.contains("[test] Test"), "{output}");
    }
    let attempt = text(&delivery["attempts"][0]["id"]);
    for asked in [&["trace", trace.trim()][..], &["show", "727", attempt]] {
        let output = run_as_caller(&j, asked, "").await.expect_success();
        assert!(output.contains("no event of the loan"), "{output}");
    }
}

#[tokio::test]
async fn keys_are_listed_with_expiry_and_last_use() {
    let j = Journey::start().await;
    let asked = ["keys", "create", "--name", "CI", "--scope", "history:read", "--expires-at"];
    let created =
        run_as_caller(&j, &[&asked[..], &["2099-01-01T00:00:00Z"]].concat(), "").await.expect_success();
    assert!(created.contains("2099-01-01 00:00:00Z"), "{created}");
    run_as_caller(&j, &[&asked[..], &["2020-01-01T00:00:00Z"]].concat(), "").await.expect_failure(1);
    let list = run_as_caller(&j, &["keys", "list"], "").await.expect_success();
    let of = |name: &str| list.lines().find(|line| line.contains(name)).expect("it is listed");
    assert!(of("CI").contains("2099-01-01 00:00:00Z") && of("CI").trim_end().ends_with("never"), "{list}");
    // The journey's own key has no expiry; its last use may not be stored yet.
    assert!(of("journey").contains("never"), "{list}");
}

#[tokio::test]
async fn an_operator_creates_keys_of_another_tenant() {
    let j = Journey::start().await;
    let tenant = format!("{}-new", j.tenant);
    let asked = ["keys", "create", "--name", "first", "--scope", "admin", "--tenant", &tenant, "--json"];
    run_as_caller(&j, &asked, "").await.expect_failure(1);
    let mut command = crate::harness::server::loanhook_command();
    command
        .env("LOANHOOK_URL", j.server.base_url().expect("the server runs"))
        .env("LOANHOOK_KEY", j.server.operator_key());
    let created = super::run_command(command, &asked, "").await.json();
    assert_eq!(created["tenant"], tenant);
}
