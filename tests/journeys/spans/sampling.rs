//! Which traces are recorded: those that their senders record, unless the operator chooses otherwise.

use serde_json::json;

use super::{TRACE, send_in_trace, traceparent};
use crate::harness::collector::{Collector, exporting_to};
use crate::harness::server::{new_folder, run_to_exit, serve_command, start_error};
use crate::harness::{Journey, Server};

const OTHER_TRACE: &str = "1bf7651916cd43dd8448eb211c80319d";

#[tokio::test]
async fn what_its_sender_does_not_record_is_not_recorded_here() {
    let collector = Collector::start().await;
    let Some(server) = Server::own_process_with(collector.launch()).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    send_in_trace(&j.api, &traceparent(OTHER_TRACE, "00")).await;
    let request = j.receiver.next_request().await;
    let span = request.attempt_id().replace('-', "")[16..].to_owned();
    assert_eq!(request.header("traceparent"), Some(&*format!("00-{OTHER_TRACE}-{span}-00")));
    // What ended later is there.
    send_in_trace(&j.api, &traceparent(TRACE, "01")).await;
    collector.spans_of(TRACE, "attempt", 1).await;
    assert!(collector.spans().iter().all(|span| span.trace_id == TRACE));
}

#[tokio::test]
async fn a_sampler_that_records_nothing_tells_receivers_so() {
    let collector = Collector::start().await;
    let launch = collector.launch_with(&[("OTEL_TRACES_SAMPLER", "always_off")]);
    let Some(server) = Server::own_process_with(launch).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    let trace = send_in_trace(&j.api, &traceparent(TRACE, "01")).await;
    let request = j.receiver.next_request().await;
    assert!(request.header("traceparent").is_some_and(|header| header.ends_with("-00")), "{request:?}");
    j.api.ended_delivery(&trace).await;
    j.server.stop().await;
    assert!(collector.requests().is_empty());
}

#[tokio::test]
async fn variables_that_cannot_be_followed_end_the_start_in_a_sentence() {
    if Server::own_process().await.is_none() {
        return;
    }
    let folder = new_folder();
    for (endpoint, protocol, expected) in [
        ("collector.example:4318", "http/protobuf", "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL"),
        ("http://127.0.0.1:4317", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"),
    ] {
        let launch = exporting_to(endpoint, &[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]);
        let output = run_to_exit(serve_command(folder.path(), &launch)).await;
        let error = start_error(&output);
        assert!(error.contains(expected), "{error}");
    }
}
