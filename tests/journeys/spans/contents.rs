//! Contents of spans as the collector gets them: what they are of, and no loan, payload, header value, path or secret.

use serde_json::json;

use super::{TRACE, traceparent};
use crate::harness::collector::Collector;
use crate::harness::server::OPERATOR_KEY;
use crate::harness::{Journey, Reply, Server, event, text, trace_ids};

const PAYLOAD: &str = "hush-payload-4711";
const HEADER: &str = "hush-header-4712";
const ANSWER: &str = "hush-answer-4713";
const QUERY: &str = "hush-query-4714";
const PATH: &str = "hush-path-4715";
const LOAN: &str = "hush-loan-4716";

#[tokio::test]
async fn no_loan_payload_header_path_or_secret_reaches_the_collector() {
    let collector = Collector::start().await;
    let launch = collector.launch_with(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_SERVICE_NAME", "loans-of-acme"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of-the-operator"),
    ]);
    let Some(server) = Server::own_process_with(launch).await else { return };
    let j = Journey::on_server(server).await;
    let headers = json!({"authorization": format!("Bearer {HEADER}"), "x-loan": "[[v('note')]]"});
    let changes = json!({"title": PAYLOAD, "request": {"headers": headers}, "retry": {"delays": []}});
    let path = format!("/{PATH}/[[v('loan-id')]]?token={QUERY}");
    let created = j.subscribe(&path, changes).await;
    j.receiver
        .always(&format!("/{PATH}/{LOAN}"), Reply::with(500, &[("x-secret", ANSWER)], ANSWER.as_bytes()));
    let mut one = event(LOAN);
    one["context"]["note"] = json!(PAYLOAD);
    let sent =
        j.api.request("POST", "/v1/events").json(&one).header("traceparent", &traceparent(TRACE, "01"));
    let trace = trace_ids(&sent.send().await.expect_status(202).json()).remove(0);
    j.api.ended_delivery(&trace).await;
    j.api.resend(&trace).await;

    let spans = collector.spans_of(TRACE, "attempt", 2).await;
    let request = spans.iter().find(|span| span.name == "request").expect("a request");
    assert_eq!(request.attribute("server.address"), "127.0.0.1");
    assert_eq!(request.attribute("server.port"), j.receiver.port().to_string());
    assert_eq!(request.attribute("http.request.method"), "POST");
    for (name, value) in [("service.name", "loans-of-acme"), ("deployment.environment.name", "test")] {
        assert_eq!(request.resource.get(name).map(String::as_str), Some(value));
    }
    j.server.stop().await;
    let signing = text(&created["signingSecret"]).trim_start_matches("whsec_").to_owned();
    let hidden = [PAYLOAD, HEADER, ANSWER, QUERY, PATH, LOAN, OPERATOR_KEY, j.api.key(), &signing];
    assert!(!collector.requests().is_empty());
    for request in collector.requests() {
        assert_eq!((&*request.method, &*request.path_and_query), ("POST", "/v1/traces"));
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(request.header("api-key"), Some("of-the-operator"));
        let head = format!("{} {:?}", request.path_and_query, request.headers);
        for secret in hidden {
            let in_body = request.body.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
            assert!(!in_body && !head.contains(secret), "{secret} reached the collector");
        }
    }
    assert!(!j.server.output().contains("of-the-operator"), "{}", j.server.output());
}
