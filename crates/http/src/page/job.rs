//! The page of a recovery job: what became of it so far, its items, and its stop.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;

use super::bulk_scope::BulkScope;
use super::error_page::ErrorPage;
use super::form::Form;
use super::job_list::webhook_titles;
use super::view::criteria::WebhookTitles;
use super::view::job;
use super::{PageStore, Pages};
use loanhook_core::log;
use loanhook_core::model::job::{ItemOutcome, Job};
use loanhook_core::model::time::Timestamp;
use loanhook_core::recovery::{self, ItemPage};

/// The parameters of the items: their outcome, and the number of the first.
pub(super) const OUTCOME: &str = "outcome";
pub(super) const FROM: &str = "item";
/// How many items a page has.
const ITEMS_PER_PAGE: usize = 50;

/// All that the page shows.
pub(super) struct JobPage {
    pub(super) job: Job,
    pub(super) items: ItemPage,
    /// The number of the item that was asked for first.
    pub(super) from: u32,
    /// The outcome that was asked for.
    pub(super) outcome: Option<ItemOutcome>,
    pub(super) titles: WebhookTitles,
}

/// Shows what became of the job so far.
pub(super) async fn show<S: PageStore, R: Into<BulkScope>>(
    State(pages): State<Pages<S>>,
    request: R,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let scope = request.into();
    if !scope.may_resend() {
        return Err(ErrorPage::MayNotSeeJobs);
    }
    let found = scope.find_job(&pages.store).await?;
    let query = Form::of_query(parts.uri.query());
    // An outcome or a number that there is not is none.
    let outcome = ItemOutcome::ALL.into_iter().find(|of| of.as_str() == query.get(OUTCOME));
    let from = query.get(FROM).parse().unwrap_or_default();
    let items = recovery::items(&pages.store, &found, outcome, from, ITEMS_PER_PAGE).await?;
    let titles = webhook_titles(&pages.store, &scope.grant.tenant).await?;
    Ok(job::page(&JobPage { job: found, items, from, outcome, titles }, &scope))
}

/// Stops the job, and redirects to its page.
pub(super) async fn stop<S: PageStore, R: Into<BulkScope>>(
    State(pages): State<Pages<S>>,
    request: R,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let scope = request.into();
    scope.require_resend()?;
    scope.form(body, &parts.headers).await?;
    let Job { id, request, .. } = scope.find_job(&pages.store).await?;
    recovery::stop(&pages.store, &scope.grant.tenant, request.kind, id, Timestamp::now()).await?;
    log::change_on_page("job.stop_requested", &scope.grant, &id);
    Ok(Redirect::to(&scope.job_path(id)).into_response())
}
