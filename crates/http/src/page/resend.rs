//! Sending again, asked for on the page.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use uuid::Uuid;

use super::error_page::Refused;
use super::form::Form;
use super::page_parameters::{Asked, RESENT};
use super::page_request::Visit;
use super::{Pages, Store};
use crate::web::call_limits::Requester;
use crate::web::resend::AllowedResend;
use loanhook_core::model::attempt::Outcome;
use loanhook_core::resend::ResendTarget;

/// The names of the fields of the form.
pub(super) const CSRF: &str = "csrf";
pub(super) const ONCE: &str = "once";

/// Asks for the resend and goes back to the list, where its row is the newest.
pub(super) async fn ask<S: Store>(
    State(pages): State<Pages<S>>,
    visit: Visit,
    parts: Parts,
    request: Body,
) -> Result<Response, Refused> {
    if !visit.may_resend() {
        return Err(Refused::MayNotResend);
    }
    let form = Form::read(request).await?;
    visit.check_form(&parts.headers, form.get(CSRF))?;
    let (grant, requester) = (&visit.grant, Requester::Viewer(visit.grant.key, visit.grant.name.clone()));
    let allowed = AllowedResend::check(&parts.extensions, &requester, &grant.tenant, &grant.name)?;
    let row = visit.row(&pages.store).await?.attempt;
    let attempt =
        if row.outcome() == Outcome::Queued { ResendTarget::Newest } else { ResendTarget::Row(row.id) };
    // Each form asks once, however often it is sent. No key of the API's begins with this character.
    let key = form.get(ONCE).parse::<Uuid>().ok().map(|once| format!("\u{7f}page {once}"));
    let id = allowed.queue(&pages.store, row.trace_id, attempt, key).await?;
    let back = Asked::read(parts.uri.query()).first_page().with(RESENT, &id);
    Ok(Redirect::to(&format!("{}{}", visit.path(), back.query())).into_response())
}
