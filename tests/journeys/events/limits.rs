//! What intake turns away, and with which answer.

use serde_json::{Value, json};

use crate::harness::raw_connection::Socket;
use crate::harness::request_bodies::named;
use crate::harness::{Answer, Journey, event, eventually, spoiled_by_emulator};

const EVENT_LIMIT: usize = 256 * 1024;
const BATCH_LIMIT: usize = 4 * 1024 * 1024;

async fn post(j: &Journey, body: impl Into<reqwest::Body>) -> Answer {
    j.api.request("POST", "/v1/events").body(body).answer().await
}

/// An event whose JSON is exactly this long.
fn event_of(bytes: usize) -> String {
    let frame = json!({"eventName": "Large", "loanId": "727", "context": {"note": ""}}).to_string();
    let event =
        json!({"eventName": "Large", "loanId": "727", "context": {"note": "x".repeat(bytes - frame.len())}});
    let event = event.to_string();
    assert_eq!(event.len(), bytes);
    event
}

fn nested(depth: usize) -> String {
    let context = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    format!("{{\"eventName\": \"Nested\", \"loanId\": \"727\", \"context\": {context}}}")
}

const TAKING_BODIES: [&str; 4] = ["/v1/events", "/v1/events/batch", "/v1/subscriptions", "/v1/keys"];

