//! The span of an event's intake.

use std::time::SystemTime;

use super::{AttributeValue, OpenSpan, Parent, SpanKind, recorder};
use crate::intake::Receipt;
use crate::model::event::Event;
use crate::model::id::{EventId, TenantId};
use crate::model::trace_context::TraceContext;

/// The span of an intake that is under way; none where it is not recorded.
#[derive(Debug)]
pub(crate) struct IntakeSpan(Option<OpenSpan>);

impl IntakeSpan {
    /// Begins the span of the intake of an event, below the span that sent it. What comes of the event is below this span from
    /// here on, recorded or not; of an event without a trace context, in a trace of its own.
    pub(crate) fn begin(tenant: &TenantId, event: &mut Event, id: EventId) -> Self {
        let Some(recorder) = recorder() else { return Self(None) };
        let caller = event.trace_context.take();
        let context = match &caller {
            Some(caller) => caller.of_intake(id),
            None => TraceContext::of_new_trace(id),
        };
        let parent = caller.as_ref().map(|context| Parent { context, is_remote: true });
        let sampled = recorder.samples(SpanKind::Intake, &context, parent);
        let context = context.with_sampled(sampled);
        event.trace_context = Some(context.clone());
        Self(sampled.then(|| OpenSpan {
            recorder,
            kind: SpanKind::Intake,
            context,
            parent: caller.map(|caller| (caller.span_id(), true)),
            began: SystemTime::now(),
            attributes: vec![("loanhook.tenant", tenant.as_str().into())],
        }))
    }

    /// Ends the span: the event was accepted, its key was refused, or the store failed.
    pub(crate) fn end(self, receipt: Option<&Receipt>, refused: bool) {
        let Some(mut span) = self.0 else { return };
        let outcome = match receipt {
            Some(receipt) => {
                let deliveries = i64::try_from(receipt.deliveries.len()).unwrap_or(i64::MAX);
                span.attributes.push(("loanhook.event.id", receipt.event_id.to_string().into()));
                span.attributes.push(("loanhook.deliveries", AttributeValue::Number(deliveries)));
                "accepted"
            }
            None if refused => "refused",
            None => "failed",
        };
        span.attributes.push(("loanhook.outcome", outcome.into()));
        span.end(receipt.is_none() && !refused);
    }
}
