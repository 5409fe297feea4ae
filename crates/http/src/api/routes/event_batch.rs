//! `/v1/events/batch`: up to 100 events in one request, each with a result of its own.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::openapi::{BadBody, Denied, Invalid, TooLarge, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::{body, idempotency_key, returned_webhooks, trace_context};
use crate::api::routes::events::AcceptedEvent;
use crate::api::schema::event_draft::KeyedEventDraft;
use crate::api::{Api, response};
use loanhook_core::intake::{self, Submission};
use loanhook_core::model::event::{EventInput, MAX_EVENT_BYTES};
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::ports::{FormulaErrorLog, Intake, Keys, Ledger, Subscriptions};

const BATCH_LIMIT: (usize, &str) = (4 << 20, "4 MiB a batch");
const MAX_EVENTS: usize = 100;
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EventBatch)]
pub(in crate::api) struct Batch {
    #[schema(value_type = Vec<KeyedEventDraft>, max_items = 100)]
    events: Vec<Box<RawValue>>,
}

/// What became of each event, in order.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct BatchResults {
    results: Vec<BatchResult>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum BatchResult {
    Accepted {
        /// 202
        status: u16,
        #[serde(flatten)]
        event: AcceptedEvent,
    },
    Refused(Problem),
}

/// Take up to 100 events in
///
/// One bad event spoils only itself. A webhook of loanhook's that comes back here is 422 as a whole. A `traceparent`, with its
/// `tracestate`, is that of each event.
#[utoipa::path(
    post, path = "/v1/events/batch", operation_id = "acceptEvents", tag = "events", request_body = Batch,
    responses(
        (status = 200, body = BatchResults, description = "what became of each event, in order"),
        BadBody, Denied, TooLarge, Invalid,
        Unavailable,
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
    let bytes = body::read(&caller, raw_body, BATCH_LIMIT).await?;
    let batch: Batch = body::parse(&bytes)?;
    if batch.events.len() > MAX_EVENTS {
        return Err(ValidationErrors::one("/events", format!("must have at most {MAX_EVENTS} events")).into());
    }
    let trace_context = trace_context::of_headers(&headers);
    let events = batch.events.into_iter().map(|event| {
        let mut submission = submission(&event)?;
        submission.event.trace_context = trace_context.clone();
        Ok(submission)
    });
    let results = intake::accept_batch(&api.store, tenant, events, Timestamp::now()).await?;
    let results = results.into_iter().map(|result| match result {
        Ok(receipt) => BatchResult::Accepted { status: 202, event: receipt.into() },
        Err(problem) => BatchResult::Refused(problem),
    });
    Ok(response::json(StatusCode::OK, &BatchResults { results: results.collect() }))
}

/// One event of a batch, with the limit that a single event has.
fn submission(event: &RawValue) -> Result<Submission, Problem> {
    let mut draft: KeyedEventDraft = body::parse_object(event.get())?;
    let key = draft.idempotency_key.take();
    // The bytes of the key do not count as the event's.
    let beside = key.as_ref().map_or(0, |key| key.len() + ",\"idempotencyKey\":\"\"".len());
    if event.get().len() > MAX_EVENT_BYTES + beside {
        return Err(Problem::too_large("256 KiB an event"));
    }
    if let Some(key) = &key {
        idempotency_key::check(key, "/idempotencyKey")?;
    }
    Ok(Submission { event: EventInput::from(draft).check()?, key })
}
