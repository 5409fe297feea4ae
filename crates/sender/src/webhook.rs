//! A webhook as a request: the headers that are the same for all attempts, and those that are this one's.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tracing::warn;

use super::{Client, Received, signature};
use loanhook_core::model::attempt::AttemptNumber;
use loanhook_core::model::failure::{ErrorKind, Failure, Phase};
use loanhook_core::model::subscription;
use loanhook_core::ports::{self, NotSent, Sender, WebhookRequest};

const USER_AGENT: &str = concat!("loanhook/", env!("CARGO_PKG_VERSION"));

impl Sender for Client {
    async fn send(&self, outgoing: WebhookRequest) -> Result<ports::SendOutcome, NotSent> {
        let headers = match headers(&outgoing) {
            Ok(headers) => headers,
            Err(error) => return Ok(unsendable(&error)),
        };
        let sent = self
            .send(super::Outgoing {
                tenant: outgoing.tenant.clone(),
                fresh_connection: outgoing.fresh_connection,
                turn: turn(&outgoing),
                method: method(outgoing.method),
                url: outgoing.url,
                headers,
                body: (!outgoing.body.is_empty()).then_some(outgoing.body),
                timeout: outgoing.timeout,
            })
            .await?;
        if let Some(refusal) = &sent.refusal {
            warn!(
                tenant = outgoing.tenant.as_str(),
                trace_id = %outgoing.trace_id,
                attempt_id = %outgoing.attempt_id,
                %refusal,
                "attempt.blocked"
            );
        }
        let (result, received) = match sent.result {
            Ok(received) => (Ok(received.status), Some(received)),
            Err(failure) => {
                (Err(failure), sent.partial.map(|partial| Received { truncated: true, ..partial }))
            }
        };
        Ok(ports::SendOutcome {
            elapsed: sent.elapsed,
            source_ip: sent.source_ip,
            result,
            response: received.map(|received| ports::ReceivedResponse {
                headers: received.headers,
                headers_truncated: received.headers_truncated,
                headers_dropped: received.headers_dropped,
                body: received.body,
                truncated: received.truncated,
            }),
        })
    }
}

fn headers(outgoing: &WebhookRequest) -> Result<HeaderMap, http::Error> {
    let mut headers = HeaderMap::with_capacity(outgoing.headers.len() + 8);
    for (name, value) in &outgoing.headers {
        headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
    }
    let id = outgoing.trace_id.to_string();
    let timestamp = outgoing.sent_at.seconds();
    let secrets: Vec<_> = outgoing.secrets.iter().map(|secret| secret.expose()).collect();
    let signature = signature::sign(&secrets, &id, timestamp, &outgoing.body);
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    if let Some(content_type) = &outgoing.content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type)?);
    }
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
        ("loanhook-attempt-id", outgoing.attempt_id.to_string()),
        ("loanhook-attempt", outgoing.number.to_string()),
        ("loanhook-event", encoded(&outgoing.event_name)),
        ("loanhook-loan", encoded(outgoing.loan_id.as_str())),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    if let Some(occurred_at) = &outgoing.occurred_at {
        headers.insert("loanhook-occurred-at", HeaderValue::try_from(encoded(occurred_at))?);
    }
    if outgoing.test {
        headers.insert("loanhook-test", HeaderValue::from_static("1"));
    }
    Ok(headers)
}

/// Where the attempt begins among a name's addresses: spread over deliveries, and another for the next attempt.
fn turn(outgoing: &WebhookRequest) -> usize {
    let spread = outgoing.trace_id.uuid().as_fields().0 as usize;
    match outgoing.number {
        AttemptNumber::Auto(number) => spread.wrapping_add(number as usize),
        AttemptNumber::Manual => outgoing.attempt_id.uuid().as_u128() as usize,
    }
}

/// Settings are checked when they are saved, so this is a fault of ours; it is a row all the same.
fn unsendable(error: &http::Error) -> ports::SendOutcome {
    ports::SendOutcome {
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

fn method(method: subscription::Method) -> Method {
    match method {
        subscription::Method::Get => Method::GET,
        subscription::Method::Post => Method::POST,
        subscription::Method::Put => Method::PUT,
        subscription::Method::Patch => Method::PATCH,
        subscription::Method::Delete => Method::DELETE,
    }
}