#[tokio::test]
async fn a_body_that_is_not_json_or_empty_is_400() {
    let j = Journey::begin().await;
    for body in ["", "  ", "{", "loanId=727", "{} {}"] {
        for path in TAKING_BODIES {
            let answer = j.api.request("POST", path).body(body).answer().await;
            assert_eq!(answer.status, 400, "{path} with {body:?}: {answer:?}");
            answer.problem(400);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_400() {
    let j = Journey::begin().await;
    const BODIES: [&[u8]; 2] = [b"{\"loanId\": \"\xff\"}", b"\xef\xbb\xbf\xff"];
    for (body, path) in BODIES.iter().flat_map(|body| TAKING_BODIES.map(|path| (*body, path))) {
        // A gateway hands on as it is what is not said to be text.
        let answer = j.api.request("POST", path).bytes(body).answer().await;
        assert_eq!(answer.status, 400, "{path} with {body:?}: {answer:?}");
        answer.problem(400);
    }
    if spoiled_by_emulator("decodes a body that is said to be JSON, whatever its bytes are") {
        return;
    }
    for (body, path) in BODIES.iter().flat_map(|body| TAKING_BODIES.map(|path| (*body, path))) {
        j.api.request("POST", path).body(body).answer().await.problem(400);
    }
}

#[tokio::test]
async fn well_formed_json_of_the_wrong_shape_is_422_and_says_where() {
    let j = Journey::begin().await;
    for (body, pointer) in [
        (json!({"loanId": "727", "context": {}}), "/eventName"),
        (json!({"eventName": "A", "context": {}}), "/loanId"),
        (json!({"eventName": "A", "loanId": "727"}), "/context"),
        (json!({"eventName": "A", "loanId": 727, "context": {}}), "/loanId"),
        (json!({"eventName": null, "loanId": "727", "context": {}}), "/eventName"),
        (json!({"eventName": "A", "loanId": "727", "context": []}), "/context"),
        (json!({"eventName": "A", "loanId": "727", "context": "text"}), "/context"),
        (json!({"eventName": "A", "loanId": "727", "context": {}, "occurredAt": "yesterday"}), "/occurredAt"),
        (
            json!({"eventName": "A", "loanId": "727", "context": {}, "occured": "2026-11-23T10:00:00Z"}),
            "/occured",
        ),
        (json!({"eventName": "A", "loanId": "727", "context": {}, "idempotencyKey": "k"}), "/idempotencyKey"),
    ] {
        post(&j, body.to_string()).await.points_at(&[pointer]);
    }
    for body in ["null", "[]", "7", "\"text\""] {
        post(&j, body).await.problem(422);
    }
}

#[tokio::test]
async fn names_are_1_to_256_characters() {
    let j = Journey::begin().await;
    for name in ["a".repeat(256), "ü".repeat(256), "借".repeat(256), "🏦".repeat(256)] {
        j.api.send(&named(&name, "727")).await;
        j.api.send(&named("A", &name)).await;
        let longer = format!("{name}x");
        j.api.post("/v1/events", &named(&longer, "727")).await.points_at(&["/eventName"]);
        j.api.post("/v1/events", &named("A", &longer)).await.points_at(&["/loanId"]);
    }
    j.api.post("/v1/events", &named("", "")).await.problem(422);
    j.api.post("/v1/events", &named("", "727")).await.points_at(&["/eventName"]);
    j.api.post("/v1/events", &named("A", "")).await.points_at(&["/loanId"]);
}

#[tokio::test]
async fn control_characters_are_refused_in_names() {
    let j = Journey::begin().await;
    for control in ['\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}'] {
        j.api.post("/v1/events", &named(&format!("a{control}b"), "727")).await.points_at(&["/eventName"]);
        j.api.post("/v1/events", &named("A", &format!("7{control}7"))).await.points_at(&["/loanId"]);
    }
}

#[tokio::test]
async fn a_loan_id_that_could_not_stand_in_a_path_is_refused() {
    let j = Journey::begin().await;
    for loan in [".", "..", "7/7", "7\\7", "7?7", "7#7", "7%7", "%2e", "/"] {
        j.api.post("/v1/events", &named("A", loan)).await.points_at(&["/loanId"]);
    }
    for loan in ["...", ".7", "7.", "7.7", "a b", "a&b=c", "a+b", "a;b:c@d", "[1]", "\"7\""] {
        j.api.send(&named("A", loan)).await;
    }
    j.api.send(&named("A name / with ? all # of % them \\ .", "727")).await;
}

#[tokio::test]
async fn a_context_may_be_nested_32_deep_and_no_deeper() {
    let j = Journey::begin().await;
    post(&j, nested(32)).await.is(202);
    let problem = post(&j, nested(33)).await.problem(422);
    assert!(problem["errors"].to_string().contains("/context"), "{problem}");
    post(&j, nested(20_000)).await.problem(422);
    let brackets = format!("{{\"eventName\":\"A\",\"loanId\":\"727\",\"context\":{}", "[".repeat(100_000));
    let unfinished = post(&j, brackets).await;
    assert!(matches!(unfinished.status, 400 | 422), "{unfinished:?}");
}

#[tokio::test]
async fn an_event_may_be_256_kib_long_and_no_longer() {
    let j = Journey::begin().await;
    post(&j, event_of(EVENT_LIMIT)).await.is(202);
    post(&j, event_of(EVENT_LIMIT + 1)).await.problem(413);
    post(&j, event_of(3 * EVENT_LIMIT)).await.problem(413);
}

#[tokio::test]
async fn a_batch_may_be_4_mib_long_and_an_event_in_it_256_kib() {
    let j = Journey::begin().await;
    let batch = |events: &[String]| format!("{{\"events\":[{}]}}", events.join(","));
    let ask = async |body: String| j.api.request("POST", "/v1/events/batch").body(body).answer().await;

    let mixed =
        ask(batch(&[event_of(100), event_of(EVENT_LIMIT), event_of(EVENT_LIMIT + 1)])).await.is(200).json();
    let statuses: Vec<_> =
        mixed["results"].as_array().expect("results").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [202, 202, 413], "{mixed}");

    let mut full = vec![event_of(EVENT_LIMIT - 1); 15];
    let frame = batch(&full).len() + 1;
    full.push(event_of(BATCH_LIMIT - frame));
    let full = batch(&full);
    assert_eq!(full.len(), BATCH_LIMIT);
    ask(full.clone()).await.is(200);
    ask(format!("{full} ")).await.problem(413);
}

#[tokio::test]
async fn a_batch_takes_100_events_and_no_more() {
    let j = Journey::begin().await;
    let batch = |events: usize| json!({"events": vec![event("727"); events]});
    let taken = j.api.post("/v1/events/batch", &batch(100)).await.is(200).json();
    assert_eq!(taken["results"].as_array().map(Vec::len), Some(100));
    j.api.post("/v1/events/batch", &batch(101)).await.points_at(&["/events"]);
    for wrong in [json!({}), json!({"events": {}}), json!([]), json!({"events": [], "more": 1}), Value::Null]
    {
        j.api.post("/v1/events/batch", &wrong).await.problem(422);
    }
}

#[tokio::test]
async fn a_tenant_has_at_most_200_subscriptions() {
    let j = Journey::begin().await;
    let mut last = Value::Null;
    for _ in 0..200 {
        last = j.subscribe("/hook", json!({"criteria": {"events": ["Never"]}})).await;
    }
    let body = crate::harness::subscription(&j.receiver.url("/hook"), json!({}));
    j.api.post("/v1/subscriptions", &body).await.problem(409);
    assert_eq!(j.api.get("/v1/subscriptions?limit=200").await.is(200).json()["next"], Value::Null);
    j.api.delete(&format!("/v1/subscriptions/{}", crate::harness::text(&last["id"]))).await.is(204);
    j.api.subscribe(&body).await;
}

#[tokio::test]
async fn bodies_of_one_tenant_that_do_not_come_keep_no_other_tenant_from_being_heard() {
    let Some(j) = Journey::alone().await else { return };
    let other = j.stranger().await;
    let head = format!(
        "POST /v1/events/batch HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {BATCH_LIMIT}\r\n\r\n",
        j.api.key()
    );
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut socket = Socket::connect(&j.target).await;
        socket.send(&head).await;
        slow.push(socket);
    }
    let refused = eventually("there is no room", async || {
        let answer = j.api.request("POST", "/v1/events").json(&event("727")).attempt().await.ok()?;
        (answer.status != 202).then_some(answer)
    })
    .await;
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    refused.problem(503);
    other.send(&event("727")).await;
    drop(slow);
    j.api.send(&event("727")).await;
}
