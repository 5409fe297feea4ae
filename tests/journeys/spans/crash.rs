//! An attempt that a crash interrupted: the span that its receiver was told of is there.

use serde_json::json;

use super::{TRACE, send_in_trace, traceparent};
use crate::harness::collector::Collector;
use crate::harness::{Gate, Journey, Reply, Server};

#[tokio::test]
async fn the_request_that_a_crash_interrupted_has_the_span_that_its_receiver_was_told() {
    let collector = Collector::start().await;
    let Some(server) = Server::own_process_with(collector.launch()).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({"timeoutSeconds": 30})).await;
    let gate = Gate::closed();
    j.receiver.replies("/hook", [Reply::ok().held(&gate)]);
    send_in_trace(&j.api, &traceparent(TRACE, "01")).await;
    let lost = j.receiver.next_request().await;
    j.server.kill();
    j.server.restart().await;
    let again = j.receiver.next_request().await;

    let spans = collector.spans_of(TRACE, "attempt", 2).await;
    for (request, outcome) in [(&lost, "failed"), (&again, "succeeded")] {
        let told = request.header("traceparent").expect("each names its span");
        let span = spans.iter().find(|span| span.name == "request" && told.contains(&span.span_id));
        let span = span.unwrap_or_else(|| panic!("{told} is the span of a request: {spans:#?}"));
        assert_eq!(span.attribute("loanhook.outcome"), outcome);
        assert_eq!(span.attribute("loanhook.attempt.id"), request.attempt_id());
    }
    let interrupted = spans
        .iter()
        .filter(|span| span.attributes.get("error.type").is_some_and(|kind| kind == "interrupted"));
    assert_eq!(interrupted.count(), 2, "attempt and request: {spans:#?}");
    gate.open();
}
