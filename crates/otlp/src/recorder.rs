//! The recorder of spans: the sampler decides which, and the processor takes them.

use std::sync::Arc;

use loanhook_core::model::trace_context::TraceContext;
use loanhook_core::spans::{AttributeValue, Parent, Span, SpanKind, SpanRecorder};
use opentelemetry::trace::{
    self, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, Config, SamplingDecision, ShouldSample, SpanData, SpanProcessor as _,
};

#[derive(Debug)]
pub(crate) struct Recorder {
    processor: Arc<BatchSpanProcessor>,
    sampler: Box<dyn ShouldSample>,
    scope: InstrumentationScope,
}

impl Recorder {
    /// A recorder with the sampler that `OTEL_TRACES_SAMPLER` names; without it every trace is recorded, but one that its caller
    /// does not record.
    pub(crate) fn new(processor: Arc<BatchSpanProcessor>) -> Self {
        let scope = InstrumentationScope::builder("loanhook").with_version(env!("CARGO_PKG_VERSION")).build();
        Self { processor, sampler: Config::default().sampler, scope }
    }
}

impl SpanRecorder for Recorder {
    fn samples(&self, kind: SpanKind, context: &TraceContext, parent: Option<Parent<'_>>) -> bool {
        let parent = parent.map(|Parent { context, is_remote }| {
            Context::new().with_remote_span_context(span_context(context, is_remote))
        });
        let trace = TraceId::from(context.trace_id());
        let kind_of_span = kind_of(kind);
        let sampled =
            self.sampler.should_sample(parent.as_ref(), trace, kind.name(), &kind_of_span, &[], &[]);
        sampled.decision == SamplingDecision::RecordAndSample
    }

    fn record(&self, span: Span) {
        let Span { kind, context, parent, began, ended, attributes, failed } = span;
        let attributes = attributes.into_iter().map(|(name, value)| match value {
            AttributeValue::Text(text) => KeyValue::new(name, text),
            AttributeValue::Number(number) => KeyValue::new(name, number),
        });
        self.processor.on_end(SpanData {
            span_context: span_context(&context, false),
            parent_span_id: parent.map_or(SpanId::INVALID, |(id, _)| SpanId::from(id)),
            parent_span_is_remote: parent.is_some_and(|(_, is_remote)| is_remote),
            span_kind: kind_of(kind),
            name: kind.name().into(),
            start_time: began,
            end_time: ended,
            attributes: attributes.collect(),
            dropped_attributes_count: 0,
            events: Default::default(),
            links: Default::default(),
            status: if failed { Status::error("") } else { Status::Unset },
            instrumentation_scope: self.scope.clone(),
        });
    }
}

/// A resend or a retry is not called by anybody who waits for it.
const fn kind_of(kind: SpanKind) -> trace::SpanKind {
    match kind {
        SpanKind::Intake => trace::SpanKind::Server,
        SpanKind::Attempt => trace::SpanKind::Consumer,
        SpanKind::Request => trace::SpanKind::Client,
        SpanKind::Claim | SpanKind::Completion => trace::SpanKind::Internal,
    }
}

fn span_context(context: &TraceContext, is_remote: bool) -> SpanContext {
    // What is read as a trace state is one here too; without it a span is the same.
    let state = context.state().and_then(|state| state.as_str().parse().ok()).unwrap_or(TraceState::NONE);
    SpanContext::new(
        TraceId::from(context.trace_id()),
        SpanId::from(context.span_id()),
        TraceFlags::new(context.flags()),
        is_remote,
        state,
    )
}
