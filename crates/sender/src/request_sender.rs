//! The request sender: the port [`Sender`] over the [`WebhookClient`].
//!
//! It makes an HTTP request of a webhook: the subscription's headers, the headers of this attempt and the signature.
//! It logs a refused destination (`attempt.blocked`) with the address, which no tenant may read, and hands the rest of
//! the outcome to the use case.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing::warn;

use crate::{WebhookClient, http_outcome::HttpOutcome, http_request::HttpRequest, signature};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};
use loanhook_core::model::subscription;
use loanhook_core::model::trace_context::TraceContext;
use loanhook_core::ports::{NotSent, SendOutcome, Sender, WebhookRequest};

pub(crate) const USER_AGENT: &str = concat!("loanhook/", env!("CARGO_PKG_VERSION"));

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

impl Sender for WebhookClient {
    async fn send(&self, webhook: WebhookRequest) -> Result<SendOutcome, NotSent> {
        let headers = match webhook_headers(&webhook) {
            Ok(headers) => headers,
            Err(error) => return Ok(unsendable_outcome(&error)),
        };
        let request = HttpRequest {
            tenant: webhook.tenant.clone(),
            fresh_connection: webhook.fresh_connection,
            address_offset: address_offset(&webhook),
            method: http_method(webhook.method),
            url: webhook.url,
            headers,
            body: webhook.body,
            tls: webhook.tls,
            timeout: webhook.timeout,
        };
        let outcome = self.send_http(request).await?;
        if let Some(refusal) = &outcome.refusal {
            warn!(
                tenant = webhook.tenant.as_str(),
                trace_id = %webhook.trace_id,
                attempt_id = %webhook.attempt_id,
                %refusal,
                "attempt.blocked"
            );
        }
        Ok(send_outcome(outcome))
    }
}

pub(crate) fn send_outcome(
    HttpOutcome { elapsed, source_ip, result, partial_response, .. }: HttpOutcome,
) -> SendOutcome {
    let (result, response) = match result {
        Ok(response) => (Ok(response.status), Some(response.received)),
        Err(failure) => {
            let mut partial = partial_response.map(|response| response.received);
            partial.iter_mut().for_each(|partial| partial.truncated = true);
            (Err(failure), partial)
        }
    };
    SendOutcome { elapsed, source_ip, result, response }
}

fn webhook_headers(webhook: &WebhookRequest) -> Result<HeaderMap, http::Error> {
    let mut headers = HeaderMap::with_capacity(webhook.headers.len() + 10);
    for (name, value) in &webhook.headers {
        headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    let id = webhook.trace_id.to_string();
    let timestamp = webhook.sent_at.seconds();
    let secrets: Vec<_> = webhook.secrets.iter().map(|secret| secret.expose()).collect();
    let signature = signature::sign(&secrets, &id, timestamp, &webhook.body);
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    if let Some(content_type) = &webhook.content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type)?);
    }
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
        ("loanhook-attempt-id", webhook.attempt_id.to_string()),
        ("loanhook-attempt", webhook.number.to_string()),
        ("loanhook-event", encoded(&webhook.event_name)),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    if let Some(loan) = webhook.loan_id.shown() {
        headers.insert("loanhook-loan", HeaderValue::try_from(encoded(loan))?);
    }
    if let Some(occurred_at) = &webhook.occurred_at {
        headers.insert("loanhook-occurred-at", HeaderValue::try_from(encoded(occurred_at))?);
    }
    if let Some(sequence) = webhook.sequence {
        headers.insert("loanhook-sequence", HeaderValue::from(sequence));
    }
    add_trace_context(&mut headers, webhook.trace_context.as_ref())?;
    if webhook.test {
        headers.insert("loanhook-test", HeaderValue::from_static("1"));
    }
    Ok(headers)
}

/// Names the span of the request. A `traceparent` that the subscription sets stays, and ours would not fit a `tracestate` to it.
fn add_trace_context(headers: &mut HeaderMap, context: Option<&TraceContext>) -> Result<(), http::Error> {
    let Some(context) = context else { return Ok(()) };
    if headers.contains_key(TRACEPARENT) {
        return Ok(());
    }
    headers.insert(TRACEPARENT, HeaderValue::try_from(context.to_string())?);
    if let Some(state) = context.state() {
        headers.entry(TRACESTATE).or_insert(HeaderValue::from_str(state.as_str())?);
    }
    Ok(())
}

/// At which of a name's addresses the attempt begins: spread over deliveries, and another one for the next attempt.
fn address_offset(webhook: &WebhookRequest) -> usize {
    let spread = usize::from(webhook.trace_id.spread_byte());
    match webhook.number {
        AttemptNumber::Auto(number) => spread.wrapping_add(number as usize),
        AttemptNumber::Manual => webhook.attempt_id.uuid().as_u128() as usize,
    }
}

/// A header that HTTP cannot carry. Subscriptions are validated when they are saved, so this is a defect of ours, but the
/// attempt needs its outcome all the same.
pub(crate) fn unsendable_outcome(error: &http::Error) -> SendOutcome {
    SendOutcome {
        elapsed: std::time::Duration::ZERO,
        source_ip: None,
        result: Err(Failure::at(
            Phase::Prepare,
            ErrorKind::Protocol,
            format!("the request could not be made: {error}"),
        )),
        response: None,
    }
}

fn http_method(method: subscription::Method) -> Method {
    match method {
        subscription::Method::Get => Method::GET,
        subscription::Method::Post => Method::POST,
        subscription::Method::Put => Method::PUT,
        subscription::Method::Patch => Method::PATCH,
        subscription::Method::Delete => Method::DELETE,
    }
}
