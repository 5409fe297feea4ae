//! Spans (OpenTelemetry): what an operator sees of an event in the trace of its sender.

mod collector_down;
mod contents;
mod crash;
mod sampling;
mod traces;

use crate::harness::{Api, event, trace_ids};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

fn traceparent(trace: &str, flags: &str) -> String {
    format!("00-{trace}-{CALLER}-{flags}")
}

/// Sends an event in a trace, and gives the trace ID of its only delivery.
async fn send_in_trace(api: &Api, traceparent: &str) -> String {
    let sent = api.request("POST", "/v1/events").json(&event("727")).header("traceparent", traceparent);
    trace_ids(&sent.send().await.expect_status(202).json()).remove(0)
}
