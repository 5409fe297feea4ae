//! A collector that is down changes nothing but one line of the log.

use serde_json::json;

use super::{TRACE, send_in_trace, traceparent};
use crate::harness::collector::{Collector, exporting_to};
use crate::harness::{Journey, Reply, Server, eventually};

const NOT_EXPORTED: &str = "spans.not_exported";

fn count(output: &str, what: &str) -> usize {
    output.lines().filter(|line| line.contains(what)).count()
}

#[tokio::test]
async fn webhooks_leave_and_the_log_says_once_that_spans_are_lost() {
    // Nobody listens there any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let endpoint = format!("http://user:hush-password@{}", gone.expect("a port"));
    let launch =
        exporting_to(&endpoint, &[("OTEL_BSP_SCHEDULE_DELAY", "20"), ("OTEL_BSP_MAX_QUEUE_SIZE", "4")]);
    let Some(server) = Server::own_process_with(launch).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({"retry": {"delays": [1]}})).await;
    j.receiver.replies("/hook", [Reply::status(500)]);
    for _ in 0..20 {
        send_in_trace(&j.api, &traceparent(TRACE, "01")).await;
    }
    for _ in 0..21 {
        let request = j.receiver.next_request().await;
        assert!(request.header("traceparent").is_some_and(|header| header.contains(TRACE)));
    }
    eventually("it says that spans are lost", async || {
        (count(&j.server.output(), NOT_EXPORTED) > 0).then_some(())
    })
    .await;
    // The end tries once more, and does not wait for it.
    j.server.stop().await;
    let output = j.server.output();
    assert_eq!(count(&output, NOT_EXPORTED), 1, "{output}");
    assert!(!output.contains("hush-password"), "{output}");
}

#[tokio::test]
async fn a_collector_that_is_back_gets_spans_again() {
    let collector = Collector::start().await;
    collector.refuses(1);
    let Some(server) = Server::own_process_with(collector.launch()).await else { return };
    let j = Journey::on_server(server).await;
    j.subscribe("/hook", json!({})).await;
    send_in_trace(&j.api, &traceparent("1bf7651916cd43dd8448eb211c80319d", "01")).await;
    eventually("it says that spans are lost", async || {
        (count(&j.server.output(), NOT_EXPORTED) > 0).then_some(())
    })
    .await;
    send_in_trace(&j.api, &traceparent(TRACE, "01")).await;
    collector.spans_of(TRACE, "attempt", 1).await;
    eventually("it says that they are not lost any more", async || {
        (count(&j.server.output(), "spans.exported_again") > 0).then_some(())
    })
    .await;
    assert_eq!(count(&j.server.output(), NOT_EXPORTED), 1, "{}", j.server.output());
}
