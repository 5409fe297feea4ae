//! `/v1/loans/{loanId}/events`: the events of a loan, with what each subscription decided.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::api::export::{self, EVENT_COLUMNS, ExportPage, RequestedExport};
use crate::api::openapi::{Denied, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::event_query::EventQuery;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{CheckedQuery, cursor};
use crate::api::schema::id;
use crate::api::schema::ledger_event::LedgerEventView;
use crate::api::{Api, SharedStore};
use loanhook_core::ledger;
use loanhook_core::model::id::EventId;
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
///
/// As CSV or NDJSON it is the whole list, or with a `limit` a page of it: see `Link`.
#[utoipa::path(
    get, path = "/v1/loans/{loanId}/events", operation_id = "listEvents", tag = "history",
    params(("loanId" = id::LoanId, Path), EventQuery),
    responses(
        (
            status = 200, description = "a page of the events",
            content((EventList = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
            headers(("Link" = String, description = "of CSV and NDJSON: the next part of the list, with rel=\"next\"; absent where there is none")),
        ),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: SharedStore + Ledger + Keys>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    CheckedQuery(query): CheckedQuery<EventQuery>,
    export: RequestedExport,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let loan = path.loan()?;
    let has_limit = query.has_limit();
    let (filter, before, limit) = query.check()?;
    if let Some(export) = export.of(EVENT_COLUMNS, has_limit.then_some(limit)) {
        let of = Arc::new((api.store, tenant.clone(), loan, filter));
        let read = move |before, limit| {
            let of = Arc::clone(&of);
            async move {
                let (store, tenant, loan, filter) = &*of;
                let page = ledger::page(store, (tenant, loan), filter, before, limit).await?;
                let rows = page.events.into_iter().map(|of| (of.event.id, LedgerEventView::new(of)));
                Ok(ExportPage::new(rows, page.next))
            }
        };
        return export.respond(before, read, |last: EventId| cursor(last.uuid())).await;
    }
    let page = ledger::page(&api.store, (tenant, &loan), &filter, before, limit).await?;
    let list = EventList {
        items: page.events.into_iter().map(LedgerEventView::new).collect(),
        next: page.next.map(|last| cursor(last.uuid())),
    };
    Ok(export::json(&list))
}
