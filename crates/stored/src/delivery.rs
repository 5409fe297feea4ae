//! Stored snapshot of a delivery: what never changes of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Not;

use loanhook_core::model::credentials::FrozenHeaders;
use loanhook_core::model::delivery::{DeliverySnapshot, RequestSnapshot};
use loanhook_core::model::id::{EventId, SubscriptionId, TraceId};
use loanhook_core::model::trace_context::TraceContext;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::payload::StoredPayload;
use crate::retry::StoredRetry;
use crate::values::{StoredLoan, StoredTenant, StoredTime};
use crate::words::StoredMethod;
use crate::{Document, Version};

/// A snapshot of version 1 has all headers, credentials among them. One of version 2 has those that were rendered from
/// placeholders alone: a program that knows version 1 would send it without credentials. Each is written in its version.
const VERSION: u32 = 2;

#[derive(Debug, Serialize, Deserialize)]
pub struct StoredSnapshot<'a> {
    #[serde(default, skip_serializing_if = "Version::is_first")]
    v: Version<VERSION>,
    trace_id: Uuid,
    tenant: StoredTenant,
    event_id: Uuid,
    loan_id: StoredLoan,
    subscription_id: Uuid,
    subscription_version: u64,
    event_title: Cow<'a, str>,
    event_name: Cow<'a, str>,
    occurred_at: Option<Cow<'a, str>>,
    /// Absent is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    test: bool,
    accepted_at: StoredTime,
    /// Absent where no order is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    request: StoredRequest<'a>,
    retry: StoredRetry<'a>,
    timeout_seconds: u32,
    /// A `traceparent`, of the span that sent the event or of its intake; in documents of earlier versions the span is 1, which
    /// is that of nobody. Absent where there is none; one that cannot be read is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
    /// A `tracestate`. Absent where none came with the event; one that cannot be read, or is without a `traceparent`, is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tracestate: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredRequest<'a> {
    method: StoredMethod,
    url: Cow<'a, str>,
    headers: Cow<'a, BTreeMap<String, String>>,
    content_type: Option<Cow<'a, str>>,
    payload: StoredPayload,
    /// Absent is a request that can be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unrenderable: Option<Cow<'a, str>>,
}

impl Document for DeliverySnapshot {
    const VERSION: u32 = VERSION;
    type Stored<'a> = StoredSnapshot<'a>;

    fn to_stored(&self) -> StoredSnapshot<'_> {
        let Self {
            trace_id,
            tenant,
            event_id,
            loan_id,
            subscription_id,
            subscription_version,
            event_title,
            event_name,
            occurred_at,
            test,
            accepted_at,
            sequence,
            trace_context,
            request,
            retry,
            timeout_seconds,
        } = self;
        StoredSnapshot {
            v: match &request.headers {
                FrozenHeaders::Rendered(_) => Version::NEWEST,
                FrozenHeaders::WithCredentials(_) => Version::default(),
            },
            trace_id: trace_id.uuid(),
            tenant: StoredTenant(tenant.clone()),
            event_id: event_id.uuid(),
            loan_id: StoredLoan(loan_id.clone()),
            subscription_id: subscription_id.uuid(),
            subscription_version: *subscription_version,
            event_title: event_title.into(),
            event_name: event_name.into(),
            occurred_at: occurred_at.as_deref().map(Cow::Borrowed),
            test: *test,
            accepted_at: StoredTime(*accepted_at),
            sequence: *sequence,
            request: request.into(),
            retry: retry.into(),
            timeout_seconds: *timeout_seconds,
            traceparent: trace_context.as_ref().map(|context| context.to_string().into()),
            tracestate: trace_context.as_ref().and_then(|context| Some(context.state()?.as_str().into())),
        }
    }

    fn from_stored(stored: StoredSnapshot<'_>) -> Self {
        let StoredSnapshot {
            v,
            trace_id,
            tenant,
            event_id,
            loan_id,
            subscription_id,
            subscription_version,
            event_title,
            event_name,
            occurred_at,
            test,
            accepted_at,
            sequence,
            request,
            retry,
            timeout_seconds,
            traceparent,
            tracestate,
        } = stored;
        Self {
            trace_id: TraceId::from_uuid(trace_id),
            tenant: tenant.0,
            event_id: EventId::from_uuid(event_id),
            loan_id: loan_id.0,
            subscription_id: SubscriptionId::from_uuid(subscription_id),
            subscription_version,
            event_title: event_title.into_owned(),
            event_name: event_name.into_owned(),
            occurred_at: occurred_at.map(Cow::into_owned),
            test,
            accepted_at: accepted_at.0,
            sequence,
            trace_context: read_trace_context(traceparent.as_deref(), tracestate.as_deref()),
            request: request.read(v),
            retry: retry.into(),
            timeout_seconds,
        }
    }
}

fn read_trace_context(traceparent: Option<&str>, tracestate: Option<&str>) -> Option<TraceContext> {
    let context: TraceContext = traceparent?.parse().ok()?;
    let state = tracestate.and_then(|text| text.parse().ok());
    Some(context.with_state(state))
}

impl<'a> From<&'a RequestSnapshot> for StoredRequest<'a> {
    fn from(request: &'a RequestSnapshot) -> Self {
        let RequestSnapshot { method, url, headers, content_type, payload, unrenderable } = request;
        Self {
            method: (*method).into(),
            url: url.into(),
            headers: Cow::Borrowed(headers.all()),
            content_type: content_type.as_deref().map(Cow::Borrowed),
            payload: (*payload).into(),
            unrenderable: unrenderable.as_deref().map(Cow::Borrowed),
        }
    }
}

impl StoredRequest<'_> {
    /// The request of a snapshot of this version.
    fn read(self, version: Version<VERSION>) -> RequestSnapshot {
        let Self { method, url, headers, content_type, payload, unrenderable } = self;
        let headers = headers.into_owned();
        RequestSnapshot {
            method: method.into(),
            url: url.into_owned(),
            headers: match version.number() {
                1 => FrozenHeaders::WithCredentials(headers),
                _ => FrozenHeaders::Rendered(headers),
            },
            content_type: content_type.map(Cow::into_owned),
            payload: payload.into(),
            unrenderable: unrenderable.map(Cow::into_owned),
        }
    }
}
