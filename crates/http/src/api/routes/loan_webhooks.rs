//! `/v1/loans/{loanId}/webhooks`: the history of a loan, a row of it, and the payloads of a row.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::api::export::{self, ATTEMPT_COLUMNS, ExportPage, RequestedExport};
use crate::api::openapi::{Denied, Download, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{CheckedQuery, HistoryQuery, cursor};
use crate::api::routes::attempt_payloads;
use crate::api::schema::attempt::AttemptView;
use crate::api::schema::id;
use crate::api::{Api, SharedStore, response};
use loanhook_core::history;
use loanhook_core::model::id::AttemptId;
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts, HistoryRow, Keys, Payloads};

/// A page of a loan's history, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct History {
    items: Vec<AttemptView>,
    /// The cursor of the next page; null where there is none.
    #[schema(required)]
    next: Option<String>,
}

/// List a loan's webhooks
///
/// Every attempt that was ever made for the loan, the newest first. A filtered page is full unless the
/// history ends or 5,000 rows were looked at for it; then `next` goes on.
///
/// As CSV or NDJSON it is the whole history, or with a `limit` a page of it: see `Link`.
#[utoipa::path(
    get, path = "/v1/loans/{loanId}/webhooks", operation_id = "listAttempts", tag = "history",
    params(("loanId" = id::LoanId, Path), HistoryQuery),
    responses(
        (
            status = 200, description = "a page of the history",
            content((History = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
            headers(("Link" = String, description = "of CSV and NDJSON: the next part of the list, with rel=\"next\"; absent where there is none")),
        ),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: SharedStore + Attempts + Keys>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    CheckedQuery(query): CheckedQuery<HistoryQuery>,
    export: RequestedExport,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let loan = path.loan()?;
    let has_limit = query.has_limit();
    let (filter, before, limit) = query.check()?;
    if let Some(export) = export.of(ATTEMPT_COLUMNS, has_limit.then_some(limit)) {
        let of = Arc::new((api.store, tenant.clone(), loan, filter));
        let read = move |before, limit| {
            let of = Arc::clone(&of);
            async move {
                let (store, tenant, loan, filter) = &*of;
                let now = Timestamp::now();
                let page = history::page(store, (tenant, loan), filter, before, limit, now).await?;
                let rows = page.rows.into_iter().map(|row| (row.attempt.id, AttemptView::of(row)));
                Ok(ExportPage::new(rows, page.next))
            }
        };
        return export.respond(before, read, |last: AttemptId| cursor(last.uuid())).await;
    }
    let page = history::page(&api.store, (tenant, &loan), &filter, before, limit, Timestamp::now()).await?;
    let history = History {
        items: page.rows.into_iter().map(AttemptView::of).collect(),
        next: page.next.map(|last| cursor(last.uuid())),
    };
    Ok(export::json(&history))
}

/// Read one attempt
///
/// With the headers of its answer.
#[utoipa::path(
    get, path = "/v1/loans/{loanId}/webhooks/{id}", operation_id = "getAttempt", tag = "history",
    params(("loanId" = id::LoanId, Path), ("id" = id::AttemptId, Path)),
    responses(
        (status = 200, body = AttemptView, description = "the attempt"),
        Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn row<S: Attempts + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let row = find_row(&api.store, &caller, &path).await?;
    Ok(response::json(StatusCode::OK, &AttemptView::with_headers(row, &caller)))
}

/// Download the source payload
///
/// The exact bytes sent.
#[utoipa::path(
    get, path = "/v1/loans/{loanId}/webhooks/{id}/source", operation_id = "downloadSource", tag = "history",
    params(("loanId" = id::LoanId, Path), ("id" = id::AttemptId, Path)),
    responses(
        Download, Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn source<S: Attempts + Keys + Payloads + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let row = find_row(&api.store, &caller, &path).await?;
    attempt_payloads::source(&api.store, &row.attempt).await
}

/// Download the response payload
///
/// The exact bytes that came back, up to 1 MiB. 404 where nothing came back.
#[utoipa::path(
    get, path = "/v1/loans/{loanId}/webhooks/{id}/response", operation_id = "downloadResponse", tag = "history",
    params(("loanId" = id::LoanId, Path), ("id" = id::AttemptId, Path)),
    responses(
        Download, Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn response<S: Attempts + Keys + Payloads + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let row = find_row(&api.store, &caller, &path).await?;
    attempt_payloads::response(&api.store, &row.attempt).await
}

async fn find_row<S: Attempts>(
    store: &S,
    caller: &Caller,
    path: &PathParameters,
) -> Result<HistoryRow, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let (loan, id) = (path.loan()?, path.id("id", "attempt")?);
    let row = history::row(store, tenant, &loan, id, Timestamp::now()).await?;
    row.ok_or_else(|| Problem::not_found("attempt"))
}
