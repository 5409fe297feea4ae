//! Events in, up to a hundred at once, each with a result of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::OwnedMutexGuard;

use super::auth::Caller;
use super::events::AcceptedEvent;
use super::openapi::{BadBody, Denied, Invalid, TooLarge, Unavailable};
use super::problem::Problem;
use super::{Api, body, loops};
use loanhook_core::intake::{self, Submission};
use loanhook_core::model::event::{EventDraft, MAX_EVENT_BYTES};
use loanhook_core::model::id::{LoanId, TenantId};
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::ports::{FormulaErrorLog, Intake, Keys, StoreError, Subscriptions};

const LIMIT: (usize, &str) = (4 << 20, "4 MiB a batch");
const MAX_EVENTS: usize = 100;
/// How many events of a batch are rendered and stored at once: each may have hundreds of deliveries.
const AT_ONCE: usize = 25;
/// How long events of a batch are begun: whoever waits for the answer, a gateway most of all, waits for 30
/// seconds.
const BEGUN_WITHIN: Duration = Duration::from_secs(20);

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EventBatch)]
pub(super) struct Batch {
    #[schema(value_type = Vec<KeyedEvent>, max_items = 100)]
    events: Vec<Box<RawValue>>,
}

/// An event with the key that may stand beside it in a batch.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyedEvent {
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$",
        example = "Payment Posted to Account"
    )]
    event_name: String,
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = "^[^/\\\\?#%\\u0000-\\u001f\\u007f-\\u009f]+$",
        example = "727"
    )]
    loan_id: String,
    #[schema(value_type = Object)]
    context: Box<RawValue>,
    #[serde(default)]
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    idempotency_key: Option<String>,
}

/// What became of each event, in order.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct BatchResults {
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
/// One bad event spoils only itself. A webhook of loanhook's that comes back here is 422 as a whole.
#[utoipa::path(
    post, path = "/v1/events/batch", operation_id = "acceptEvents", tag = "events", request_body = Batch,
    responses(
        (status = 200, body = BatchResults, description = "what became of each event, in order"),
        BadBody, Denied, TooLarge, Invalid,
        Unavailable,
    )
)]
pub(super) async fn create<S: Intake + Subscriptions + Keys + FormulaErrorLog + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    headers: HeaderMap,
    request: Body,
) -> Result<Response, Problem> {
    let tenant = caller.with(Scope::EventsWrite)?;
    loops::refuse_own_webhooks(&headers)?;
    let bytes = body::read(&caller, request, LIMIT).await?;
    let batch: Batch = body::parse(&bytes)?;
    if batch.events.len() > MAX_EVENTS {
        return Err(ValidationErrors::one("/events", format!("must have at most {MAX_EVENTS} events")).into());
    }
    let now = Timestamp::now();
    // They reach the store in their order, and share its commits; those of one loan wait for each other where
    // triggers remember what they saw, as these see a loan's events in order.
    let store = &api.store;
    let ordered =
        store.subscriptions(tenant).await?.iter().any(|subscription| subscription.fires_on_change());
    let turns = &Turns { until: Instant::now() + BEGUN_WITHIN, ordered, loans: Mutex::default() };
    let accepted = stream::iter(batch.events)
        .map(|event| async move { accept(store, tenant, &event, now, turns).await });
    let results = accepted.buffered(AT_ONCE).map(|result| match result {
        Ok(event) => BatchResult::Accepted { status: 202, event },
        Err(problem) => BatchResult::Refused(problem),
    });
    Ok(body::json(StatusCode::OK, &BatchResults { results: results.collect().await }))
}

/// Whose turn it is, for each loan where that matters: first come, first served, until time is up.
struct Turns {
    until: Instant,
    ordered: bool,
    loans: Mutex<HashMap<LoanId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    async fn take(&self, loan: &LoanId) -> Result<Option<OwnedMutexGuard<()>>, StoreError> {
        let turn = self.ordered.then(|| {
            let mut loans = self.loans.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(loans.entry(loan.clone()).or_default())
        });
        let turn = match turn {
            Some(turn) => Some(turn.lock_owned().await),
            None => None,
        };
        if Instant::now() > self.until { Err(StoreError::Busy) } else { Ok(turn) }
    }
}

async fn accept<S: Intake + Subscriptions + FormulaErrorLog>(
    store: &S,
    tenant: &TenantId,
    event: &RawValue,
    now: Timestamp,
    turns: &Turns,
) -> Result<AcceptedEvent, Problem> {
    let length = event.get().len();
    let KeyedEvent { event_name, loan_id, context, occurred_at, idempotency_key } =
        body::parse_json(event.get())?;
    // The limit is the event's own: the key may stand beside it.
    let beside = idempotency_key.as_ref().map_or(0, |key| key.len() + ",\"idempotencyKey\":\"\"".len());
    if length > MAX_EVENT_BYTES + beside {
        return Err(Problem::too_large("256 KiB an event"));
    }
    if let Some(key) = &idempotency_key {
        body::check_idempotency_key(key, "/idempotencyKey")?;
    }
    let event = EventDraft { event_name, loan_id, context, occurred_at }.check()?;
    let _turn = turns.take(&event.loan_id).await?;
    let submission = Submission { event, key: idempotency_key };
    Ok(intake::accept(store, tenant, submission, now).await?.into())
}
