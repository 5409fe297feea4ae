//! `/v1/resends` and `/v1/cancels`: recovery jobs. What the routes of both kinds have in common.

pub(in crate::api) mod cancels;
pub(in crate::api) mod resends;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::SharedStore;
use crate::api::export::{self, ExportPage, JOB_ITEM_COLUMNS, RequestedExport};
use crate::api::problem::Problem;
use crate::api::request::body::{self, ReadBody, SETTINGS_LIMIT};
use crate::api::request::caller::Caller;
use crate::api::request::idempotency_key;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{PageQuery, check_page, cursor};
use crate::api::response;
use crate::api::schema::job::{JobItemView, PlanView};
use loanhook_core::log;
use loanhook_core::model::id::JobId;
use loanhook_core::model::job::{ItemOutcome, Job, JobKind};
use loanhook_core::model::key::Scope;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::model::validation::ValidationErrors;
use loanhook_core::paging::cut_to_page;
use loanhook_core::ports::{DeliveryList, FlowControl, Jobs, Ledger};
use loanhook_core::recovery::{self, NewJob};

/// A page of jobs, the newest first.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct JobList<T> {
    items: Vec<T>,
    /// The cursor of the next page; null where there is none.
    #[schema(required)]
    next: Option<String>,
}

/// A page of a job's list, the newest delivery first.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::api) struct JobItemList {
    items: Vec<JobItemView>,
    /// The cursor of the next page; null where there is none.
    #[schema(required)]
    next: Option<String>,
}

/// Which items of a job.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ItemQuery {
    /// waiting, succeeded, failed, skipped or superseded.
    #[param(pattern = "^(waiting|succeeded|failed|skipped|superseded)$")]
    outcome: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// `next` of the page before.
    #[param(pattern = "cursor")]
    cursor: Option<String>,
}

/// Reads the body of a call that makes a job. It counts as one resend where those of a caller are limited.
async fn read_body(caller: &Caller, parts: &Parts, raw_body: Body) -> Result<ReadBody, Problem> {
    caller.require(Scope::WebhooksResend)?;
    caller.check_resend(&parts.extensions)?;
    body::read(caller, raw_body, SETTINGS_LIMIT).await
}

async fn create<S: Jobs + DeliveryList + FlowControl + Ledger>(
    store: &S,
    caller: &Caller,
    parts: &Parts,
    body: &[u8],
    (kind, new): (JobKind, NewJob),
) -> Result<Job, Problem> {
    let tenant = caller.require(Scope::WebhooksResend)?;
    let digest = PayloadKey::of(&[kind_word(kind), body].concat());
    let key = idempotency_key::of_headers(&parts.headers)?.map(|key| (key, digest));
    let requested_by = caller.key().0.name.clone();
    Ok(recovery::create(store, tenant, new, requested_by, key, Timestamp::now()).await?)
}

/// What tells the bodies of both kinds apart.
const fn kind_word(kind: JobKind) -> &'static [u8] {
    match kind {
        JobKind::Resend => b"resend ",
        JobKind::Cancel => b"cancel ",
    }
}

async fn plan<S: DeliveryList + FlowControl + Ledger>(
    store: &S,
    caller: &Caller,
    new: &NewJob,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::WebhooksResend)?;
    let plan = recovery::plan(store, tenant, new, Timestamp::now()).await?;
    Ok(response::json(StatusCode::OK, &PlanView::new(plan)))
}

async fn list<S: Jobs, T: From<Job>>(
    store: &S,
    caller: &Caller,
    kind: JobKind,
    query: PageQuery,
) -> Result<JobList<T>, Problem> {
    let tenant = caller.require(Scope::WebhooksResend)?;
    let (before, limit) = query.check()?;
    let mut jobs = store.jobs(tenant, kind, before.map(JobId::from_uuid), limit + 1).await?;
    let next = cut_to_page(&mut jobs, limit).map(|last| cursor(last.id.uuid()));
    Ok(JobList { items: jobs.into_iter().map(T::from).collect(), next })
}

async fn get<S: Jobs>(
    store: &S,
    caller: &Caller,
    kind: JobKind,
    path: &PathParameters,
) -> Result<Job, Problem> {
    let tenant = caller.require(Scope::WebhooksResend)?;
    let found = recovery::show(store, tenant, kind, path.id("id", "job")?).await?;
    found.ok_or_else(|| Problem::not_found("job"))
}

async fn items<S: SharedStore + Jobs>(
    store: S,
    job: Job,
    query: ItemQuery,
    export: RequestedExport,
) -> Result<Response, Problem> {
    let has_limit = query.limit.is_some();
    let (from, limit) = check_page(query.cursor, query.limit)?;
    let rule = "must be the next of the page before, as it was given";
    let from = u32::try_from(from.unwrap_or_default().as_u128());
    let from = from.map_err(|_| ValidationErrors::one("cursor", rule))?;
    let outcome = query.outcome.map(|text| {
        let known = ItemOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == text);
        let rule = "must be waiting, succeeded, failed, skipped or superseded";
        known.ok_or_else(|| ValidationErrors::one("outcome", rule))
    });
    let outcome = outcome.transpose()?;
    if let Some(export) = export.of(JOB_ITEM_COLUMNS, has_limit.then_some(limit)) {
        let of = Arc::new((store, job));
        let read = move |from: Option<u32>, limit| {
            let of = Arc::clone(&of);
            async move {
                let (store, job) = &*of;
                let page = recovery::items(store, job, outcome, from.unwrap_or_default(), limit).await?;
                let rows = page.items.into_iter();
                // The list goes on with the item after a row.
                Ok(ExportPage::new(
                    rows.map(|(number, item)| (number + 1, JobItemView::from(item))),
                    page.next,
                ))
            }
        };
        return export.respond(Some(from), read, item_cursor).await;
    }
    let page = recovery::items(&store, &job, outcome, from, limit).await?;
    let items = page.items.into_iter().map(|(_, item)| JobItemView::from(item)).collect();
    Ok(export::json(&JobItemList { items, next: page.next.map(item_cursor) }))
}

/// The cursor of the page that begins with the item of this number.
fn item_cursor(number: u32) -> String {
    cursor(Uuid::from_u128(number.into()))
}

async fn stop<S: Jobs>(
    store: &S,
    caller: &Caller,
    kind: JobKind,
    path: &PathParameters,
) -> Result<Job, Problem> {
    let tenant = caller.require(Scope::WebhooksResend)?;
    let id: JobId = path.id("id", "job")?;
    let found = recovery::stop(store, tenant, kind, id, Timestamp::now()).await?;
    let job = found.ok_or_else(|| Problem::not_found("job"))?;
    log::change("job.stop_requested", caller.key().0, tenant, &id);
    Ok(job)
}
