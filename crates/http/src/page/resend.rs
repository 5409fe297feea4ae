//! Resends by the form of the page.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use uuid::Uuid;

use super::error_page::ErrorPage;
use super::form::Form;
use super::page_parameters::{PageParameters, RESENT};
use super::page_request::PageRequest;
use super::{PageStore, Pages};
use crate::web::call_limits::Requester;
use crate::web::resend::AllowedResend;
use loanhook_core::model::attempt::{Outcome, ResendTo};
use loanhook_core::resend::ResendTarget;

/// The names of the fields of the form: the CSRF token, a UUID that makes each form queue one resend, whether it goes to the
/// webhook's current address, and the version of the webhook that has the address which the form showed.
pub(super) const CSRF_FIELD: &str = "csrf";
pub(super) const ONCE_FIELD: &str = "once";
pub(super) const TO_FIELD: &str = "to";
pub(super) const VERSION_FIELD: &str = "version";
/// The value of that field for the current address.
pub(super) const TO_CURRENT: &str = "current";

/// Said where the address may be another than the one that was confirmed.
const CHANGED: &str = "Nothing was sent: the webhook was changed after this page was shown. Open the row again and look at its \
     address.";

/// Queues the resend and redirects to the list, where its row is the newest.
pub(super) async fn resend<S: PageStore>(
    State(pages): State<Pages<S>>,
    request: PageRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    if !request.may_resend() {
        return Err(ErrorPage::MayNotResend);
    }
    let form = Form::of_viewer(body, &parts.headers, (&request.grant, &request.origin)).await?;
    let (grant, requester) =
        (&request.grant, Requester::Viewer(request.grant.maker.id(), request.grant.name.clone()));
    let allowed = AllowedResend::check(&parts.extensions, &requester, &grant.tenant, &grant.name)?;
    let row = request.row(&pages.store).await?.attempt;
    let attempt =
        if row.outcome() == Outcome::Queued { ResendTarget::Newest } else { ResendTarget::Row(row.id) };
    let to = if form.get(TO_FIELD) == TO_CURRENT { ResendTo::Current } else { ResendTo::Original };
    if to == ResendTo::Current {
        let now = pages.store.subscription(&grant.tenant, row.subscription_id).await?;
        // That of a deleted one is refused below.
        if now.is_some_and(|now| now.version.to_string() != form.get(VERSION_FIELD)) {
            return Err(ErrorPage::Conflict(CHANGED.to_owned()));
        }
    }
    // Each form queues one resend, however often it is sent. No key of the API begins with this character.
    let key = form.get(ONCE_FIELD).parse::<Uuid>().ok().map(|once| format!("\u{7f}page {once}"));
    let id = allowed.queue(&pages.store, row.trace_id, (attempt, to), key).await?;
    let back = PageParameters::read(parts.uri.query()).first_page().with(RESENT, &id);
    Ok(Redirect::to(&format!("{}{}", request.path(), back.query())).into_response())
}
