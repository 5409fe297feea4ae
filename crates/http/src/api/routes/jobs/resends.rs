//! `/v1/resends`: bulk resends.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use super::{ItemQuery, JobItemList, JobList};
use crate::api::export::RequestedExport;
use crate::api::openapi::{
    BadBody, Conflict, Denied, IdempotencyKey, Invalid, NotFound, TooLarge, Unavailable,
};
use crate::api::problem::Problem;
use crate::api::request::body;
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{CheckedQuery, PageQuery};
use crate::api::schema::id::JobId;
use crate::api::schema::job::{PlanView, ResendJobView};
use crate::api::schema::job_draft::ResendJobDraft;
use crate::api::{Api, SharedStore, response};
use loanhook_core::model::job::JobKind;
use loanhook_core::ports::{DeliveryList, FlowControl, Jobs, Keys, Ledger};
use loanhook_core::recovery::JobInput;

/// Resend many deliveries
///
/// Makes a job that resends the deliveries that pass the filter, oldest first, those of one loan one after the other, at the pace
/// that was asked for. Its list is fixed when it is made; deliveries that were never attempted are left out. Each is resent
/// once, whatever dies meanwhile, and the automatic schedules go on as they were: a delivery that succeeds by its own is
/// skipped, unless `force` is set. A list has at most 1,000,000 deliveries. With an `Idempotency-Key` a repeated call within
/// 24 h returns the same job.
#[utoipa::path(
    post, path = "/v1/resends", operation_id = "createResendJob", tag = "recovery", params(IdempotencyKey), request_body = ResendJobDraft,
    responses(
        (status = 202, body = ResendJobView, description = "the job"),
        (status = 200, body = PlanView, description = "what it would do (`dryRun`)"),
        BadBody, Denied, Conflict, TooLarge, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn create<S: Jobs + DeliveryList + FlowControl + Ledger + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    parts: Parts,
    raw_body: Body,
) -> Result<Response, Problem> {
    let bytes = super::read_body(&caller, &parts, raw_body).await?;
    let draft: ResendJobDraft = body::parse(&bytes)?;
    let dry_run = draft.dry_run;
    let new = JobInput::from(draft).check()?;
    if dry_run {
        return super::plan(&api.store, &caller, &new).await;
    }
    let job = super::create(&api.store, &caller, &parts, &bytes, (JobKind::Resend, new)).await?;
    Ok(response::json(StatusCode::ACCEPTED, &ResendJobView::from(job)))
}

/// List bulk resends
#[utoipa::path(
    get, path = "/v1/resends", operation_id = "listResendJobs", tag = "recovery", params(PageQuery),
    responses(
        (status = 200, body = JobList<ResendJobView>, description = "a page of the jobs, the newest first"),
        Denied, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: Jobs + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    CheckedQuery(query): CheckedQuery<PageQuery>,
) -> Result<Response, Problem> {
    let list: JobList<ResendJobView> = super::list(&api.store, &caller, JobKind::Resend, query).await?;
    Ok(response::json(StatusCode::OK, &list))
}

/// Read a bulk resend
#[utoipa::path(
    get, path = "/v1/resends/{id}", operation_id = "getResendJob", tag = "recovery", params(("id" = JobId, Path)),
    responses(
        (status = 200, body = ResendJobView, description = "the job"),
        Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn get<S: Jobs + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let job = super::get(&api.store, &caller, JobKind::Resend, &path).await?;
    Ok(response::json(StatusCode::OK, &ResendJobView::from(job)))
}

/// List the deliveries of a bulk resend
///
/// The list of the job, the newest delivery first, with the outcome of each. A page with a filter is full unless the list ends
/// or 5,000 deliveries were looked at for it; then `next` goes on.
///
/// As CSV or NDJSON it is the whole list, or with a `limit` a page of it: see `Link`.
#[utoipa::path(
    get, path = "/v1/resends/{id}/items", operation_id = "listResendJobItems", tag = "recovery",
    params(("id" = JobId, Path), ItemQuery),
    responses(
        (
            status = 200, description = "a page of the list",
            content((JobItemList = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
            headers(("Link" = String, description = "of CSV and NDJSON: the next part of the list, with rel=\"next\"; absent where there is none")),
        ),
        Denied, NotFound, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn items<S: SharedStore + Jobs + Keys>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    CheckedQuery(query): CheckedQuery<ItemQuery>,
    export: RequestedExport,
) -> Result<Response, Problem> {
    let job = super::get(&api.store, &caller, JobKind::Resend, &path).await?;
    super::items(api.store, job, query, export).await
}

/// Stop a bulk resend
///
/// Nothing more is resent; what is on its way gets its outcome, and what is done stays done. A job that is over stays as it is.
#[utoipa::path(
    delete, path = "/v1/resends/{id}", operation_id = "stopResendJob", tag = "recovery", params(("id" = JobId, Path)),
    responses(
        (status = 200, body = ResendJobView, description = "the job"),
        Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn stop<S: Jobs + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let job = super::stop(&api.store, &caller, JobKind::Resend, &path).await?;
    Ok(response::json(StatusCode::OK, &ResendJobView::from(job)))
}
