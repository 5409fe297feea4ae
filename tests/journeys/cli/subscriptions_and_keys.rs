//! `subscriptions` and `keys`.

use serde_json::{Value, json};

use super::run;
use crate::harness::{Journey, subscription, text};

#[tokio::test]
async fn subscriptions_are_made_listed_replaced_tested_and_deleted() {
    let j = Journey::begin().await;
    let url = j.receiver.url("/hook");
    let body = subscription(
        &url,
        json!({"title": "Core banking", "request": {"headers": {"authorization": "Bearer hush"}}}),
    );

    let made = run(&j, &["subscriptions", "create", "-", "--json"], &body.to_string()).await.json();
    assert!(text(&made["signingSecret"]).starts_with("whsec_"));
    let id = text(&made["id"]);
    let list = run(&j, &["subscriptions", "list"], "").await.printed();
    assert!(list.contains(id) && list.contains("Core banking"), "{list}");
    let shown = run(&j, &["subscriptions", "get", id, "--json"], "").await.json();
    assert_eq!(shown, j.api.get(&format!("/v1/subscriptions/{id}")).await.json());
    let told = run(&j, &["subscriptions", "get", id], "").await.printed();
    assert!(told.contains("Core banking") && !told.contains("hush") && !told.contains("whsec_"), "{told}");

    let other = subscription(&url, json!({"title": "Renamed", "enabled": false}));
    run(&j, &["subscriptions", "replace", id, "-"], &other.to_string()).await.printed();
    assert_eq!(j.api.get(&format!("/v1/subscriptions/{id}")).await.json()["title"], "Renamed");

    let rotated = run(&j, &["subscriptions", "rotate-secret", id, "--json"], "").await.json();
    assert_ne!(rotated["signingSecret"], made["signingSecret"]);

    run(&j, &["subscriptions", "test", id, "--loan", "727", "--event", "Sample"], "").await.printed();
    assert_eq!(j.receiver.next().await.json()["eventName"], "Sample");

    run(&j, &["subscriptions", "delete", id], "").await.printed();
    run(&j, &["subscriptions", "delete", id], "").await.failed(1);
    assert_eq!(j.api.get("/v1/subscriptions").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_refused_subscription_is_told_in_one_line_that_says_where() {
    let j = Journey::begin().await;
    let wrong = subscription("no url", json!({"timeoutSeconds": 99})).to_string();
    let told = run(&j, &["subscriptions", "create", "-"], &wrong).await.failed(1);
    assert!(
        told.contains("422") && told.contains("/request/url") && told.contains("/timeoutSeconds"),
        "{told}"
    );
}

#[tokio::test]
async fn a_byte_order_mark_before_a_file_is_no_part_of_it() {
    let j = Journey::begin().await;
    let marked = |body: Value| format!("\u{feff}{body}");
    let body = subscription(&j.receiver.url("/hook"), json!({"criteria": {"events": ["Sample"]}}));
    let made = run(&j, &["subscriptions", "create", "-", "--json"], &marked(body.clone())).await.json();
    let id = text(&made["id"]);
    run(&j, &["subscriptions", "replace", id, "-"], &marked(body)).await.printed();
    let test = ["subscriptions", "test", id, "--loan", "727", "--context", "-"];
    run(&j, &test, &marked(json!({"days": 3}))).await.printed();
    let event = json!({"eventName": "Sample", "loanId": "727", "context": {}});
    run(&j, &["send", "-"], &marked(event)).await.printed();
    let eval = ["eval", "(> days 2)", "--context", "-"];
    assert_eq!(run(&j, &eval, &marked(json!({"days": 3}))).await.printed().trim(), "true");
}

#[tokio::test]
async fn keys_are_made_listed_and_deleted() {
    let j = Journey::begin().await;
    let scopes = "history:read,webhooks:resend";
    let made = run(&j, &["keys", "create", "--name", "Ann", "--scope", scopes, "--json"], "").await.json();
    let key = text(&made["key"]);
    j.api.with_key(Some(key)).get("/v1/subscriptions").await.is(200);

    let printed = run(&j, &["keys", "create", "--name", "Bob", "--scope", "admin"], "").await.printed();
    assert!(printed.contains("lh_"), "it is shown this once: {printed}");
    let list = run(&j, &["keys", "list"], "").await.printed();
    assert!(list.contains("Ann") && list.contains("Bob") && !list.contains(key), "{list}");

    run(&j, &["keys", "delete", text(&made["id"])], "").await.printed();
    j.api.with_key(Some(key)).get("/v1/subscriptions").await.problem(401);
    let names: Vec<Value> = run(&j, &["keys", "list", "--json"], "").await.json()["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| item["name"].clone())
        .collect();
    assert!(!names.contains(&json!("Ann")), "{names:?}");
}

#[tokio::test]
async fn a_test_is_marked_where_attempts_are_listed() {
    let j = Journey::begin().await;
    let made = j.subscribe("/hook", json!({"title": "Core banking"})).await;
    let id = text(&made["id"]);
    let asked = ["subscriptions", "test", id, "--loan", "727", "--occurred-at", "2026-11-23T10:00:00Z"];
    let trace = run(&j, &asked, "").await.printed();
    let delivery = j.api.settled(trace.trim()).await;
    assert_eq!(delivery["occurredAt"], "2026-11-23T10:00:00Z");
    let history = run(&j, &["history", "727"], "").await.printed();
    assert!(history.contains("[test] Core banking"), "{history}");
    let attempt = text(&delivery["attempts"][0]["id"]);
    for asked in [&["trace", trace.trim()][..], &["show", "727", attempt]] {
        let told = run(&j, asked, "").await.printed();
        assert!(told.contains("no event of the loan"), "{told}");
    }
}

#[tokio::test]
async fn a_key_is_listed_with_its_end_and_its_last_use() {
    let j = Journey::begin().await;
    let asked = ["keys", "create", "--name", "CI", "--scope", "history:read", "--expires-at"];
    let made = run(&j, &[&asked[..], &["2099-01-01T00:00:00Z"]].concat(), "").await.printed();
    assert!(made.contains("2099-01-01 00:00:00Z"), "{made}");
    run(&j, &[&asked[..], &["2020-01-01T00:00:00Z"]].concat(), "").await.failed(1);
    let list = run(&j, &["keys", "list"], "").await.printed();
    let of = |name: &str| list.lines().find(|line| line.contains(name)).expect("it is listed");
    assert!(of("CI").contains("2099-01-01 00:00:00Z") && of("CI").trim_end().ends_with("never"), "{list}");
    // The journey's own does not end; whether its use is noted by now is the engine's to say.
    assert!(of("journey").contains("never"), "{list}");
}

#[tokio::test]
async fn an_operator_makes_keys_of_another_tenant() {
    let j = Journey::begin().await;
    let tenant = format!("{}-new", j.tenant);
    let asked = ["keys", "create", "--name", "first", "--scope", "admin", "--tenant", &tenant, "--json"];
    run(&j, &asked, "").await.failed(1);
    let mut command = crate::harness::server::loanhook();
    command
        .env("LOANHOOK_URL", j.target.base().expect("the server runs"))
        .env("LOANHOOK_KEY", j.target.operator_key());
    let made = super::ran(command, &asked, "").await.json();
    assert_eq!(made["tenant"], tenant);
}
