//! Holds by hand, by the forms of the list of webhooks and of the page of one.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;

use super::error_page::ErrorPage;
use super::form::Form;
use super::tenant_request::{TenantRequest, WEBHOOKS_PATH};
use super::webhook_form::check_scope;
use super::{Pages, SettingsStore, links};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::time::Timestamp;
use loanhook_core::{holds, log};

/// The field that says which page a form is on, and its value for the page of one webhook.
pub(super) const FROM_FIELD: &str = "from";
pub(super) const FROM_PAGE: &str = "webhook";

/// Holds a webhook in the name of the viewer; one that its failures hold becomes held by hand.
pub(super) async fn hold<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let (id, form) = checked(&request, &parts, body).await?;
    let grant = &request.grant;
    holds::hold(&pages.store, &grant.tenant, id, &grant.name, Timestamp::now()).await?;
    log::change_on_page("subscription.held", grant, &id);
    Ok(back(id, &form))
}

/// Ends the hold of a webhook.
pub(super) async fn release<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let (id, form) = checked(&request, &parts, body).await?;
    let grant = &request.grant;
    holds::release(&pages.store, &grant.tenant, id, Timestamp::now()).await?;
    log::change_on_page("subscription.released", grant, &id);
    Ok(back(id, &form))
}

/// The webhook that the path names, where the form is ours and the viewer may change webhooks.
async fn checked(
    request: &TenantRequest,
    parts: &Parts,
    body: Body,
) -> Result<(SubscriptionId, Form), ErrorPage> {
    check_scope(request)?;
    let form = request.form(body, &parts.headers).await?;
    Ok((request.id.parse().map_err(|_| ErrorPage::NotFound)?, form))
}

/// Back to the row of the webhook, or to its page where the form was there.
fn back(id: SubscriptionId, form: &Form) -> Response {
    let page = match form.get(FROM_FIELD) {
        FROM_PAGE => links::webhook(id),
        _ => format!("{WEBHOOKS_PATH}#s-{id}"),
    };
    Redirect::to(&page).into_response()
}
