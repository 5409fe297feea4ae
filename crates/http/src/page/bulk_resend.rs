//! Bulk resend of the pages: everything that matches the filters of a list, by a recovery job.
//!
//! A page asks first, with the count; its form makes the job, whose page (`job`) says what became of it. From the page of a loan a job
//! is of that loan alone, whatever the session covers. Resends have the name of the viewer.

use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use uuid::Uuid;

use super::bulk_scope::BulkScope;
use super::error_page::ErrorPage;
use super::page_parameters::PageParameters;
use super::resend::{ONCE_FIELD, TO_CURRENT, TO_FIELD};
use super::view::bulk_resend;
use super::{PageStore, Pages};
use crate::web::call_limits::{CallLimits, Requester};
use loanhook_core::model::job::JobKind;
use loanhook_core::model::payload::PayloadKey;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Subscriptions;
use loanhook_core::recovery::{self, JobInput, NewJob, Plan};

/// What the page asks about.
pub(super) struct Question {
    pub(super) parameters: PageParameters,
    pub(super) plan: Plan,
    /// The title of the webhook that is filtered by, where it is one of the tenant's.
    pub(super) webhook: Option<String>,
}

/// Asks whether all that match are to be resent, and says how many they are.
pub(super) async fn ask<S: PageStore, R: Into<BulkScope>>(
    State(pages): State<Pages<S>>,
    request: R,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let scope = request.into();
    scope.require_resend()?;
    let parameters = scope.parameters(parts.uri.query());
    take_resend(&scope, &parts)?;
    let Some(new) = new_job(&parameters, &scope, None) else { return Ok(list(&parameters, &scope)) };
    let plan = recovery::plan(&pages.store, &scope.grant.tenant, &new, Timestamp::now()).await?;
    let webhook = title(&pages.store, &scope, &parameters).await?;
    Ok(bulk_resend::question(&Question { parameters, plan, webhook }, &scope))
}

/// Makes the job, and redirects to its page.
pub(super) async fn begin<S: PageStore, R: Into<BulkScope>>(
    State(pages): State<Pages<S>>,
    request: R,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let scope = request.into();
    scope.require_resend()?;
    let form = scope.form(body, &parts.headers).await?;
    take_resend(&scope, &parts)?;
    let parameters = scope.parameters(parts.uri.query());
    let to = Some(form.get(TO_FIELD)).filter(|to| *to == TO_CURRENT);
    let Some(new) = new_job(&parameters, &scope, to) else { return Ok(list(&parameters, &scope)) };
    let asked = format!("{}{} {}", scope.list_path(), parameters.query(), to.unwrap_or_default());
    // Each form makes one job, however often it is sent. No key of the API begins with this character.
    let key = form.get(ONCE_FIELD).parse::<Uuid>().ok();
    let key = key.map(|once| (format!("\u{7f}page {once}"), PayloadKey::of(asked.as_bytes())));
    let (tenant, viewer) = (&scope.grant.tenant, scope.grant.name.clone());
    let job = recovery::create(&pages.store, tenant, new, viewer, key, Timestamp::now()).await?;
    Ok(Redirect::to(&scope.job_path(job.id)).into_response())
}

/// Takes one of the resends that the viewer may ask for.
fn take_resend(scope: &BulkScope, parts: &Parts) -> Result<(), ErrorPage> {
    let grant = &scope.grant;
    let viewer = Requester::Viewer(grant.maker.id(), grant.name.clone());
    CallLimits::of(&parts.extensions).take_resend(&viewer, &grant.tenant, &grant.name, Instant::now())?;
    Ok(())
}

/// The job of the filters; none where no delivery can be chosen by them, or one is wrong: the list says so.
fn new_job(parameters: &PageParameters, scope: &BulkScope, to: Option<&str>) -> Option<NewJob> {
    let input = JobInput {
        kind: JobKind::Resend,
        filter: scope.filter(parameters)?,
        trace_ids: None,
        to: to.map(str::to_owned),
        per_second: Some(PER_SECOND.into()),
        newest_per_loan: false,
        stop_after_failures: None,
        force: false,
    };
    input.check().ok()
}

/// The title of the webhook that is filtered by.
async fn title<S: Subscriptions>(
    store: &S,
    scope: &BulkScope,
    parameters: &PageParameters,
) -> Result<Option<String>, ErrorPage> {
    let Ok(id) = parameters.get("subscriptionId").parse() else { return Ok(None) };
    let webhook = store.subscription(&scope.grant.tenant, id).await?;
    Ok(webhook.map(|of| of.settings.title.clone()))
}

/// How many webhooks a second a page resends at most.
pub(super) const PER_SECOND: u32 = 10;

fn list(parameters: &PageParameters, scope: &BulkScope) -> Response {
    Redirect::to(&format!("{}{}", scope.list_path(), parameters.query())).into_response()
}
