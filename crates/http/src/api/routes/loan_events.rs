//! `/v1/loans/{loanId}/events`: the events of a loan, with what each subscription decided.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::api::openapi::{Denied, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::event_query::EventQuery;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{CheckedQuery, cursor};
use crate::api::schema::id;
use crate::api::schema::ledger_event::LedgerEventView;
use crate::api::{Api, response};
use loanhook_core::ledger;
use loanhook_core::model::key::Scope;
use loanhook_core::ports::{Keys, Ledger};

/// A page of a loan's events, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct EventList {
    items: Vec<LedgerEventView>,
    /// The cursor of the next page; null where there is none.
    #[schema(required)]
    next: Option<String>,
}

/// List a loan's events
///
/// Every event that was accepted for the loan, the newest first, with what each subscription decided about it, also where
/// nothing matched. A filtered page is full unless the ledger ends or 5,000 events were looked at for it; then `next` goes on.
#[utoipa::path(
    get, path = "/v1/loans/{loanId}/events", operation_id = "listEvents", tag = "history",
    params(("loanId" = id::LoanId, Path), EventQuery),
    responses(
        (status = 200, body = EventList, description = "a page of the events"),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: Ledger + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    CheckedQuery(query): CheckedQuery<EventQuery>,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let loan = path.loan()?;
    let (filter, before, limit) = query.check()?;
    let page = ledger::page(&api.store, (tenant, &loan), &filter, before, limit).await?;
    let list = EventList {
        items: page.events.into_iter().map(LedgerEventView::new).collect(),
        next: page.next.map(|last| cursor(last.uuid())),
    };
    Ok(response::json(StatusCode::OK, &list))
}
