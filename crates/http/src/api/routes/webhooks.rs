//! `/v1/webhooks/{traceId}`: a delivery with its attempts, and its cancellation.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::api::openapi::{Conflict, Denied, Invalid, NotFound, Unavailable};
use crate::api::problem::Problem;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{CheckedQuery, PageQuery};
use crate::api::schema::delivery::DeliveryView;
use crate::api::schema::id;
use crate::api::{Api, response};
use loanhook_core::model::id::{AttemptId, TenantId, TraceId};
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{AttemptRange, Attempts, Deliveries, FlowControl, Keys};
use loanhook_core::{history, holds, resend};

/// The number of attempts of a page where the query gives none: more than a schedule can make, with 25 slots and two
/// interrupted attempts in each.
const DEFAULT_ATTEMPTS: usize = 100;

/// Read a delivery
///
/// Its status, what is due, and its attempts, the oldest first: 100 unless told otherwise. A schedule by itself has
/// no more; where resends make more, `next` is the cursor of those that follow.
#[utoipa::path(
    get, path = "/v1/webhooks/{traceId}", operation_id = "getDelivery", tag = "history",
    params(("traceId" = id::TraceId, Path), PageQuery),
    responses(
        (status = 200, body = DeliveryView, description = "the delivery"),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn get<S: Attempts + FlowControl + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    CheckedQuery(query): CheckedQuery<PageQuery>,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let (after, limit) = query.check_with_default_limit(DEFAULT_ATTEMPTS)?;
    let trace = path.id("traceId", "delivery")?;
    show(&api.store, tenant, trace, after.map(AttemptId::from_uuid), limit).await
}

/// Cancel a delivery
///
/// Ends its automatic attempts: one that is being sent finishes, and a resend is still possible.
#[utoipa::path(
    post, path = "/v1/webhooks/{traceId}/cancel", operation_id = "cancelDelivery", tag = "resend", params(("traceId" = id::TraceId, Path)),
    responses(
        (status = 200, body = DeliveryView, description = "the delivery"),
        Denied, NotFound, Conflict, Unavailable,
    )
)]
pub(in crate::api) async fn cancel<S: Attempts + Deliveries + FlowControl + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::WebhooksResend)?;
    let trace = path.id("traceId", "delivery")?;
    resend::cancel(&api.store, tenant, trace).await?;
    show(&api.store, tenant, trace, None, DEFAULT_ATTEMPTS).await
}

async fn show<S: Attempts + FlowControl>(
    store: &S,
    tenant: &TenantId,
    trace: TraceId,
    after: Option<AttemptId>,
    limit: usize,
) -> Result<Response, Problem> {
    let span = AttemptRange::OldestFirst { after };
    let now = Timestamp::now();
    let found = history::delivery_attempts(store, tenant, trace, span, limit, now).await?;
    let found = found.ok_or_else(|| Problem::not_found("delivery"))?;
    let waiting = holds::waiting_of(store, &found.delivery, now).await?;
    Ok(response::json(StatusCode::OK, &DeliveryView::new(found, waiting)))
}
