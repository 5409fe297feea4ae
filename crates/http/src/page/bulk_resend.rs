//! Bulk resend of the page: everything of the loan that matches the filters of its list, by a recovery job.
//!
//! A page asks first, with the count; its form makes the job; and the page of the job says what became of it. The job is of the
//! loan alone, whatever the session covers, and its resends have the name of the viewer.

use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use uuid::Uuid;

use super::bulk_filter::BulkFilter;
use super::error_page::ErrorPage;
use super::form::Form;
use super::page_parameters::PageParameters;
use super::page_request::PageRequest;
use super::resend::{CSRF_FIELD, ONCE_FIELD};
use super::view::bulk_resend;
use super::{PageStore, Pages};
use crate::web::call_limits::{CallLimits, Requester};
use loanhook_core::model::job::{Job, JobKind, Selection};
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::recovery::{self, JobInput, NewJob, Plan};

/// What the page asks about.
pub(super) struct Question {
    pub(super) parameters: PageParameters,
    pub(super) plan: Plan,
}

/// Asks whether all that match are to be resent, and says how many they are.
pub(super) async fn ask<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let parameters = PageParameters::read(parts.uri.query()).first_page();
    take_resend(&request, &parts)?;
    let Some(new) = new_job(&parameters, &request) else { return Ok(list(&parameters, &request)) };
    let plan = recovery::plan(&pages.store, &request.grant.tenant, &new, Timestamp::now()).await?;
    Ok(bulk_resend::question(&Question { parameters, plan }, &request))
}

/// Makes the job, and redirects to its page.
pub(super) async fn begin<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let form = Form::read(body).await?;
    request.check_csrf_token(&parts.headers, form.get(CSRF_FIELD))?;
    take_resend(&request, &parts)?;
    let parameters = PageParameters::read(parts.uri.query()).first_page();
    let Some(new) = new_job(&parameters, &request) else { return Ok(list(&parameters, &request)) };
    let asked = format!("{}{}", request.path(), parameters.query());
    // Each form makes one job, however often it is sent. No key of the API begins with this character.
    let key = form.get(ONCE_FIELD).parse::<Uuid>().ok();
    let key = key.map(|once| (format!("\u{7f}page {once}"), PayloadKey::of(asked.as_bytes())));
    let (tenant, viewer) = (&request.grant.tenant, request.grant.name.clone());
    let job = recovery::create(&pages.store, tenant, new, viewer, key, Timestamp::now()).await?;
    Ok(Redirect::to(&request.job_path(job.id)).into_response())
}

/// Shows what became of the job so far.
pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
) -> Result<Response, ErrorPage> {
    if !request.may_resend() {
        return Err(ErrorPage::NotFound);
    }
    let id = request.job_id().ok_or(ErrorPage::NotFound)?;
    let job = recovery::show(&pages.store, &request.grant.tenant, JobKind::Resend, id).await?;
    let job = job.filter(|job| is_of_loan(job, &request)).ok_or(ErrorPage::NotFound)?;
    Ok(bulk_resend::outcome(&job, &request))
}

/// Whether all deliveries of a job are of the loan of the page.
fn is_of_loan(job: &Job, request: &PageRequest) -> bool {
    let Selection::Filter(filter) = &job.request.selection else { return false };
    filter.loan_id.as_deref() == Some(request.loan.as_str())
}

/// Takes one of the resends that the viewer may ask for, if the viewer may resend.
fn take_resend(request: &PageRequest, parts: &Parts) -> Result<(), ErrorPage> {
    if !request.may_resend() {
        return Err(ErrorPage::MayNotResend);
    }
    let grant = &request.grant;
    let viewer = Requester::Viewer(grant.key, grant.name.clone());
    CallLimits::of(&parts.extensions).take_resend(&viewer, &grant.tenant, &grant.name, Instant::now())?;
    Ok(())
}

/// The job of the filters; none where no delivery can be chosen by them, or one is wrong: the list says so.
fn new_job(parameters: &PageParameters, request: &PageRequest) -> Option<NewJob> {
    let BulkFilter::Deliveries(filter) = BulkFilter::of(parameters, &request.loan) else { return None };
    let input = JobInput {
        kind: JobKind::Resend,
        filter: *filter,
        trace_ids: None,
        to: None,
        per_second: Some(PER_SECOND.into()),
        newest_per_loan: false,
        stop_after_failures: None,
        force: false,
    };
    input.check().ok()
}

/// How many webhooks a second a page resends at most.
pub(super) const PER_SECOND: u32 = 10;

fn list(parameters: &PageParameters, request: &PageRequest) -> Response {
    Redirect::to(&format!("{}{}", request.path(), parameters.query())).into_response()
}
