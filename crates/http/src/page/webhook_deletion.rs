//! The deletion of a webhook: a page that asks, and the answer to it.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;

use super::error_page::ErrorPage;
use super::tenant_request::{TenantRequest, WEBHOOKS_PATH};
use super::view::webhook_page as view;
use super::webhook_form::{check_scope, webhook};
use super::{Pages, SettingsStore};
use loanhook_core::log;
use loanhook_core::subscriptions::{self, ExpectedVersions, SubscriptionError};

/// Asks whether the webhook is to be deleted.
pub(super) async fn ask<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
) -> Result<Response, ErrorPage> {
    check_scope(&request)?;
    let webhook = webhook(&pages.store, &request).await?;
    Ok(view::deletion(&webhook, &request))
}

/// Deletes the webhook that was shown.
pub(super) async fn delete<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    check_scope(&request)?;
    let form = request.form(body, &parts.headers).await?;
    let id = request.id.parse().map_err(|_| ErrorPage::NotFound)?;
    let expected = ExpectedVersions::OneOf(vec![form.version()]);
    let grant = &request.grant;
    match subscriptions::delete(&pages.store, &grant.tenant, id, &expected).await {
        Ok(()) => {
            log::change_on_page("subscription.deleted", grant, &id);
            Ok(Redirect::to(WEBHOOKS_PATH).into_response())
        }
        Err(SubscriptionError::OtherVersion(_)) => Err(ErrorPage::Conflict(
            "The webhook was changed after you were asked, and was not deleted. Open it again.".to_owned(),
        )),
        Err(failure) => Err(failure.into()),
    }
}
