//! Bytes are frozen at intake: what was rendered then is what every attempt sends.

use serde_json::json;

use crate::harness::{Gate, Journey, Received, Reply, event, subscription, text};

const CONTEXT: &str = concat!(
    "{\"zulu\":250.00,\"alpha\":1E+2,\"mike\":-0.0,\"long\":12345678901234567890.123456789012345678900,",
    "\"text\":\"caf\\u00e9 \\ud83c\\udfe6 \\/ é\",\"deep\":{\"z\":[1.10,null,true],\"a\":{}},\"empty\":\"\"}"
);

fn exact_event(loan: &str) -> String {
    format!("{{\"context\":{CONTEXT},\"loanId\":\"{loan}\",\"eventName\":\"Payment Posted to Account\"}}")
}

#[tokio::test]
async fn key_order_and_number_spelling_survive() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;

    j.api.request("POST", "/v1/events").body(exact_event("727")).answer().await.is(202);

    let sent = String::from_utf8(j.receiver.next().await.body).expect("text");
    assert_eq!(sent, format!("{{\"eventName\":\"Payment Posted to Account\",\"context\":{CONTEXT}}}"));
}

#[tokio::test]
async fn bytes_method_url_and_headers_of_all_attempts_are_identical_after_the_subscription_was_edited_and_deleted()
 {
    let j = Journey::begin().await;
    let request = json!({"method": "PATCH", "headers": {"x-one": "1", "Authorization": "Bearer first", "x-two": "2"}, "contentType": "application/core+json"});
    let made = j
        .subscribe(
            "/first?q=1",
            json!({"title": "First", "request": request, "retry": {"delays": [1, 1, 1]}}),
        )
        .await;
    let path = format!("/v1/subscriptions/{}", text(&made["id"]));
    let (first_gate, second_gate) = (Gate::closed(), Gate::closed());
    j.receiver.replies(
        "/first",
        [Reply::status(500).held(&first_gate), Reply::status(500).held(&second_gate), Reply::status(500)],
    );
    j.api.request("POST", "/v1/events").body(exact_event("727")).answer().await.is(202);

    let mut all: Vec<Received> = vec![j.receiver.next().await];
    let edited = json!({"title": "Edited", "enabled": false, "request": {"method": "POST", "headers": {"x-one": "other"}}, "timeoutSeconds": 7});
    j.api.put(&path, &subscription(&j.receiver.url("/second"), edited)).await.is(200);
    first_gate.open();
    all.push(j.receiver.next().await);
    j.api.delete(&path).await.is(204);
    second_gate.open();
    all.push(j.receiver.next().await);
    all.push(j.receiver.next().await);
    let trace = all[0].trace().to_owned();
    j.api.settled(&trace).await;
    j.api.resend(&trace).await;
    all.push(j.receiver.next().await);

    let attempts: Vec<_> = all.iter().map(Received::attempt).collect();
    assert_eq!(attempts, ["1", "2", "3", "4", "manual"]);
    for other in &all[1..] {
        assert_eq!(other.frozen(), all[0].frozen());
        assert_eq!(other.trace(), trace);
    }
    let mut attempt_ids: Vec<_> = all.iter().map(Received::attempt_id).collect();
    attempt_ids.sort_unstable();
    attempt_ids.dedup();
    assert_eq!(attempt_ids.len(), 5, "each attempt has an ID of its own");
    for row in j.api.settled(&trace).await["attempts"].as_array().expect("attempts") {
        assert_eq!(row["eventTitle"], "First", "the title is the one at intake");
        assert_eq!(row["method"], "PATCH");
        let by_itself = format!("/v1/loans/727/webhooks/{}", text(&row["id"]));
        let by_itself = j.api.get(&by_itself).await.is(200).json();
        assert_eq!(by_itself["destination"], j.receiver.url("/first?q=1"));
        let source = j.api.get(text(&row["source"]["href"])).await.is(200);
        assert_eq!(source.body, all[0].body);
    }
}

#[tokio::test]
async fn the_source_payload_is_the_exact_bytes_sent_and_the_response_payload_those_that_came_back() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let answer: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    j.receiver.replies("/hook", [Reply::with(200, &[("content-type", "application/x-core")], &answer)]);

    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;

    let row = &delivery["attempts"][0];
    let sent = j.receiver.next().await.body;
    assert_eq!(row["source"]["bytes"], sent.len());
    assert_eq!(j.api.get(text(&row["source"]["href"])).await.is(200).body, sent);
    assert_eq!(row["response"]["bytes"], answer.len());
    assert_eq!(row["response"]["contentType"], "application/x-core");
    assert_eq!(row["response"]["truncated"], false);
    assert_eq!(j.api.get(text(&row["response"]["href"])).await.is(200).body, answer);
}

#[tokio::test]
async fn an_answer_that_says_it_is_compressed_is_kept_as_it_came() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let not_really = b"\x1f\x8bnot really gzip";
    j.receiver.replies("/hook", [Reply::with(200, &[("content-encoding", "gzip")], not_really)]);
    let delivery = j.api.settled(&j.api.send_one(&event("727")).await).await;
    assert_eq!(delivery["status"], "succeeded");
    assert_eq!(j.receiver.next().await.header("accept-encoding"), None);
    let kept = j.api.get(text(&delivery["attempts"][0]["response"]["href"])).await.is(200);
    assert_eq!(kept.body, not_really);
}
