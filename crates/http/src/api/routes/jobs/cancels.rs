//! `/v1/cancels`: bulk cancels.

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
use crate::api::schema::job::{JobView, PlanView};
use crate::api::schema::job_draft::CancelJobDraft;
use crate::api::{Api, SharedStore, response};
use loanhook_core::model::job::JobKind;
use loanhook_core::ports::{DeliveryList, FlowControl, Jobs, Keys, Ledger};
use loanhook_core::recovery::JobInput;

/// Cancel many deliveries
///
/// Makes a job that ends the automatic attempts of the pending deliveries that pass the filter, oldest first, at the pace that was
/// asked for. An attempt that is being sent finishes. With an `Idempotency-Key` a repeated call within 24 h returns the
/// same job.
#[utoipa::path(
    post, path = "/v1/cancels", operation_id = "createCancelJob", tag = "recovery", params(IdempotencyKey), request_body = CancelJobDraft,
    responses(
        (status = 202, body = JobView, description = "the job"),
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
    let draft: CancelJobDraft = body::parse(&bytes)?;
    let dry_run = draft.dry_run;
    let new = JobInput::from(draft).check()?;
    if dry_run {
        return super::plan(&api.store, &caller, &new).await;
    }
    let job = super::create(&api.store, &caller, &parts, &bytes, (JobKind::Cancel, new)).await?;
    Ok(response::json(StatusCode::ACCEPTED, &JobView::from(job)))
}

/// List bulk cancels
#[utoipa::path(
    get, path = "/v1/cancels", operation_id = "listCancelJobs", tag = "recovery", params(PageQuery),
    responses(
        (status = 200, body = JobList<JobView>, description = "a page of the jobs, the newest first"),
        Denied, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: Jobs + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    CheckedQuery(query): CheckedQuery<PageQuery>,
) -> Result<Response, Problem> {
    let list: JobList<JobView> = super::list(&api.store, &caller, JobKind::Cancel, query).await?;
    Ok(response::json(StatusCode::OK, &list))
}

/// Read a bulk cancel
#[utoipa::path(
    get, path = "/v1/cancels/{id}", operation_id = "getCancelJob", tag = "recovery", params(("id" = JobId, Path)),
    responses(
        (status = 200, body = JobView, description = "the job"),
        Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn get<S: Jobs + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let job = super::get(&api.store, &caller, JobKind::Cancel, &path).await?;
    Ok(response::json(StatusCode::OK, &JobView::from(job)))
}

/// List the deliveries of a bulk cancel
///
/// The list of the job, the newest delivery first, with the outcome of each. A page with a filter is full unless the list ends
/// or 5,000 deliveries were looked at for it; then `next` goes on.
///
/// As CSV or NDJSON it is the whole list, or with a `limit` a page of it: see `Link`.
#[utoipa::path(
    get, path = "/v1/cancels/{id}/items", operation_id = "listCancelJobItems", tag = "recovery",
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
    let job = super::get(&api.store, &caller, JobKind::Cancel, &path).await?;
    super::items(api.store, job, query, export).await
}

/// Stop a bulk cancel
///
/// Nothing more is canceled; what is done stays done. A job that is over stays as it is.
#[utoipa::path(
    delete, path = "/v1/cancels/{id}", operation_id = "stopCancelJob", tag = "recovery", params(("id" = JobId, Path)),
    responses(
        (status = 200, body = JobView, description = "the job"),
        Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn stop<S: Jobs + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let job = super::stop(&api.store, &caller, JobKind::Cancel, &path).await?;
    Ok(response::json(StatusCode::OK, &JobView::from(job)))
}
