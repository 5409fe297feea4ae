//! Sending again, asked for on the page.

use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use uuid::Uuid;

use super::form::Form;
use super::query::{Asked, RESENT};
use super::refused::Refused;
use super::visit::Visit;
use super::{Pages, Store};
use crate::web::call_limits::{Asker, CallLimits};
use loanhook_core::model::attempt::Outcome;
use loanhook_core::model::time::Timestamp;
use loanhook_core::resend::{self as use_case, ResendRequest, ResendTarget};

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
    let viewer = Asker::Viewer(visit.grant.key, visit.grant.name.clone());
    let limits = CallLimits::of(&parts.extensions);
    limits.resend(&viewer, &visit.grant.tenant, &visit.grant.name, Instant::now())?;
    let row = visit.row(&pages.store).await?.attempt;
    let request = ResendRequest {
        trace_id: row.trace_id,
        attempt: if row.outcome() == Outcome::Queued {
            ResendTarget::Newest
        } else {
            ResendTarget::Row(row.id)
        },
        requested_by: visit.grant.name.clone(),
        // Each form asks once, however often it is sent. No key of the API's begins with this character.
        key: form.get(ONCE).parse::<Uuid>().ok().map(|once| format!("\u{7f}page {once}")),
    };
    let id = use_case::resend(&pages.store, &visit.grant.tenant, request, Timestamp::now()).await?;
    let back = Asked::read(parts.uri.query()).first_page().with(RESENT, &id);
    Ok(Redirect::to(&format!("{}{}", visit.path(), back.query())).into_response())
}
