//! `/v1/webhooks/{traceId}/resend` and LoanPro's `/v1/webhook/retry/{traceId}/{attempt}`: resends.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;

use crate::api::openapi::{
    BadBody, Conflict, Denied, IdempotencyKey, Invalid, NotFound, TooLarge, Unavailable,
};
use crate::api::problem::Problem;
use crate::api::request::body::{self, SETTINGS_LIMIT};
use crate::api::request::caller::Caller;
use crate::api::request::idempotency_key;
use crate::api::request::path::PathParameters;
use crate::api::schema::id::{AttemptId, TraceId};
use crate::api::schema::resend_draft::ResendDraft;
use crate::api::{Api, response};
use loanhook_core::model::attempt::{AttemptNumber, ResendTo};
use loanhook_core::model::filter_input::number;
use loanhook_core::model::id;
use loanhook_core::model::key::Scope;
use loanhook_core::ports::Keys;
use loanhook_core::resend::ResendStore;

/// The attempt that will send again.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AcceptedResend {
    id: AttemptId,
    trace_id: TraceId,
}

/// Resend a delivery
///
/// Sends exactly what was sent, again. The automatic schedule goes on as it was. With `{"to": "current"}` it goes to the URL
/// that the subscription has now: method, body and the headers with placeholders are as they were sent, the other headers
/// those of the subscription now; 409 if the subscription is deleted, the event is not kept any more, or the URL does not
/// render for it. Without a body it goes to the URL that the delivery was first sent to. With an `Idempotency-Key` a repeated
/// call within 24 h returns the same attempt; with another `to` it is 409. A key may ask for 600 resends
/// at once and then for 10 a second, in this shape and LoanPro's together; more are 429.
#[utoipa::path(
    post, path = "/v1/webhooks/{traceId}/resend", operation_id = "resendDelivery", tag = "resend",
    params(("traceId" = TraceId, Path), IdempotencyKey), request_body = Option<ResendDraft>,
    responses(
        (status = 202, body = AcceptedResend, description = "the attempt that will send again"),
        BadBody, Denied, NotFound, Conflict, TooLarge, Invalid,
        Unavailable,
    )
)]
pub(in crate::api) async fn resend<S: Keys + ResendStore + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    parts: Parts,
    raw_body: Body,
) -> Result<Response, Problem> {
    caller.require(Scope::WebhooksResend)?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let draft: ResendDraft = if bytes.is_empty() { ResendDraft::default() } else { body::parse(&bytes)? };
    queue_resend(&api.store, &caller, &path, &parts, (None, draft.to.into())).await
}

/// Resend an attempt
///
/// As LoanPro asks for it. The attempt must have happened; the bytes are the same for all, and so is the URL, which is the
/// one that the delivery was first sent to.
#[utoipa::path(
    post, path = "/v1/webhook/retry/{traceId}/{attempt}", operation_id = "resendAttempt", tag = "resend",
    params(
        ("traceId" = TraceId, Path),
        ("attempt" = String, Path, description = "a number or `manual`", pattern = "attemptNumber"),
        IdempotencyKey,
    ),
    responses(
        (status = 202, body = AcceptedResend, description = "the attempt that will send again"),
        Denied, NotFound, Conflict, Invalid,
        Unavailable,
    )
)]
pub(in crate::api) async fn retry<S: Keys + ResendStore + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    parts: Parts,
) -> Result<Response, Problem> {
    let attempt = match path.text("attempt") {
        "manual" => Some(AttemptNumber::Manual),
        text => number(text).map(AttemptNumber::Auto),
    };
    caller.require(Scope::WebhooksResend)?;
    let attempt = attempt.ok_or_else(|| Problem::not_found("attempt"))?;
    queue_resend(&api.store, &caller, &path, &parts, (Some(attempt), ResendTo::Original)).await
}

/// Resend an attempt, at LoanPro's path
#[utoipa::path(
    post, path = "/api/public/api/1/webhook/retry/{traceId}/{attempt}", operation_id = "resendAttemptAtLoanPro", tag = "resend",
    params(
        ("traceId" = TraceId, Path),
        ("attempt" = String, Path, description = "a number or `manual`", pattern = "attemptNumber"),
        IdempotencyKey,
    ),
    responses(
        (status = 202, body = AcceptedResend, description = "the attempt that will send again"),
        Denied, NotFound, Conflict, Invalid,
        Unavailable,
    )
)]
pub(in crate::api) async fn retry_at_loanpro<S: Keys + ResendStore + Send + Sync>(
    api: State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    parts: Parts,
) -> Result<Response, Problem> {
    retry(api, caller, path, parts).await
}

async fn queue_resend<S: ResendStore>(
    store: &S,
    caller: &Caller,
    path: &PathParameters,
    parts: &Parts,
    (attempt, to): (Option<AttemptNumber>, ResendTo),
) -> Result<Response, Problem> {
    caller.require(Scope::WebhooksResend)?;
    let trace_id: id::TraceId = path.id("traceId", "delivery")?;
    let key = idempotency_key::of_headers(&parts.headers)?;
    let allowed = caller.check_resend(&parts.extensions)?;
    let id = allowed.queue(store, trace_id, (attempt.into(), to), key).await?;
    Ok(response::json(StatusCode::ACCEPTED, &AcceptedResend { id: id.into(), trace_id: trace_id.into() }))
}
