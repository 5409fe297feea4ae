//! A collector of spans: it takes OTLP over HTTP in protobuf, as the collectors of OpenTelemetry do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

use super::launch::Launch;
use super::receiver::{Received, Receiver};
use super::reply::Reply;
use super::wait::eventually;

const PATH: &str = "/v1/traces";

/// A span as the collector got it; IDs in hexadecimal digits, empty where there is none.
#[derive(Clone, Debug)]
pub(crate) struct CollectedSpan {
    pub(crate) name: String,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent: String,
    pub(crate) state: String,
    pub(crate) kind: SpanKind,
    pub(crate) failed: bool,
    /// Numbers as text.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Of what sent it.
    pub(crate) resource: BTreeMap<String, String>,
}

impl CollectedSpan {
    #[track_caller]
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).unwrap_or_else(|| panic!("it has {name}: {self:#?}"))
    }
}

pub(crate) struct Collector {
    receiver: Receiver,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        Self { receiver: Receiver::start().await }
    }

    /// The settings of a server that exports to this collector at once.
    pub(crate) fn launch(&self) -> Launch {
        self.launch_with(&[("OTEL_BSP_SCHEDULE_DELAY", "20")])
    }

    pub(crate) fn launch_with(&self, variables: &[(&str, &str)]) -> Launch {
        exporting_to(&self.receiver.url(""), variables)
    }

    /// Refuses so many exports for good; the next ones are taken.
    pub(crate) fn refuses(&self, exports: usize) {
        self.receiver.replies(PATH, (0..exports).map(|_| Reply::status(400)));
    }

    /// What came so far, byte for byte.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.receiver.requests()
    }

    /// The spans that came so far.
    pub(crate) fn spans(&self) -> Vec<CollectedSpan> {
        let mut collected = Vec::new();
        for request in self.requests() {
            let export = ExportTraceServiceRequest::decode(&request.body[..]).expect("an export of spans");
            for of_resource in export.resource_spans {
                let resource = attributes(&of_resource.resource.unwrap_or_default().attributes);
                let spans = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
                collected.extend(spans.map(|span| read(span, &resource)));
            }
        }
        collected
    }

    /// The spans of a trace, once there are so many of this name.
    pub(crate) async fn spans_of(&self, trace_id: &str, name: &str, count: usize) -> Vec<CollectedSpan> {
        eventually(&format!("{count} spans named {name} of {trace_id}"), async || {
            let mut spans = self.spans();
            spans.retain(|span| span.trace_id == trace_id);
            let found = spans.iter().filter(|span| span.name == name).count();
            (found == count).then_some(spans)
        })
        .await
    }
}

/// The settings of a server that exports to this endpoint.
pub(crate) fn exporting_to(endpoint: &str, variables: &[(&str, &str)]) -> Launch {
    let mut launch = Launch::default();
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)];
    let all = endpoint.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    launch.environment.extend(all);
    launch
}

fn read(span: Span, resource: &BTreeMap<String, String>) -> CollectedSpan {
    CollectedSpan {
        kind: span.kind(),
        failed: span.status.is_some_and(|status| status.code() == StatusCode::Error),
        attributes: attributes(&span.attributes),
        name: span.name,
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        state: span.trace_state,
        resource: resource.clone(),
    }
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| match attribute.value.clone().unwrap_or_default().value {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => panic!("{} has a value of another kind: {other:?}", attribute.key),
    };
    of.iter().map(|attribute| (attribute.key.clone(), text(attribute))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
