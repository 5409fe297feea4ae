//! Holds by hand from the page of webhooks, by its forms.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;

use super::error_page::ErrorPage;
use super::form::Form;
use super::tenant_request::{TenantRequest, WEBHOOKS_PATH};
use super::{Pages, SettingsStore};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::key::Scope;
use loanhook_core::model::time::Timestamp;
use loanhook_core::{holds, log};

/// Holds a webhook in the name of the viewer; one that its failures hold becomes held by hand.
pub(super) async fn hold<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let id = checked(&request, &parts, body).await?;
    let grant = &request.grant;
    holds::hold(&pages.store, &grant.tenant, id, &grant.name, Timestamp::now()).await?;
    log::change_on_page("subscription.held", grant, &id);
    Ok(back(id))
}

/// Ends the hold of a webhook.
pub(super) async fn release<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let id = checked(&request, &parts, body).await?;
    let grant = &request.grant;
    holds::release(&pages.store, &grant.tenant, id, Timestamp::now()).await?;
    log::change_on_page("subscription.released", grant, &id);
    Ok(back(id))
}

/// The webhook that the path names, where the form is ours and the viewer may change webhooks.
async fn checked(request: &TenantRequest, parts: &Parts, body: Body) -> Result<SubscriptionId, ErrorPage> {
    Form::of_viewer(body, &parts.headers, (&request.grant, &request.origin)).await?;
    if !request.grant.may(Scope::SubscriptionsWrite) {
        return Err(ErrorPage::MayNotChangeWebhooks);
    }
    request.id.parse().map_err(|_| ErrorPage::NotFound)
}

/// Back to the row of the webhook.
fn back(id: SubscriptionId) -> Response {
    Redirect::to(&format!("{WEBHOOKS_PATH}#s-{id}")).into_response()
}
