//! Batches: up to 100 events in one call, each with a result of its own.

use serde_json::{Value, json};

use crate::harness::{Journey, attempts_of, event, text, trace_ids};

async fn post(j: &Journey, events: &[Value]) -> Vec<Value> {
    let answer = j.api.post("/v1/events/batch", &json!({"events": events})).await.expect_status(200).json();
    let results = answer["results"].as_array().unwrap_or_else(|| panic!("a batch has results: {answer}"));
    assert_eq!(results.len(), events.len());
    results.clone()
}

fn keyed(loan: &str, key: &str) -> Value {
    let mut event = event(loan);
    event["idempotencyKey"] = json!(key);
    event
}

#[tokio::test]
async fn batch_results_are_in_order_and_an_invalid_event_fails_alone() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let mut wrong = event("a/b");
    wrong["surprise"] = json!(true);

    let results = post(&j, &[event("700"), event("701"), wrong, event("703"), json!(7)]).await;

    for (place, loan) in [(0, "700"), (1, "701"), (3, "703")] {
        assert_eq!(results[place]["status"], 202, "{}", results[place]);
        assert!(!text(&results[place]["eventId"]).is_empty());
        let delivery = j.api.ended_delivery(&trace_ids(&results[place])[0]).await;
        assert_eq!(delivery["loanId"], loan);
        assert_eq!(delivery["status"], "succeeded");
    }
    for place in [2, 4] {
        assert_eq!(results[place]["status"], 422, "{}", results[place]);
        for field in ["type", "title", "detail"] {
            assert!(!text(&results[place][field]).is_empty(), "{}", results[place]);
        }
    }
    assert_eq!(j.receiver.requests().len(), 3);
}

#[tokio::test]
async fn a_repeated_batch_with_idempotency_keys_sends_nothing_twice() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let events = [keyed("700", "a"), keyed("701", "b"), keyed("702", "c")];

    let first = post(&j, &events).await;
    let second = post(&j, &events).await;

    assert_eq!(second, first);
    for result in &first {
        let delivery = j.api.ended_delivery(&trace_ids(result)[0]).await;
        assert_eq!(j.receiver.requests_of(text(&delivery["traceId"])).len(), 1);
    }
    assert_eq!(j.receiver.requests().len(), 3);
}

#[tokio::test]
async fn an_idempotency_key_repeated_in_one_batch_is_one_event_and_409_with_another_body() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;

    let results = post(&j, &[keyed("700", "a"), keyed("700", "a"), keyed("701", "a"), event("702")]).await;

    assert_eq!(results[0]["status"], 202);
    assert_eq!(results[1], results[0]);
    assert_eq!(results[2]["status"], 409, "{}", results[2]);
    assert_eq!(results[3]["status"], 202);
    for result in [&results[0], &results[3]] {
        j.api.ended_delivery(&trace_ids(result)[0]).await;
    }
    assert_eq!(j.receiver.requests().len(), 2);
    assert!(j.api.rows("701", "").await.is_empty());
}

#[tokio::test]
async fn a_batch_keeps_key_order_and_number_spelling_of_each_event() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let context = "{\"z\":250.00,\"a\":1e2,\"m\":{\"y\":-0.0,\"b\":\"\\u00e9\"}}";
    let body = format!("{{\"events\":[{{\"eventName\":\"A\",\"loanId\":\"727\",\"context\":{context}}}]}}");

    j.api.request("POST", "/v1/events/batch").body(body).send().await.expect_status(200);

    let sent = String::from_utf8(j.receiver.next_request().await.body).expect("text");
    assert!(sent.contains(context), "{sent}");
}

#[tokio::test]
async fn an_idempotency_key_is_the_same_for_single_and_batched_events() {
    let j = Journey::start().await;
    j.subscribe("/a", json!({})).await;
    j.subscribe("/b", json!({})).await;
    let alone = async |loan: &str, key: &str| {
        let asked = j.api.request("POST", "/v1/events").header("idempotency-key", key).json(&event(loan));
        asked.send().await.expect_status(202).json()
    };
    let same = |result: &Value, answer: &Value| {
        assert_eq!(result["status"], 202, "{result}");
        for field in ["eventId", "deliveries"] {
            assert_eq!(result[field], answer[field], "{field}");
        }
    };

    let first = alone("700", "a").await;
    let results = post(&j, &[keyed("700", "a"), keyed("701", "b")]).await;
    same(&results[0], &first);
    same(&results[1], &alone("701", "b").await);

    for answer in [&first, &results[1]] {
        let traces = trace_ids(answer);
        assert_eq!(traces.len(), 2);
        for trace in traces {
            assert_eq!(attempts_of(&j.api.ended_delivery(&trace).await).len(), 1);
        }
    }
    assert_eq!(j.receiver.requests().len(), 4, "nothing was sent twice");
    assert_eq!(post(&j, &[keyed("702", "a")]).await[0]["status"], 409, "another event with that key");
}
