//! `/v1/webhooks/{traceId}/attempts/{id}`: an attempt by its delivery, and its payloads. Attempts of operational events, which belong
//! to no loan, have no other path.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::api::openapi::{Denied, Download, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::routes::attempt_payloads;
use crate::api::schema::attempt::AttemptView;
use crate::api::schema::id;
use crate::api::{Api, response};
use loanhook_core::history;
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{Attempts, HistoryRow, Keys, Payloads};

/// Read one attempt of a delivery
///
/// With the headers of its answer.
#[utoipa::path(
    get, path = "/v1/webhooks/{traceId}/attempts/{id}", operation_id = "getAttemptOfDelivery", tag = "history",
    params(("traceId" = id::TraceId, Path), ("id" = id::AttemptId, Path)),
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

/// Download the source payload of an attempt of a delivery
///
/// The exact bytes sent.
#[utoipa::path(
    get, path = "/v1/webhooks/{traceId}/attempts/{id}/source", operation_id = "downloadSourceOfDelivery", tag = "history",
    params(("traceId" = id::TraceId, Path), ("id" = id::AttemptId, Path)),
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

/// Download the response payload of an attempt of a delivery
///
/// The exact bytes that came back, up to 1 MiB. 404 where nothing came back.
#[utoipa::path(
    get, path = "/v1/webhooks/{traceId}/attempts/{id}/response", operation_id = "downloadResponseOfDelivery", tag = "history",
    params(("traceId" = id::TraceId, Path), ("id" = id::AttemptId, Path)),
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
    let (trace, id) = (path.id("traceId", "attempt")?, path.id("id", "attempt")?);
    let row = history::row_of_delivery(store, tenant, trace, id, Timestamp::now()).await?;
    row.ok_or_else(|| Problem::not_found("attempt"))
}
