//! The spans of an event stand in the trace of its sender, below each other, and name what they are of.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;

use super::{CALLER, TRACE, send_in_trace, traceparent};
use crate::harness::collector::{CollectedSpan, Collector};
use crate::harness::{Journey, Received, Reply, Server, event, results_of, text};

fn named<'a>(spans: &'a [CollectedSpan], name: &str) -> Vec<&'a CollectedSpan> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn told_parts(request: &Received) -> Vec<&str> {
    request.header("traceparent").map(|told| told.split('-').collect()).unwrap_or_default()
}

/// The only child of this name.
#[track_caller]
fn child<'a>(spans: &'a [CollectedSpan], parent: &CollectedSpan, name: &str) -> &'a CollectedSpan {
    let children: Vec<_> =
        spans.iter().filter(|span| span.parent == parent.span_id && span.name == name).collect();
    let [child] = children[..] else { panic!("one {name} below {parent:#?}: {spans:#?}") };
    child
}

/// The attempt that sent this request: its spans are whole, and the request names its own.
#[track_caller]
fn assert_attempt(spans: &[CollectedSpan], intake: &CollectedSpan, request: &Received) -> CollectedSpan {
    let of_request = |span: &&CollectedSpan| span.attribute("loanhook.attempt.id") == request.attempt_id();
    let attempt = named(spans, "attempt").into_iter().find(of_request).expect("each attempt has a span");
    assert_eq!((&attempt.parent, attempt.kind), (&intake.span_id, SpanKind::Consumer));
    assert_eq!(attempt.attribute("loanhook.trace_id"), request.trace_id());
    assert_eq!(attempt.attribute("loanhook.attempt.number"), request.attempt_number());
    for (name, kind) in
        [("claim", SpanKind::Internal), ("request", SpanKind::Client), ("completion", SpanKind::Internal)]
    {
        let span = child(spans, attempt, name);
        assert_eq!(span.kind, kind, "{span:#?}");
    }
    let sent = child(spans, attempt, "request");
    let named_to_receiver = format!("00-{}-{}-01", sent.trace_id, sent.span_id);
    assert_eq!(request.header("traceparent"), Some(&*named_to_receiver));
    assert_eq!(sent.span_id, request.attempt_id().replace('-', "")[16..]);
    attempt.clone()
}

#[tokio::test]
async fn an_event_its_retry_and_a_resend_are_in_the_trace_of_the_sender() {
    let collector = Collector::start().await;
    let Some(server) = Server::own_process_with(collector.launch()).await else { return };
    let j = Journey::on_server(server).await;
    let created = j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(503), Reply::ok()]);
    let sent = j.api.request("POST", "/v1/events").json(&event("727"));
    let sent =
        sent.header("traceparent", &traceparent(TRACE, "01")).header("tracestate", "congo=t61rcWkgMzE");
    let answer = sent.send().await.expect_status(202).json();
    let trace = text(&answer["deliveries"][0]["traceId"]);
    j.api.ended_delivery(trace).await;
    j.api.resend(trace).await;

    let spans = collector.spans_of(TRACE, "attempt", 3).await;
    let [intake] = named(&spans, "intake")[..] else { panic!("one intake: {spans:#?}") };
    assert_eq!((&*intake.parent, intake.kind, intake.failed), (CALLER, SpanKind::Server, false));
    assert_eq!(intake.attribute("loanhook.event.id"), text(&answer["eventId"]));
    assert_eq!(intake.attribute("loanhook.deliveries"), "1");
    assert_eq!(intake.attribute("loanhook.tenant"), j.tenant);
    let mut attempts = Vec::new();
    for _ in 0..3 {
        let request = j.receiver.next_request().await;
        assert_eq!(request.header("tracestate"), Some("congo=t61rcWkgMzE"));
        attempts.push(assert_attempt(&spans, intake, &request));
    }
    assert_eq!(spans.len(), 1 + 3 * 4, "nothing else: {spans:#?}");
    assert!(spans.iter().all(|span| span.state == "congo=t61rcWkgMzE"), "{spans:#?}");
    let numbers: Vec<_> = attempts.iter().map(|span| span.attribute("loanhook.attempt.number")).collect();
    assert_eq!(numbers, ["1", "2", "manual"]);

    for (attempt, status, outcome) in [
        (&attempts[0], "503", "failed"),
        (&attempts[1], "200", "succeeded"),
        (&attempts[2], "200", "succeeded"),
    ] {
        for span in [attempt, child(&spans, attempt, "request")] {
            assert_eq!(span.attribute("http.response.status_code"), status, "{span:#?}");
            assert_eq!(span.attribute("loanhook.outcome"), outcome, "{span:#?}");
            assert_eq!(span.failed, status == "503", "{span:#?}");
            assert_eq!(span.attribute("loanhook.subscription.id"), text(&created["id"]));
        }
        assert!(!child(&spans, attempt, "completion").failed);
    }
}

#[tokio::test]
async fn an_event_without_a_trace_begins_one() {
    let collector = Collector::start().await;
    let Some(server) = Server::own_process_with(collector.launch()).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    let answer = j.api.post("/v1/events", &event("727")).await.expect_status(202).json();
    let request = j.receiver.next_request().await;
    let [_, trace, span, flags] = told_parts(&request)[..] else { panic!("four parts: {request:?}") };
    assert_eq!(flags, "03", "it is recorded, and its ID is random");
    let spans = collector.spans_of(trace, "attempt", 1).await;
    let [intake] = named(&spans, "intake")[..] else { panic!("one intake: {spans:#?}") };
    assert_eq!(intake.parent, "", "it is the root");
    assert_eq!(intake.attribute("loanhook.event.id"), text(&answer["eventId"]));
    assert_eq!(child(&spans, child(&spans, intake, "attempt"), "request").span_id, span);
}

#[tokio::test]
async fn each_event_of_a_batch_has_an_intake_of_its_own() {
    let collector = Collector::start().await;
    let Some(server) = Server::own_process_with(collector.launch()).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    let batch = json!({"events": [event("1"), event("2")]});
    let sent = j.api.request("POST", "/v1/events/batch").json(&batch);
    let answer = sent.header("traceparent", &traceparent(TRACE, "01")).send().await.expect_status(200).json();
    let spans = collector.spans_of(TRACE, "attempt", 2).await;
    let intakes = named(&spans, "intake");
    assert!(intakes.iter().all(|intake| intake.parent == CALLER), "{intakes:#?}");
    let mut expected: Vec<_> = results_of(&answer).iter().map(|result| text(&result["eventId"])).collect();
    let mut events: Vec<_> = intakes.iter().map(|intake| intake.attribute("loanhook.event.id")).collect();
    events.sort_unstable();
    expected.sort_unstable();
    assert_eq!(events, expected);
    for intake in intakes {
        child(&spans, intake, "attempt");
    }
}

#[tokio::test]
async fn what_has_ended_is_exported_before_the_process_ends() {
    let collector = Collector::start().await;
    let launch = collector.launch_with(&[("OTEL_BSP_SCHEDULE_DELAY", "3600000")]);
    let Some(server) = Server::own_process_with(launch).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    let trace = send_in_trace(&j.api, &traceparent(TRACE, "01")).await;
    j.api.ended_delivery(&trace).await;
    assert!(collector.spans().is_empty(), "an hour has not passed");
    j.server.stop().await;
    assert_eq!(named(&collector.spans(), "attempt").len(), 1);
}
