//! The spans of an attempt: the attempt itself, its claim, its request and its completion.

use std::time::SystemTime;

use url::{Position, Url};

use super::{Attribute, AttributeValue, OpenSpan, Parent, SpanKind, random_span_id, recorder, system_time};
use crate::model::attempt::{Attempt, Completion};
use crate::model::delivery::DeliverySnapshot;
use crate::model::trace_context::TraceContext;
use crate::ports::WebhookRequest;

/// The spans of an attempt that is under way; none where it is not recorded.
#[derive(Debug)]
pub struct AttemptSpans(Option<Box<OpenSpans>>);

#[derive(Debug)]
struct OpenSpans {
    attempt: OpenSpan,
    request: Option<OpenSpan>,
    completion: Option<OpenSpan>,
    failed: bool,
}

impl AttemptSpans {
    /// Begins the spans of an attempt whose claim is stored, below the intake of its event. The claim began when the row says
    /// that it is sent.
    pub fn begin(snapshot: &DeliverySnapshot, row: &Attempt) -> Self {
        let Some(attempt) = begin_attempt(snapshot, row) else { return Self(None) };
        attempt.child(SpanKind::Claim, random_span_id(), attempt.began).end(false);
        Self(Some(Box::new(OpenSpans { attempt, request: None, completion: None, failed: false })))
    }

    /// Begins the span of the request, which the request names to its receiver.
    pub fn begin_request(&mut self, outgoing: &mut WebhookRequest) {
        let Some(open) = &mut self.0 else { return };
        let mut span = open.attempt.child(SpanKind::Request, 0, SystemTime::now());
        span.context = open.attempt.context.of_attempt(outgoing.attempt_id);
        span.attributes.extend(of_request(outgoing.method.name(), &outgoing.url));
        outgoing.trace_context = Some(span.context.clone());
        open.request = Some(span);
    }

    /// Ends the span of the request with what came of it, which the row says.
    pub fn end_request(&mut self, row: &Attempt) {
        let Some(open) = &mut self.0 else { return };
        let (Some(mut span), Some(completion)) = (open.request.take(), row.completion()) else { return };
        span.attributes.extend(of_completion(completion));
        span.end(!completion.succeeded());
    }

    /// Begins the span of the completion: the row says what came of the attempt, and is about to be stored.
    pub fn begin_completion(&mut self, row: &Attempt) {
        let (Some(open), Some(completion)) = (&mut self.0, row.completion()) else { return };
        open.completion = Some(open.attempt.child(SpanKind::Completion, random_span_id(), SystemTime::now()));
        open.attempt.attributes.extend(of_completion(completion));
        open.failed = !completion.succeeded();
    }

    /// Ends the spans of an attempt whose completion is stored, or could not be stored.
    pub fn end(self, stored: bool) {
        let Some(open) = self.0 else { return };
        let OpenSpans { attempt, completion, failed, .. } = *open;
        if let Some(completion) = completion {
            completion.end(!stored);
        }
        attempt.end(failed || !stored);
    }

    /// Ends the span of an attempt that was given back: nothing was sent, for want of something of ours.
    pub fn end_released(self) {
        let Some(open) = self.0 else { return };
        let mut attempt = open.attempt;
        attempt.attributes.push(("loanhook.outcome", "released".into()));
        attempt.end(true);
    }
}

/// Records the spans of an attempt whose sender died, from its claim until it was found, so that what the receiver recorded
/// below the request is not without it.
pub fn record_interrupted(snapshot: &DeliverySnapshot, row: &Attempt) {
    let Some(completion) = row.completion() else { return };
    let Some(mut attempt) = begin_attempt(snapshot, row) else { return };
    let mut request = attempt.child(SpanKind::Request, 0, attempt.began);
    request.context = attempt.context.of_attempt(row.id);
    request.attributes.extend(of_request(row.method.name(), &row.destination));
    request.attributes.extend(of_completion(completion));
    attempt.attributes.extend(of_completion(completion));
    let ended = system_time(completion.ended_at);
    request.end_at(ended, true);
    attempt.end_at(ended, true);
}

/// The span of an attempt; none where it is not recorded.
fn begin_attempt(snapshot: &DeliverySnapshot, row: &Attempt) -> Option<OpenSpan> {
    let recorder = recorder()?;
    let intake = snapshot.trace_context.as_ref();
    let trace = intake.cloned().unwrap_or_else(|| TraceContext::of_new_trace(snapshot.event_id));
    let context = trace.with_span(random_span_id());
    let parent = intake.map(|context| Parent { context, is_remote: true });
    if !recorder.samples(SpanKind::Attempt, &context, parent) {
        return None;
    }
    Some(OpenSpan {
        recorder,
        kind: SpanKind::Attempt,
        context: context.with_sampled(true),
        parent: intake.map(|intake| (intake.span_id(), true)),
        began: system_time(row.sent_at),
        attributes: of_row(row),
    })
}

fn of_row(row: &Attempt) -> Vec<Attribute> {
    vec![
        ("loanhook.tenant", row.tenant.as_str().into()),
        ("loanhook.trace_id", row.trace_id.to_string().into()),
        ("loanhook.subscription.id", row.subscription_id.to_string().into()),
        ("loanhook.attempt.id", row.id.to_string().into()),
        ("loanhook.attempt.number", row.number.to_string().into()),
    ]
}

/// The method and where it goes to: of the URL only scheme, host and port, since paths and queries may name loans and hold keys.
pub(super) fn of_request(method: &'static str, url: &str) -> Vec<Attribute> {
    let mut attributes = vec![("http.request.method", method.into())];
    if let Ok(url) = Url::parse(url) {
        let host = url[Position::BeforeHost..Position::AfterHost].to_owned();
        let port = url.port_or_known_default().map(|port| AttributeValue::Number(port.into()));
        attributes.push(("url.scheme", url.scheme().into()));
        attributes.push(("server.address", host.into()));
        attributes.extend(port.map(|port| ("server.port", port)));
    }
    attributes
}

/// Not the detail of a failure: it may say more of the receiver than its kind.
fn of_completion(completion: &Completion) -> Vec<Attribute> {
    let outcome = if completion.succeeded() { "succeeded" } else { "failed" };
    let mut attributes = vec![("loanhook.outcome", outcome.into())];
    match &completion.result {
        Ok(status) => {
            attributes.push(("http.response.status_code", AttributeValue::Number((*status).into())));
            if !completion.succeeded() {
                attributes.push(("error.type", status.to_string().into()));
            }
        }
        Err(failure) => attributes.push(("error.type", failure.kind.as_str().into())),
    }
    attributes
}
