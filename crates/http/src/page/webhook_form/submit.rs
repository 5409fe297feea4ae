//! What is sent by the form: it is saved, tried out, or shown again with one more row or with what was searched.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;

use super::again::{
    beginning, conflict, gone, not_for_viewer, renew_once, show_again, take_secrets_out, unavailable,
    was_there, wrong,
};
use super::made_before::made_before;
use super::rows::Rows;
use super::{ACTION_FIELD, ShownForm, check_scope, draft, webhook};
use crate::page::error_page::ErrorPage;
use crate::page::form::{Form, MadeFor};
use crate::page::tenant_request::{TenantRequest, kept, sent};
use crate::page::{Pages, SettingsStore, links, once, webhook_page};
use loanhook_core::log;
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::{Settings, Subscription, SubscriptionInput};
use loanhook_core::model::time::Timestamp;
use loanhook_core::subscriptions::{self, ExpectedVersions, SubscriptionError};

/// The fields of the search among events: what is searched now, and what the page was made for.
pub(in crate::page) const SEARCH_FIELD: &str = "eventSearch";
pub(in crate::page) const SEARCHED_FIELD: &str = "eventSearched";

/// What a button asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Save,
    TryOut,
    AddRow(Rows),
    Search,
}

impl Action {
    pub(super) fn of(form: &Form) -> Self {
        match form.get(ACTION_FIELD) {
            "save" => Self::Save,
            "try" => Self::TryOut,
            "add-header" => Self::AddRow(Rows::Headers),
            "add-parameter" => Self::AddRow(Rows::Parameters),
            // Enter in a field saves nothing. In that of the search it is meant to search.
            "enter" if form.get(SEARCH_FIELD) == form.get(SEARCHED_FIELD) => Self::TryOut,
            _ => Self::Search,
        }
    }
}

/// Answers the form of a new webhook.
pub(in crate::page) async fn create<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: Result<TenantRequest, ErrorPage>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let request = sent(request)?;
    check_scope(&request)?;
    let (form, made_for) = request.typed_form(body, &parts.headers).await?;
    let mut shown = ShownForm::of(form, None);
    if made_for != MadeFor::Viewer {
        return create_again(&pages.store, &request, shown, made_for).await;
    }
    if Action::of(&shown.form) != Action::Save {
        return show_again(&pages, &request, shown, None).await;
    }
    let Some((input, settings)) = read(&mut shown, None) else { return Ok(wrong(&shown, &request)) };
    let (store, grant) = (&pages.store, &request.grant);
    let id: SubscriptionId = once::id(&shown.form, grant)?;
    if let Some(before) = made_before(store, grant, id).await.map_err(kept)? {
        return before.answer(shown, Some(&settings), &request);
    }
    match subscriptions::create_as(store, &grant.tenant, id, input, &grant.name, Timestamp::now()).await {
        Ok(created) => {
            log::change_on_page("subscription.created", grant, &created.id);
            Ok(webhook_page::created(&Arc::new(created), &request))
        }
        Err(refused @ SubscriptionError::TooMany) => {
            shown.faults.add("", format!("{refused}: delete one that is not needed any more"));
            Ok(wrong(&shown, &request))
        }
        // Two sendings of one form at the same time: one of them made it.
        Err(failure) => match made_before(store, grant, id).await {
            Ok(Some(before)) => before.answer(shown, Some(&settings), &request),
            _ => Ok(unavailable(shown, &request, failure)),
        },
    }
}

/// The form of a new webhook again, where it was not made for its viewer of now; where it was sent before, what it made.
async fn create_again<S: SettingsStore>(
    store: &S,
    request: &TenantRequest,
    mut shown: ShownForm,
    made_for: MadeFor,
) -> Result<Response, ErrorPage> {
    let before = match once::unsigned_id(&shown.form) {
        Some(id) => made_before(store, &request.grant, id).await.map_err(kept)?,
        None => None,
    };
    let Some(before) = before else {
        renew_once(&mut shown.form, request);
        return Ok(not_for_viewer(shown, request, made_for));
    };
    let is_saved = Action::of(&shown.form) == Action::Save;
    let settings = if is_saved { read(&mut shown, None).map(|(_, settings)| settings) } else { None };
    if made_for == MadeFor::Another {
        take_secrets_out(&mut shown.form);
    }
    before.answer(shown, settings.as_ref(), request)
}

