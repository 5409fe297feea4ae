//! `/v1/events/{eventId}`: one event of the ledger, and its context.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::api::openapi::{Denied, Download, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::schema::id;
use crate::api::schema::ledger_event::LedgerEventView;
use crate::api::{Api, response};
use crate::web::download::download;
use loanhook_core::ledger::EventWithStatuses;
use loanhook_core::model::key::Scope;
use loanhook_core::ports::{Keys, Ledger, Payloads};
use loanhook_core::{ledger, stored_event};

/// Read an event
///
/// With what each subscription decided about it, and the status of its deliveries.
#[utoipa::path(
    get, path = "/v1/events/{eventId}", operation_id = "getEvent", tag = "history",
    params(("eventId" = id::EventId, Path)),
    responses(
        (status = 200, body = LedgerEventView, description = "the event"),
        Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn get<S: Ledger + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let found = find(&api.store, &caller, &path).await?;
    Ok(response::json(StatusCode::OK, &LedgerEventView::new(found)))
}

/// Download the context of an event
///
/// The exact bytes, as they came.
#[utoipa::path(
    get, path = "/v1/events/{eventId}/context", operation_id = "downloadContext", tag = "history",
    params(("eventId" = id::EventId, Path)),
    responses(
        Download, Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn context<S: Ledger + Keys + Payloads + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let event = find(&api.store, &caller, &path).await?.event;
    let bytes = stored_event::context(&api.store, &event).await?.ok_or_else(context_gone)?;
    Ok(download(bytes, Some("application/json"), &format!("context-{}", event.id)))
}

/// The event that the path names.
pub(super) async fn find<S: Ledger>(
    store: &S,
    caller: &Caller,
    path: &PathParameters,
) -> Result<EventWithStatuses, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let found = ledger::event(store, tenant, path.id("eventId", "event")?).await?;
    found.ok_or_else(|| Problem::not_found("event"))
}

pub(super) fn context_gone() -> Problem {
    Problem::missing("the context of this event is not kept any more")
}
