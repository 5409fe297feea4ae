//! The page of recovery jobs: bulk resends and bulk cancels of a tenant, the newest first.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;

use super::error_page::ErrorPage;
use super::form::Form;
use super::tenant_request::TenantRequest;
use super::view::criteria::WebhookTitles;
use super::view::job_list;
use super::{PageStore, Pages};
use loanhook_core::model::id::TenantId;
use loanhook_core::ports::{StoreResult, Subscriptions};
use loanhook_core::recovery::{self, JobPage};

/// The parameter with the job before which the page begins.
pub(super) const BEFORE: &str = "before";
/// How many jobs a page has.
const JOBS_PER_PAGE: usize = 25;

/// All that the page shows.
pub(super) struct JobList {
    pub(super) page: JobPage,
    pub(super) titles: WebhookTitles,
    pub(super) is_first: bool,
}

pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    if !request.may_resend() {
        return Err(ErrorPage::MayNotSeeJobs);
    }
    // A job that there cannot be is none.
    let before = Form::of_query(parts.uri.query()).get(BEFORE).parse().ok();
    let tenant = &request.grant.tenant;
    let page = recovery::list(&pages.store, tenant, before, JOBS_PER_PAGE).await?;
    let titles = webhook_titles(&pages.store, tenant).await?;
    Ok(job_list::page(&JobList { page, titles, is_first: before.is_none() }, &request))
}

/// The titles of the webhooks of a tenant.
pub(super) async fn webhook_titles<S: Subscriptions>(
    store: &S,
    tenant: &TenantId,
) -> StoreResult<WebhookTitles> {
    let webhooks = store.subscriptions(tenant).await?;
    Ok(webhooks.iter().map(|of| (of.id, of.settings.title.clone())).collect())
}
