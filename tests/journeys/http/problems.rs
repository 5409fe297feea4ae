//! The rest of the face: errors that say what to do, and what needs no key.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Journey, event, spoiled_by_emulator, subscription, text};

#[tokio::test]
async fn a_path_that_does_not_exist_is_a_404_problem() {
    let j = Journey::begin().await;
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v2/events",
        "/v1/loans",
        "/v1/loans/727",
        "/v1/webhooks",
        "/v1/events/",
        "/health/x",
    ] {
        j.api.get(path).await.problem(404);
    }
    j.api.ask("/api/public/api/2/webhook/retry/x/1").await.problem(404);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_a_405_problem_that_names_those_it_knows() {
    let j = Journey::begin().await;
    let mut asked = vec![
        ("GET", "/v1/events", "POST"),
        ("DELETE", "/v1/events/batch", "POST"),
        ("POST", "/v1/loans/727/webhooks", "GET"),
        ("PATCH", "/v1/subscriptions", "POST"),
        ("POST", "/openapi.json", "GET"),
        ("GET", "/v1/webhooks/x/resend", "POST"),
    ];
    if !spoiled_by_emulator("answers /health itself") {
        asked.push(("PUT", "/health", "GET"));
    }
    for (method, path, allowed) in asked {
        let answer = j.api.request(method, path).answer().await;
        assert!(answer.header("allow").contains(allowed), "{method} {path}: {answer:?}");
        answer.problem(405);
    }
}

#[tokio::test]
async fn the_type_of_a_problem_is_stable_and_tells_problems_apart() {
    let j = Journey::begin().await;
    let mut types = BTreeSet::new();
    for _ in 0..2 {
        let problems = [
            j.api.with_key(None).get("/v1/keys").await.problem(401),
            j.api.colleague("reader", &["history:read"]).await.get("/v1/keys").await.problem(403),
            j.api.get("/v1/webhooks/none").await.problem(404),
            j.api.get("/v1/events").await.problem(405),
            j.api.request("POST", "/v1/events").body("{").answer().await.problem(400),
            j.api.post("/v1/events", &json!({})).await.problem(422),
        ];
        types.extend(problems.iter().map(|problem| text(&problem["type"]).to_owned()));
    }
    assert_eq!(types.len(), 6, "six kinds, twice: {types:?}");
}

#[tokio::test]
async fn no_error_shows_a_path_a_secret_or_a_stack() {
    let j = Journey::begin().await;
    let secret = json!({"request": {"headers": {"authorization": "Bearer hush-hush", "host": "x"}}});
    let mut answers = vec![
        j.api.post("/v1/subscriptions", &subscription("https://example.com", secret)).await,
        j.api.request("POST", "/v1/events").body("{\"loanId\": \"hush-hush\", ").answer().await,
        j.api.with_key(Some("lh_hush-hush")).get("/v1/keys").await,
        j.api.get("/v1/loans/727/webhooks?cursor=hush-hush").await,
        j.api.get("/v1/webhooks/%00").await,
        j.api.get("/v1/loans/%2e%2e/webhooks").await,
    ];
    if !spoiled_by_emulator("decodes paths before the function sees them") {
        answers.push(j.api.get("/v1/loans/%ff/webhooks").await);
    }
    for answer in answers {
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let told = String::from_utf8_lossy(&answer.body);
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
            assert!(!told.contains(leak), "{leak}: {told}");
        }
    }
}

#[tokio::test]
async fn health_and_the_document_need_no_key() {
    let j = Journey::begin().await;
    let anyone = j.api.with_key(None);
    anyone.get("/health").await.is(200);
    let document = anyone.get("/openapi.json").await.is(200).json();
    assert!(text(&document["openapi"]).starts_with("3.1"));
    for path in [
        "/v1/events",
        "/v1/events/batch",
        "/v1/subscriptions",
        "/v1/subscriptions/{id}",
        "/v1/loans/{loanId}/webhooks",
        "/v1/webhooks/{traceId}",
        "/v1/webhooks/{traceId}/resend",
        "/api/public/api/1/webhook/retry/{traceId}/{attempt}",
        "/v1/keys",
        "/health",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path} is described");
    }
}

#[tokio::test]
async fn the_catalogue_names_events_with_their_variables_and_others_are_accepted_too() {
    let j = Journey::begin().await;
    let catalogue = j.api.get("/v1/event-types").await.is(200).json();
    let items = catalogue["items"].as_array().expect("items");
    let payment = items
        .iter()
        .find(|item| item["eventName"] == "Payment Posted to Account")
        .expect("the most common event");
    let variables: Vec<_> = payment["variables"].as_array().expect("variables").iter().map(text).collect();
    assert!(variables.contains(&"status-days-past-due"), "{variables:?}");
    assert!(items.iter().all(|item| {
        item["variables"].as_array().is_some_and(|variables| variables.iter().all(Value::is_string))
    }));
    let names: BTreeSet<_> = items.iter().map(|item| text(&item["eventName"])).collect();
    assert_eq!(names.len(), items.len(), "each once");
    assert!(!names.contains("This lender's own"));
    j.api.send(&crate::harness::request_bodies::named("This lender's own", "727")).await;
}

#[tokio::test]
async fn egress_says_where_requests_come_from() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    let egress = j.api.get("/v1/egress").await.is(200).json();
    assert!(egress["static"].is_boolean(), "{egress}");
    let addresses = egress["addresses"].as_array().expect("addresses");
    assert!(addresses.contains(&delivery["attempts"][0]["sourceIp"]), "{egress}");
    assert!(addresses.iter().all(|address| text(address).parse::<std::net::IpAddr>().is_ok()), "{egress}");
}
