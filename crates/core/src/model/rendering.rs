//! Rendering of a subscription's request for one event: the snapshot of a delivery.

use std::collections::BTreeMap;
use std::fmt::Display;

use bytes::Bytes;
use url::Url;

use super::credentials::FrozenHeaders;
use super::delivery::{Delivery, DeliverySnapshot, RequestSnapshot};
use super::event_evaluation::{EventEvaluation, NOT_UNICODE};
use super::id::{EventId, TraceId};
use super::payload::Payload;
use super::subscription::{MAX_HEADERS, MAX_URL, Subscription, is_header_value};
use super::template::{MAX_BODY, Template, TemplateError, Variables};

impl Delivery {
    /// Makes the snapshot of what a subscription sends for an event, and gives its payload's bytes. A template that does
    /// not render is told in the snapshot, which is never sent then.
    pub fn render(
        subscription: &Subscription,
        evaluation: &EventEvaluation<'_>,
        id: EventId,
    ) -> (Self, Bytes) {
        let (settings, event) = (&subscription.settings, evaluation.event);
        let trace_id = TraceId::of(id, subscription.id);
        let (request, bytes) = request(subscription, evaluation, trace_id).unwrap_or_else(|reason| {
            let request = RequestSnapshot {
                method: settings.request.method,
                url: settings.request.url.clone(),
                headers: FrozenHeaders::none(),
                content_type: None,
                payload: Payload::of(b""),
                unrenderable: Some(reason),
            };
            (request, Bytes::new())
        });
        let snapshot = DeliverySnapshot {
            trace_id,
            tenant: subscription.tenant.clone(),
            event_id: id,
            loan_id: event.loan_id.clone(),
            subscription_id: subscription.id,
            subscription_version: subscription.version,
            event_title: settings.title.clone(),
            event_name: event.name.clone(),
            occurred_at: event.occurred_at.clone(),
            test: false,
            accepted_at: evaluation.at,
            sequence: None,
            trace_context: event.trace_context.clone(),
            request,
            retry: settings.retry.clone(),
            timeout_seconds: settings.timeout_seconds,
        };
        (Self::new(snapshot, evaluation.at), bytes)
    }
}

/// How many bytes a subscription's request for an event takes in memory at most: its body, and all else. A body without
/// a template is the event's own, which is there once for all.
pub fn size_at_most(subscription: &Subscription, evaluation: &EventEvaluation<'_>) -> (usize, usize) {
    /// About what a delivery takes besides its request.
    const DELIVERY: usize = 1024;
    let compiled = subscription.settings.compiled.of(&subscription.settings);
    // Without a context nothing that varies renders; where nothing varies, the context is not read.
    let varying_size = |template: &Template, most: usize| {
        let context = evaluation.context()?;
        let variables = Variables::of(evaluation, context, TraceId::from_uuid(uuid::Uuid::nil()));
        Some(template.size_at_most(&variables, most))
    };
    let size = |template: &Result<Template, TemplateError>, most: usize| {
        let Ok(template) = template else { return 0 };
        template.constant_size().or_else(|| varying_size(template, most)).unwrap_or(0)
    };
    let headers: usize = compiled.headers.values().map(|value| size(value, MAX_HEADERS)).sum();
    let payload = compiled.payload.as_ref().map_or(0, |payload| size(payload, MAX_BODY));
    (payload, DELIVERY + size(&compiled.url, MAX_URL) + headers.min(MAX_HEADERS))
}

/// A URL as it is sent, of what its template came to.
pub fn sent_url(rendered: String) -> Result<String, &'static str> {
    let is_url = Url::parse(&rendered).is_ok_and(|url| url.has_host());
    if is_url { Ok(rendered) } else { Err("what comes of it is no URL") }
}

/// A header's value as it is sent, of what its template came to: without blanks at its ends.
pub fn sent_header(rendered: &str) -> Result<String, &'static str> {
    let value = rendered.trim_matches([' ', '\t']);
    if is_header_value(value) { Ok(value.into()) } else { Err("what comes of it is no header value") }
}

/// The URL that a subscription sends an event to, in the delivery of this trace.
///
/// # Errors
///
/// Why it does not render: a sentence that holds no value of the event.
pub fn render_url(
    subscription: &Subscription,
    evaluation: &EventEvaluation<'_>,
    trace_id: TraceId,
) -> Result<String, String> {
    let url = &subscription.settings.compiled.of(&subscription.settings).url;
    sent_url(render("the URL", (url, MAX_URL), (evaluation, trace_id))?)
        .map_err(|reason| failed("the URL", &reason))
}

/// What a template comes to, in at most so many bytes, or why it does not render.
fn render(
    what: &str,
    (template, most): (&Result<Template, TemplateError>, usize),
    (evaluation, trace_id): (&EventEvaluation<'_>, TraceId),
) -> Result<String, String> {
    let template = template.as_ref().map_err(|error| failed(what, error))?;
    if template.is_constant() {
        return Ok(template.sample());
    }
    let context = evaluation.context().ok_or_else(|| failed(what, &NOT_UNICODE))?;
    template.render(&Variables::of(evaluation, context, trace_id), most).map_err(|error| failed(what, &error))
}

fn failed(what: &str, reason: &dyn Display) -> String {
    format!("the template of {what} does not render: {reason}")
}

/// The request and its body, or why it cannot be rendered.
fn request(
    subscription: &Subscription,
    evaluation: &EventEvaluation<'_>,
    trace_id: TraceId,
) -> Result<(RequestSnapshot, Bytes), String> {
    let settings = &subscription.settings;
    let compiled = settings.compiled.of(settings);
    let url = render_url(subscription, evaluation, trace_id)?;
    let mut headers = BTreeMap::new();
    let mut room = MAX_HEADERS;
    for (name, template) in &compiled.headers {
        let what = format!("the header {name}");
        let value = sent_header(&render(&what, (template, MAX_HEADERS), (evaluation, trace_id))?)
            .map_err(|reason| failed(&what, &reason))?;
        room = room
            .checked_sub(name.len() + value.len())
            .ok_or("the templates of the headers render to more than 32 KiB in all")?;
        // One without placeholders is a credential: the request takes it from the subscription when it leaves.
        if template.as_ref().is_ok_and(|template| !template.is_constant()) {
            headers.insert(name.clone(), value);
        }
    }
    let headers = FrozenHeaders::Rendered(headers);
    let (bytes, payload) = match &compiled.payload {
        Some(template) => {
            let rendered = render("the payload", (template, MAX_BODY), (evaluation, trace_id))?;
            let bytes = Bytes::from(rendered);
            if !evaluation.reserve_rendered(bytes.len()) {
                return Err(
                    "the templates of all subscriptions render to more than 32 MiB for this event".into()
                );
            }
            let payload = Payload::of(&bytes);
            (bytes, payload)
        }
        None if settings.request.method.carries_event() => evaluation.event.envelope(),
        None => (Bytes::new(), Payload::of(b"")),
    };
    let content_type = (!bytes.is_empty()).then(|| settings.request.content_type.clone());
    let method = settings.request.method;
    Ok((RequestSnapshot { method, url, headers, content_type, payload, unrenderable: None }, bytes))
}

#[cfg(test)]
#[path = "rendering_tests.rs"]
mod tests;
