//! The pages of the versions of a webhook: their list, and what changed between two of them.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;

use std::sync::Arc;

use super::error_page::ErrorPage;
use super::form::Form;
use super::tenant_request::TenantRequest;
use super::view::{version_comparison, version_list};
use super::{Pages, SettingsStore};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::subscription_versions::{VersionPage, compare, page};

/// The parameter with the version before which a page begins.
pub(super) const BEFORE: &str = "before";
/// The parameters with the two versions that are compared.
pub(super) const FROM: &str = "from";
pub(super) const AFTER: &str = "to";
/// How many versions a page has.
const VERSIONS_PER_PAGE: usize = 25;

/// All that the list shows.
pub(super) struct VersionList {
    /// The webhook as it is now.
    pub(super) current: Arc<Subscription>,
    pub(super) page: VersionPage,
    pub(super) is_first: bool,
}

/// Shows the versions, or what changed where the query names two of them.
pub(super) async fn show<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let id: SubscriptionId = request.id.parse().map_err(|_| ErrorPage::NotFound)?;
    let (store, tenant) = (&pages.store, &request.grant.tenant);
    let current = store.subscription(tenant, id).await?.ok_or(ErrorPage::NotFound)?;
    let query = Form::of_query(parts.uri.query());
    // Numbers of versions are small; a larger one is none.
    let number = |name| query.get(name).parse::<u32>().ok().map(u64::from);
    let named = !query.get(FROM).is_empty() || !query.get(AFTER).is_empty();
    if !named {
        let before = number(BEFORE);
        let page = page(store, (tenant, id), before, VERSIONS_PER_PAGE).await?;
        let list = VersionList { current, page, is_first: before.is_none() };
        return Ok(version_list::page(&list, &request));
    }
    let (Some(from), Some(to)) = (number(FROM), number(AFTER)) else { return Err(ErrorPage::NotFound) };
    // Whichever was named first, the earlier one is compared with the later one.
    let compared = compare(store, (tenant, id), (from.min(to), from.max(to))).await?;
    let compared = compared.ok_or(ErrorPage::NotFound)?;
    Ok(version_comparison::page(&compared, &current, &request))
}