/// Answers the form of a webhook that is there.
pub(in crate::page) async fn change<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: Result<TenantRequest, ErrorPage>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let request = sent(request)?;
    check_scope(&request)?;
    let (form, made_for) = request.typed_form(body, &parts.headers).await?;
    if made_for != MadeFor::Viewer {
        return change_again(&pages, &request, form, made_for).await;
    }
    let current = match webhook(&pages.store, &request).await {
        Ok(current) => current,
        Err(ErrorPage::NotFound) => return gone(&pages, &request, form).await,
        Err(failure) => return Err(kept(failure)),
    };
    let version = form.version();
    let mut shown = ShownForm::of(form, Some(Arc::clone(&current)));
    if Action::of(&shown.form) != Action::Save {
        let began = beginning(&pages.store, &current, version).await.map_err(kept)?;
        return show_again(&pages, &request, shown, Some(&began.settings)).await;
    }
    if current.version != version {
        return conflict(&pages, &request, shown, version).await;
    }
    let Some((input, _)) = read(&mut shown, Some(&current.settings)) else {
        return Ok(wrong(&shown, &request));
    };
    // It was read with this version, and is for no other.
    let expected = ExpectedVersions::OneOf(vec![version]);
    let settings = |_: &Subscription| Ok(input.clone());
    let (store, grant) = (&pages.store, &request.grant);
    let changed = subscriptions::change(
        store,
        &grant.tenant,
        current.id,
        &expected,
        settings,
        &grant.name,
        Timestamp::now(),
    )
    .await;
    match changed {
        Ok(changed) => {
            log::change_on_page("subscription.replaced", grant, &changed.id);
            let saved = format!("{}?saved={}", links::webhook(changed.id), changed.version);
            Ok(Redirect::to(&saved).into_response())
        }
        Err(SubscriptionError::OtherVersion(_) | SubscriptionError::Changed) => {
            match webhook(store, &request).await {
                Ok(current) => shown.webhook = Some(current),
                Err(ErrorPage::NotFound) => return gone(&pages, &request, shown.form).await,
                Err(failure) => return Err(kept(failure)),
            }
            conflict(&pages, &request, shown, version).await
        }
        Err(SubscriptionError::Unknown) => gone(&pages, &request, shown.form).await,
        Err(failure) => Ok(unavailable(shown, &request, failure)),
    }
}

/// The form of a webhook again, where it was not made for its viewer of now. Where the webhook was deleted it is that of a new one.
async fn change_again<S: SettingsStore>(
    pages: &Pages<S>,
    request: &TenantRequest,
    form: Form,
    made_for: MadeFor,
) -> Result<Response, ErrorPage> {
    match webhook(&pages.store, request).await {
        Ok(current) => Ok(not_for_viewer(ShownForm::of(form, Some(current)), request, made_for)),
        Err(ErrorPage::NotFound) if was_there(&pages.store, request, &form).await? => {
            create_again(&pages.store, request, ShownForm::of(form, None), made_for).await
        }
        Err(ErrorPage::NotFound) => Err(ErrorPage::FormOfAnotherTenant),
        Err(failure) => Err(kept(failure)),
    }
}

/// What a form makes, and the settings that this comes to, if nothing is wrong with them; else what is wrong is in the form.
pub(super) fn read(
    shown: &mut ShownForm,
    stored: Option<&Settings>,
) -> Option<(SubscriptionInput, Settings)> {
    let draft = draft::read(&shown.form, stored);
    let input = draft.input.clone();
    let checked = draft.check(&shown.form, stored);
    checked.map(|settings| (input, settings)).map_err(|faults| shown.faults = faults).ok()
}
