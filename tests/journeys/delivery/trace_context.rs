//! `traceparent` and `tracestate` (W3C Trace Context): those of the event's request are kept, and sent on by each attempt.

use serde_json::json;

use crate::harness::{Journey, Received, Reply, event, results_of, subscription, trace_ids};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn traceparent() -> String {
    format!("00-{TRACE}-b7ad6b7169203331-01")
}

/// The request is a span of its own in the trace of its event.
#[track_caller]
fn assert_in_trace(request: &Received) {
    let span = request.attempt_id().replace('-', "")[16..].to_owned();
    assert_eq!(request.header("traceparent"), Some(&*format!("00-{TRACE}-{span}-01")), "{request:?}");
}

#[tokio::test]
async fn each_attempt_and_resend_is_a_span_of_the_trace_of_its_event() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500), Reply::ok()]);
    let sent = j.api.request("POST", "/v1/events").json(&event("727")).header("traceparent", &traceparent());
    let trace = trace_ids(&sent.send().await.expect_status(202).json()).remove(0);
    j.api.ended_delivery(&trace).await;
    j.api.resend(&trace).await;
    let mut spans = Vec::new();
    for _ in 0..3 {
        let request = j.receiver.next_request().await;
        assert_in_trace(&request);
        spans.push(request.header("traceparent").map(str::to_owned));
    }
    spans.sort();
    spans.dedup();
    assert_eq!(spans.len(), 3, "each has a span of its own");

    let batch = json!({"events": [event("1"), event("2")]});
    let sent = j.api.request("POST", "/v1/events/batch").json(&batch).header("traceparent", &traceparent());
    let answer = sent.send().await.expect_status(200).json();
    for _ in results_of(&answer) {
        assert_in_trace(&j.receiver.next_request().await);
    }
}

#[tokio::test]
async fn without_a_valid_traceparent_none_is_sent() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    j.api.send_one(&event("727")).await;
    assert_eq!(j.receiver.next_request().await.header("traceparent"), None);
    for invalid in ["00-0-0-01", "hello", &traceparent().to_uppercase(), &format!("{}-more", traceparent())] {
        let sent = j.api.request("POST", "/v1/events").json(&event("727")).header("traceparent", invalid);
        assert_eq!(trace_ids(&sent.send().await.expect_status(202).json()).len(), 1, "the event is accepted");
        assert_eq!(j.receiver.next_request().await.header("traceparent"), None, "{invalid}");
    }
}

#[tokio::test]
async fn a_traceparent_that_the_subscription_sets_stays() {
    let j = Journey::start().await;
    let own = json!({"request": {"headers": {"traceparent": "of-their-own"}}});
    j.api.subscribe(&subscription(&j.receiver.url("/hook"), own)).await;
    let sent = j.api.request("POST", "/v1/events").json(&event("727")).header("traceparent", &traceparent());
    sent.header("tracestate", "congo=t61rcWkgMzE").send().await.expect_status(202);
    let request = j.receiver.next_request().await;
    assert_eq!(request.header("traceparent"), Some("of-their-own"));
    assert_eq!(request.header("tracestate"), None, "ours belongs to another trace");
}

#[tokio::test]
async fn a_tracestate_is_sent_on_as_it_came_by_each_attempt() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500), Reply::ok()]);
    let sent = j.api.request("POST", "/v1/events").json(&event("727")).header("traceparent", &traceparent());
    // It may come in more than one header.
    let sent = sent.header("tracestate", "rojo=00f067aa0ba902b7").header("tracestate", "congo=t61rcWkgMzE");
    let trace = trace_ids(&sent.send().await.expect_status(202).json()).remove(0);
    j.api.ended_delivery(&trace).await;
    j.api.resend(&trace).await;
    for _ in 0..3 {
        let request = j.receiver.next_request().await;
        assert_in_trace(&request);
        assert_eq!(request.header("tracestate"), Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
    }
}

#[tokio::test]
async fn a_tracestate_that_is_not_valid_or_has_no_traceparent_is_dropped() {
    let j = Journey::start().await;
    j.subscribe("/hook", json!({})).await;
    let many: Vec<_> = (0..33).map(|key| format!("k{key}=v")).collect();
    for invalid in ["congo", "Congo=1", "a=1,a=2", &format!("a={}", "v".repeat(600)), &many.join(",")] {
        let sent =
            j.api.request("POST", "/v1/events").json(&event("727")).header("traceparent", &traceparent());
        sent.header("tracestate", invalid).send().await.expect_status(202);
        let request = j.receiver.next_request().await;
        assert_in_trace(&request);
        assert_eq!(request.header("tracestate"), None, "{invalid}");
    }
    let sent =
        j.api.request("POST", "/v1/events").json(&event("727")).header("tracestate", "congo=t61rcWkgMzE");
    sent.send().await.expect_status(202);
    assert_eq!(j.receiver.next_request().await.header("tracestate"), None);
}
