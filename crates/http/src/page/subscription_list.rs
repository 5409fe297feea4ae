//! The page of webhooks: the subscriptions of a tenant, with their states and their last week.

use axum::extract::State;
use axum::response::Response;

use super::error_page::ErrorPage;
use super::tenant_request::TenantRequest;
use super::view::subscription_list;
use super::{PageStore, Pages};
use loanhook_core::model::time::Timestamp;
use loanhook_core::webhook_states;

pub(super) async fn show<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
) -> Result<Response, ErrorPage> {
    let (store, tenant, now) = (&pages.store, &request.grant.tenant, Timestamp::now());
    let states = webhook_states::states(store, tenant, now).await?;
    let weeks = webhook_states::weeks(store, tenant, now).await?;
    Ok(subscription_list::page(&states, &weeks, &request))
}
