//! Many events in one call, each with an answer of its own.

use serde_json::{Value, json};

use crate::harness::api::traces;
use crate::harness::{Journey, event, text};

async fn post(j: &Journey, events: &[Value]) -> Vec<Value> {
    let answer = j.api.post("/v1/events/batch", &json!({"events": events})).await.is(200).json();
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
async fn results_come_in_order_and_one_bad_event_spoils_only_itself() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let mut wrong = event("a/b");
    wrong["surprise"] = json!(true);

    let results = post(&j, &[event("700"), event("701"), wrong, event("703"), json!(7)]).await;

    for (place, loan) in [(0, "700"), (1, "701"), (3, "703")] {
        assert_eq!(results[place]["status"], 202, "{}", results[place]);
        assert!(!text(&results[place]["eventId"]).is_empty());
        let delivery = j.api.settled(&traces(&results[place])[0]).await;
        assert_eq!(delivery["loanId"], loan);
        assert_eq!(delivery["status"], "succeeded");
    }
    for place in [2, 4] {
        assert_eq!(results[place]["status"], 422, "{}", results[place]);
        for field in ["type", "title", "detail"] {
            assert!(!text(&results[place][field]).is_empty(), "{}", results[place]);
        }
    }
    assert_eq!(j.receiver.seen().len(), 3);
}

#[tokio::test]
async fn a_batch_posted_twice_sends_nothing_twice() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let events = [keyed("700", "a"), keyed("701", "b"), keyed("702", "c")];

    let first = post(&j, &events).await;
    let second = post(&j, &events).await;

    assert_eq!(second, first);
    for result in &first {
        let delivery = j.api.settled(&traces(result)[0]).await;
        assert_eq!(j.receiver.seen_of(text(&delivery["traceId"])).len(), 1);
    }
    assert_eq!(j.receiver.seen().len(), 3);
}

#[tokio::test]
async fn a_key_twice_in_one_batch_is_one_event_and_with_another_body_409() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;

    let results = post(&j, &[keyed("700", "a"), keyed("700", "a"), keyed("701", "a"), event("702")]).await;

    assert_eq!(results[0]["status"], 202);
    assert_eq!(results[1], results[0]);
    assert_eq!(results[2]["status"], 409, "{}", results[2]);
    assert_eq!(results[3]["status"], 202);
    for result in [&results[0], &results[3]] {
        j.api.settled(&traces(result)[0]).await;
    }
    assert_eq!(j.receiver.seen().len(), 2);
    assert!(j.api.rows("701", "").await.is_empty());
}

#[tokio::test]
async fn a_batch_keeps_the_bytes_of_each_event() {
    let j = Journey::begin().await;
    j.subscribe("/hook", json!({})).await;
    let context = "{\"z\":250.00,\"a\":1e2,\"m\":{\"y\":-0.0,\"b\":\"\\u00e9\"}}";
    let body = format!("{{\"events\":[{{\"eventName\":\"A\",\"loanId\":\"727\",\"context\":{context}}}]}}");

    j.api.request("POST", "/v1/events/batch").body(body).answer().await.is(200);

    let sent = String::from_utf8(j.receiver.next().await.body).expect("text");
    assert!(sent.contains(context), "{sent}");
}

#[tokio::test]
async fn an_event_that_came_alone_and_comes_again_in_a_batch_is_the_same_event() {
    let j = Journey::begin().await;
    j.subscribe("/a", json!({})).await;
    j.subscribe("/b", json!({})).await;
    let alone = async |loan: &str, key: &str| {
        let asked = j.api.request("POST", "/v1/events").header("idempotency-key", key).json(&event(loan));
        asked.answer().await.is(202).json()
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
        let traces = traces(answer);
        assert_eq!(traces.len(), 2);
        for trace in traces {
            assert_eq!(j.api.settled(&trace).await["attempts"].as_array().map(Vec::len), Some(1));
        }
    }
    assert_eq!(j.receiver.seen().len(), 4, "nothing was sent twice");
    assert_eq!(post(&j, &[keyed("702", "a")]).await[0]["status"], 409, "another event with that key");
}
