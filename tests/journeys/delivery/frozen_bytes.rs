//! Frozen bytes: what was rendered at intake is what every attempt sends.

use serde_json::json;

use crate::harness::{
    Gate, Journey, Received, Reply, attempts_of, event, subscription, subscription_path, text,
};

const CONTEXT: &str = concat!(
    "{\"zulu\":250.00,\"alpha\":1E+2,\"mike\":-0.0,\"long\":12345678901234567890.123456789012345678900,",
    "\"text\":\"caf\\u00e9 \\ud83c\\udfe6 \\/ é\",\"deep\":{\"z\":[1.10,null,true],\"a\":{}},\"empty\":\"\"}"
);

fn exact_event(loan: &str) -> String {
    format!("{{\"context\":{CONTEXT},\"loanId\":\"{loan}\",\"eventName\":\"Payment Posted to Account\"}}")
}

#[tokio::test]
async fn key_order_and_number_spelling_survive() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;

    j.api.request("POST", "/v1/events").body(exact_event("727")).send().await.expect_status(202);

    let sent = String::from_utf8(j.receiver.next_request().await.body).expect("text");
    assert_eq!(sent, format!("{{\"eventName\":\"Payment Posted to Account\",\"context\":{CONTEXT}}}"));
}

#[tokio::test]
async fn every_attempt_sends_the_same_method_url_rendered_headers_and_bytes_after_edits_and_deletion() {
    let j = Journey::start().await;
    let request = json!({"method": "PATCH", "headers": {"x-one": "1 [[v('loan-id')]]", "x-two": "[[v('event-name')]]"}, "contentType": "application/core+json"});
    let created = j
        .subscribe(
            "/first?q=1",
            json!({"title": "First", "request": request, "retry": {"delays": [1, 1, 1]}}),
        )
        .await;
    let path = subscription_path(&created);
    let (first_gate, second_gate) = (Gate::closed(), Gate::closed());
    j.receiver.replies(
        "/first",
        [Reply::status(500).held(&first_gate), Reply::status(500).held(&second_gate), Reply::status(500)],
    );
    j.api.request("POST", "/v1/events").body(exact_event("727")).send().await.expect_status(202);

    let mut all: Vec<Received> = vec![j.receiver.next_request().await];
    let edited = json!({"title": "Edited", "enabled": false, "request": {"method": "POST", "headers": {"x-one": "other"}}, "timeoutSeconds": 7});
    j.api.put(&path, &subscription(&j.receiver.url("/second"), edited)).await.expect_status(200);
    first_gate.open();
    all.push(j.receiver.next_request().await);
    j.api.delete(&path).await.expect_status(204);
    second_gate.open();
    all.push(j.receiver.next_request().await);
    all.push(j.receiver.next_request().await);
    let trace = all[0].trace_id().to_owned();
    j.api.ended_delivery(&trace).await;
    j.api.resend(&trace).await;
    all.push(j.receiver.next_request().await);

    let attempts: Vec<_> = all.iter().map(Received::attempt_number).collect();
    assert_eq!(attempts, ["1", "2", "3", "4", "manual"]);
    for other in &all[1..] {
        assert_eq!(other.frozen_parts(), all[0].frozen_parts());
        assert_eq!(other.trace_id(), trace);
    }
    let mut attempt_ids: Vec<_> = all.iter().map(Received::attempt_id).collect();
    attempt_ids.sort_unstable();
    attempt_ids.dedup();
    assert_eq!(attempt_ids.len(), 5, "each attempt has an ID of its own");
    for row in attempts_of(&j.api.ended_delivery(&trace).await) {
        assert_eq!(row["eventTitle"], "First", "the title is the one at intake");
        assert_eq!(row["method"], "PATCH");
        let by_itself = format!("/v1/loans/727/webhooks/{}", text(&row["id"]));
        let by_itself = j.api.get(&by_itself).await.expect_status(200).json();
        assert_eq!(by_itself["destination"], j.receiver.url("/first?q=1"));
        let source = j.api.get(text(&row["source"]["href"])).await.expect_status(200);
        assert_eq!(source.body, all[0].body);
    }
}

#[tokio::test]
async fn source_and_response_payloads_are_the_exact_bytes() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let answer: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    j.receiver.replies("/hook", [Reply::with(200, &[("content-type", "application/x-core")], &answer)]);

    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;

    let row = &delivery["attempts"][0];
    let sent = j.receiver.next_request().await.body;
    assert_eq!(row["source"]["bytes"], sent.len());
    assert_eq!(j.api.get(text(&row["source"]["href"])).await.expect_status(200).body, sent);
    assert_eq!(row["response"]["bytes"], answer.len());
    assert_eq!(row["response"]["contentType"], "application/x-core");
    assert_eq!(row["response"]["truncated"], false);
    assert_eq!(j.api.get(text(&row["response"]["href"])).await.expect_status(200).body, answer);
}

#[tokio::test]
async fn a_compressed_response_is_kept_as_it_came() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let not_really = b"\x1f\x8bnot really gzip";
    j.receiver.replies("/hook", [Reply::with(200, &[("content-encoding", "gzip")], not_really)]);
    let delivery = j.api.ended_delivery(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["status"], "succeeded");
    assert_eq!(j.receiver.next_request().await.header("accept-encoding"), None);
    let kept = j.api.get(text(&delivery["attempts"][0]["response"]["href"])).await.expect_status(200);
    assert_eq!(kept.body, not_really);
}
