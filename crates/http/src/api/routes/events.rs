//! `/v1/events`: one event.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::api::openapi::{BadBody, Conflict, Denied, IdempotencyKey, Invalid, TooLarge, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::{body, idempotency_key, returned_webhooks, trace_context};
use crate::api::schema::event_draft::EventDraft;
use crate::api::{Api, response, schema};
use loanhook_core::intake::{self, Receipt, Submission};
use loanhook_core::model::event::{EventInput, MAX_EVENT_BYTES};
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FormulaErrorLog, Intake, Keys, Ledger, Subscriptions};

const EVENT_LIMIT: (usize, &str) = (MAX_EVENT_BYTES, "256 KiB an event");

/// A promise: each of these deliveries is attempted until it succeeds or its schedule runs out.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AcceptedEvent {
    event_id: schema::id::EventId,
    /// One for each subscription that matched; empty where none did.
    deliveries: Vec<AcceptedDelivery>,
    /// What the sender may want to mend: a name in use, of a subscription or the catalogue, from which the event's
    /// name differs only in case, blanks or Unicode form. Empty where there is nothing.
    warnings: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct AcceptedDelivery {
    trace_id: schema::id::TraceId,
    subscription_id: schema::id::SubscriptionId,
    event_title: String,
}

impl From<Receipt> for AcceptedEvent {
    fn from(receipt: Receipt) -> Self {
        let deliveries = receipt.deliveries.into_iter().map(|promised| AcceptedDelivery {
            trace_id: promised.trace_id.into(),
            subscription_id: promised.subscription_id.into(),
            event_title: promised.event_title,
        });
        Self {
            event_id: receipt.event_id.into(),
            deliveries: deliveries.collect(),
            warnings: receipt.warnings,
        }
    }
}

/// Take an event in
///
/// Answers once every delivery it causes is stored. With an `Idempotency-Key` the same body, sent again
/// within 24 h, gives the same answer and sends nothing twice. A webhook of loanhook's that comes back here is 422.
/// A `traceparent` (W3C Trace Context) is sent on by each attempt, with a span ID of its own, and the `tracestate` beside it as it
/// came; one that is not valid is ignored.
#[utoipa::path(
    post, path = "/v1/events", operation_id = "acceptEvent", tag = "events", request_body = EventDraft,
    params(IdempotencyKey),
    responses(
        (status = 202, body = AcceptedEvent, description = "accepted: a promise"),
        BadBody, Denied, Conflict,
        TooLarge, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn create<
    S: Intake + Subscriptions + Ledger + Keys + FormulaErrorLog + Send + Sync,
>(
    State(api): State<Api<S>>,
    caller: Caller,
    headers: HeaderMap,
    raw_body: Body,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::EventsWrite)?;
    returned_webhooks::refuse_own_webhooks(&headers)?;
    let key = idempotency_key::of_headers(&headers)?;
    let bytes = body::read(&caller, raw_body, EVENT_LIMIT).await?;
    let mut event = EventInput::from(body::parse::<EventDraft>(&bytes)?).check()?;
    event.trace_context = trace_context::of_headers(&headers);
    let submission = Submission { event, key };
    let receipt = intake::accept(&api.store, tenant, submission, Timestamp::now()).await?;
    Ok(response::json(StatusCode::ACCEPTED, &AcceptedEvent::from(receipt)))
}
