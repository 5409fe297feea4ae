//! Problems: the errors of the API.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Journey, emulator_differs, subscription, text};

#[tokio::test]
async fn an_unknown_path_is_a_404_problem() {
    let j = Journey::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v2/events",
        "/v1/loans",
        "/v1/loans/727",
        "/v1/webhook",
        "/v1/events/",
        "/health/x",
    ] {
        j.api.get(path).await.expect_problem(404);
    }
    j.api.post_without_body("/api/public/api/2/webhook/retry/x/1").await.expect_problem(404);
}

#[tokio::test]
async fn an_unknown_method_is_a_405_problem_with_an_allow_header() {
    let j = Journey::start().await;
    let mut asked = vec![
        ("GET", "/v1/events", "POST"),
        ("DELETE", "/v1/events/batch", "POST"),
        ("POST", "/v1/loans/727/webhooks", "GET"),
        ("PATCH", "/v1/subscriptions", "POST"),
        ("POST", "/openapi.json", "GET"),
        ("GET", "/v1/webhooks/x/resend", "POST"),
    ];
    if !emulator_differs("answers /health itself") {
        asked.push(("PUT", "/health", "GET"));
    }
    for (method, path, allowed) in asked {
        let answer = j.api.request(method, path).send().await;
        assert!(answer.header("allow").contains(allowed), "{method} {path}: {answer:?}");
        answer.expect_problem(405);
    }
}

#[tokio::test]
async fn the_type_of_a_problem_is_stable_and_different_for_each_kind() {
    let j = Journey::start().await;
    let mut types = BTreeSet::new();
    for _ in 0..2 {
        let problems = [
            j.api.with_key(None).get("/v1/keys").await.expect_problem(401),
            j.api.with_new_key("reader", &["history:read"]).await.get("/v1/keys").await.expect_problem(403),
            j.api.get("/v1/webhooks/none").await.expect_problem(404),
            j.api.get("/v1/events").await.expect_problem(405),
            j.api.request("POST", "/v1/events").body("{").send().await.expect_problem(400),
            j.api.post("/v1/events", &json!({})).await.expect_problem(422),
        ];
        types.extend(problems.iter().map(|problem| text(&problem["type"]).to_owned()));
    }
    assert_eq!(types.len(), 6, "six kinds, twice: {types:?}");
}

#[tokio::test]
async fn no_problem_shows_an_internal_path_a_secret_or_a_stack_trace() {
    let j = Journey::start().await;
    let secret = json!({"request": {"headers": {"authorization": "Bearer hush-hush", "host": "x"}}});
    let mut answers = vec![
        j.api.post("/v1/subscriptions", &subscription("https://example.com", secret)).await,
        j.api.request("POST", "/v1/events").body("{\"loanId\": \"hush-hush\", ").send().await,
        j.api.with_key(Some("lh_hush-hush")).get("/v1/keys").await,
        j.api.get("/v1/loans/727/webhooks?cursor=hush-hush").await,
        j.api.get("/v1/webhooks/%00").await,
        j.api.get("/v1/loans/727/%2e%2e/webhooks").await,
        j.api.get("/v1/webhooks?cursor=hush-hush").await,
    ];
    if !emulator_differs("decodes paths before the function sees them") {
        answers.push(j.api.get("/v1/loans/%ff/webhooks").await);
    }
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let body = String::from_utf8_lossy(&answer.body);
        for leak in [
            "hush-hush",
            "/tmp/",
            "src/",
            ".rs:",
            "panicked",
            "sqlite",
            "rusqlite",
            "serde",
            "whsec_",
            "stack backtrace",
        ] {
            assert!(!body.contains(leak), "{leak}: {body}");
        }
    }
}
