//! The export as a function has it: one thread for everything, and nothing runs after the flush.

use std::future::Future as _;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use loanhook_core::model::id::EventId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::trace_context::TraceContext;
use loanhook_core::spans::{Parent, Span, SpanKind, SpanRecorder as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::collector::Collector;
use crate::recorder::Recorder;
use crate::{SpanExport, export_by};

fn exporting_to(address: SocketAddr) -> (SpanExport, Recorder) {
    let failing = Arc::new(AtomicBool::new(false));
    let collector = Collector::new(Duration::from_secs(10), Arc::clone(&failing)).expect("a client");
    let exporter = SpanExporter::builder().with_http().with_http_client(collector);
    let exporter =
        exporter.with_endpoint(format!("http://{address}/v1/traces")).build().expect("an exporter");
    export_by(exporter, failing)
}

fn span() -> Span {
    Span {
        kind: SpanKind::Intake,
        context: TraceContext::of_new_trace(EventId::at(Timestamp::now())).with_sampled(true),
        parent: None,
        began: SystemTime::now(),
        ended: SystemTime::now(),
        attributes: vec![("loanhook.outcome", "accepted".into())],
        failed: false,
    }
}

/// Takes one request, and gives what came once it is answered.
async fn one_request(listener: TcpListener) -> Vec<u8> {
    let (mut socket, _) = listener.accept().await.expect("a connection");
    let mut request = Vec::new();
    while !request.windows(8).any(|bytes| bytes == b"accepted") {
        assert!(socket.read_buf(&mut request).await.expect("it can be read") > 0, "it broke off");
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    socket.write_all(answer).await.expect("it can be answered");
    request
}

#[tokio::test]
async fn a_flush_ends_when_the_collector_has_the_spans() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (export, recorder) = exporting_to(listener.local_addr().expect("an address"));
    let collector = tokio::spawn(one_request(listener));
    recorder.record(span());
    export.flush().await;
    assert!(collector.is_finished(), "it has them when the flush has ended");
    let request = collector.await.expect("it took the request");
    assert!(request.starts_with(b"POST /v1/traces HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&request));
}

#[tokio::test]
async fn no_flush_waits_for_a_collector_that_did_not_take_the_latest_export() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (export, recorder) = exporting_to(listener.local_addr().expect("an address"));
    drop(listener);
    recorder.record(span());
    export.flush().await;
    recorder.record(span());
    // One that does not wait is over when it is asked for the first time.
    let flush = pin!(export.flush());
    assert!(flush.poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[tokio::test]
async fn a_trace_is_recorded_as_its_parent_is() {
    let (_, recorder) = exporting_to(([127, 0, 0, 1], 1).into());
    let context = TraceContext::of_new_trace(EventId::at(Timestamp::now()));
    assert!(recorder.samples(SpanKind::Intake, &context, None));
    for sampled in [true, false] {
        let parent = context.clone().with_sampled(sampled);
        for is_remote in [true, false] {
            let parent = Some(Parent { context: &parent, is_remote });
            assert_eq!(recorder.samples(SpanKind::Attempt, &context, parent), sampled);
        }
    }
}
