//! One delivery, by its trace ID.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::auth::Caller;
use super::openapi::{Conflict, Denied, NotFound, Unavailable};
use super::path::Segments;
use super::problem::Problem;
use super::view::DeliveryView;
use super::{Api, body};
use crate::model::id::{TenantId, TraceId};
use crate::model::key::Scope;
use crate::model::time::Timestamp;
use crate::ports::{Attempts, Deliveries, Keys};
use crate::{history, resend};

/// Read a delivery
///
/// Its status, what is due, and all its attempts.
#[utoipa::path(
    get, path = "/v1/webhooks/{traceId}", operation_id = "getDelivery", tag = "history", params(("traceId" = TraceId, Path)),
    responses(
        (status = 200, body = DeliveryView, description = "the delivery"),
        Denied, NotFound, Unavailable,
    )
)]
pub(super) async fn get<S: Attempts + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: Segments,
) -> Result<Response, Problem> {
    let tenant = caller.with(Scope::HistoryRead)?;
    show(&api.store, &caller, tenant, path.id("traceId", "delivery")?).await
}

/// Cancel a delivery
///
/// Ends its automatic attempts: one that is being sent finishes, and a resend is still possible.
#[utoipa::path(
    post, path = "/v1/webhooks/{traceId}/cancel", operation_id = "cancelDelivery", tag = "resend", params(("traceId" = TraceId, Path)),
    responses(
        (status = 200, body = DeliveryView, description = "the delivery"),
        Denied, NotFound, Conflict, Unavailable,
    )
)]
pub(super) async fn cancel<S: Attempts + Deliveries + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: Segments,
) -> Result<Response, Problem> {
    let tenant = caller.with(Scope::WebhooksResend)?;
    let trace = path.id("traceId", "delivery")?;
    resend::cancel(&api.store, tenant, trace).await?;
    show(&api.store, &caller, tenant, trace).await
}

async fn show<S: Attempts>(
    store: &S,
    caller: &Caller,
    tenant: &TenantId,
    trace: TraceId,
) -> Result<Response, Problem> {
    let found = history::delivery(store, tenant, trace, Timestamp::now()).await?;
    let (delivery, attempts) = found.ok_or_else(|| Problem::not_found("delivery"))?;
    Ok(body::json(StatusCode::OK, &DeliveryView::new(delivery, attempts, caller)))
}
