//! The form of a webhook: every setting of the API, made, changed and tried out on a page.
//!
//! - `field` is one field, `fields` the table of them; `rows` are rows of names and values.
//! - `typed` makes a form of stored settings; `draft` makes of a form the draft that the API makes of a body (`draft_criteria`,
//!   `durations`, `texts`). `faults` puts what its rules find at the fields.
//! - `summary` says settings in words, `differences` compares them where two people changed one webhook. `try_out` tries them,
//!   on an event or on the variables of `samples`.
//! - `submit` answers what is sent, `again` shows a form again, `made_before` answers one that was sent before. The HTML is in
//!   `view::webhook_form`.
//!
//! What was typed is in the answer as it was, whatever is wrong: secrets too, to whom they came from, in a page that is not stored
//! anywhere (`Cache-Control: no-store`). Whoever sends a form that another viewer opened gets no secrets of it. A stored secret is in
//! no page: its field is empty, and what is left empty is kept.

mod again;
mod differences;
mod draft;
mod draft_criteria;
mod durations;
mod faults;
pub(super) mod field;
pub(super) mod fields;
mod made_before;
pub(super) mod rows;
pub(super) mod samples;
mod submit;
pub(super) mod summary;
mod texts;
mod try_out;
mod typed;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

pub(super) use differences::Difference;
pub(super) use faults::Faults;
pub(super) use submit::{SEARCH_FIELD, SEARCHED_FIELD, change, create};
pub(super) use try_out::{CONTEXT_FIELD, EVENT_FIELD, LOAN_FIELD, SAMPLE, SHOWN_LOAN_FIELD, TryOut};
pub(super) use typed::of_settings;

use super::error_page::ErrorPage;
use super::form::Form;
use super::resend::{ONCE_FIELD, VERSION_FIELD};
use super::tenant_request::TenantRequest;
use super::view::webhook_form as view;
use super::{Pages, SettingsStore, once};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::key::Scope;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::Subscriptions;

/// The field of what a button of the form asks for.
pub(super) const ACTION_FIELD: &str = "action";

/// What a form says that could not be kept.
pub(super) const UNAVAILABLE: &str = "It could not be kept now. Send it again in a moment";

/// A form as it is shown.
pub(super) struct ShownForm {
    pub(super) form: Form,
    /// The webhook that is changed, as it is now; none is a new one.
    pub(super) webhook: Option<Arc<Subscription>>,
    pub(super) faults: Faults,
    /// Where another change came first: what differs.
    pub(super) conflict: Option<Vec<Difference>>,
    pub(super) tried: Option<TryOut>,
}

/// The empty form.
pub(super) async fn show_new<S: SettingsStore>(
    State(_): State<Pages<S>>,
    request: TenantRequest,
) -> Result<Response, ErrorPage> {
    check_scope(&request)?;
    let mut form = typed::of_new();
    form.set(ONCE_FIELD, once::token(SubscriptionId::at(Timestamp::now()), &request.grant));
    Ok(view::page(&ShownForm::of(form, None), &request))
}

/// The form of a webhook as it is now.
pub(super) async fn show<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
) -> Result<Response, ErrorPage> {
    check_scope(&request)?;
    let webhook = webhook(&pages.store, &request).await?;
    Ok(view::page(&ShownForm::of(of_settings(&webhook.settings), Some(webhook)), &request))
}

impl ShownForm {
    fn of(form: Form, webhook: Option<Arc<Subscription>>) -> Self {
        Self { form, webhook, faults: Faults::default(), conflict: None, tried: None }
    }
}

/// Refuses a viewer who may not change webhooks.
pub(super) fn check_scope(request: &TenantRequest) -> Result<(), ErrorPage> {
    if request.grant.may(Scope::SubscriptionsWrite) { Ok(()) } else { Err(ErrorPage::MayNotChangeWebhooks) }
}

/// The webhook that the path names.
pub(super) async fn webhook<S: Subscriptions>(
    store: &S,
    request: &TenantRequest,
) -> Result<Arc<Subscription>, ErrorPage> {
    let id = request.id.parse().map_err(|_| ErrorPage::NotFound)?;
    store.subscription(&request.grant.tenant, id).await?.ok_or(ErrorPage::NotFound)
}
