//! What is sent by the form: it is saved, tried out, or shown again with one more row or with what was searched.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::request::Parts;

use super::again::{beginning, conflict, gone, refused, renew_once, show_again, unavailable, wrong};
use super::rows::Rows;
use super::{ACTION_FIELD, OF_EARLIER_SESSION, ShownForm, check_scope, draft, webhook};
use crate::page::error_page::ErrorPage;
use crate::page::form::Form;
use crate::page::resend::ONCE_FIELD;
use crate::page::tenant_request::{TenantRequest, kept, sent};
use crate::page::webhook_page::MADE_BEFORE;
use crate::page::{Pages, SettingsStore, links, once, webhook_page};
use loanhook_core::log;
use loanhook_core::model::grant::Grant;
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
    let (form, is_of_viewer) = request.typed_form(body, &parts.headers).await?;
    let mut shown = ShownForm::of(form, None);
    if !is_of_viewer {
        return create_again(&pages.store, &request, shown).await;
    }
    if Action::of(&shown.form) != Action::Save {
        return show_again(&pages, &request, shown, None).await;
    }
    let Some((input, settings)) = read(&mut shown, None) else { return Ok(wrong(&shown, &request)) };
    let (store, grant) = (&pages.store, &request.grant);
    let id: SubscriptionId = once::id(&shown.form, grant)?;
    if let Some(before) = made_before(store, grant, id).await.map_err(kept)? {
        return before.answer(shown, &settings, &request);
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
            Ok(Some(before)) => before.answer(shown, &settings, &request),
            _ => Ok(unavailable(shown, &request, failure)),
        },
    }
}

/// The form of a new webhook again, with what its viewer of now needs to send it; where it was sent before, what it made.
async fn create_again<S: SettingsStore>(
    store: &S,
    request: &TenantRequest,
    mut shown: ShownForm,
) -> Result<Response, ErrorPage> {
    if let Some(id) = once::unsigned_id(&shown.form)
        && let Some((_, settings)) = read(&mut shown, None)
        && let Some(before) = made_before(store, &request.grant, id).await.map_err(kept)?
    {
        return before.answer(shown, &settings, request);
    }
    renew_once(&mut shown.form, request);
    Ok(refused(StatusCode::FORBIDDEN, OF_EARLIER_SESSION.to_owned(), (shown, request)))
}

/// A webhook that a form made when it was sent before.
struct MadeBefore {
    id: SubscriptionId,
    settings: Settings,
    is_deleted: bool,
}

/// What a form made before. It is looked for before the webhook as it is now: one that appears between the two reads is there in the
/// second, and not taken for a deleted one.
async fn made_before<S: SettingsStore>(
    store: &S,
    grant: &Grant,
    id: SubscriptionId,
) -> Result<Option<MadeBefore>, ErrorPage> {
    let Some(first) = store.subscription_version(&grant.tenant, id, 1).await? else { return Ok(None) };
    let is_deleted = store.subscription(&grant.tenant, id).await?.is_none();
    Ok(Some(MadeBefore { id, settings: first.settings.clone(), is_deleted }))
}

impl MadeBefore {
    /// The answer to a form of these settings that is sent again. Other settings than it was made with, which somebody typed after they
    /// went back to the form, are not lost: the form is shown again, for a further webhook.
    fn answer(
        self,
        mut shown: ShownForm,
        settings: &Settings,
        request: &TenantRequest,
    ) -> Result<Response, ErrorPage> {
        if self.settings != *settings {
            let made = format!(
                "This form made the webhook \u{201c}{}\u{201d} before, with other settings. Change that one on its page, or save this as a further one",
                self.settings.title
            );
            renew_once(&mut shown.form, request);
            return Ok(refused(StatusCode::CONFLICT, made, (shown, request)));
        }
        if self.is_deleted {
            let deleted = "This form was sent before, and the webhook that it made was deleted: no further one was made. Open an empty form.";
            return Err(ErrorPage::Conflict(deleted.to_owned()));
        }
        Ok(Redirect::to(&format!("{}?{MADE_BEFORE}=1", links::webhook(self.id))).into_response())
    }
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
    let (mut form, is_of_viewer) = request.typed_form(body, &parts.headers).await?;
    if !is_of_viewer && form.has(ONCE_FIELD) {
        renew_once(&mut form, &request);
    }
    let current = match webhook(&pages.store, &request).await {
        Ok(current) => current,
        Err(ErrorPage::NotFound) => return gone(&pages, &request, form).await,
        Err(failure) => return Err(kept(failure)),
    };
    let version = form.version();
    let mut shown = ShownForm::of(form, Some(Arc::clone(&current)));
    if !is_of_viewer {
        return Ok(refused(StatusCode::FORBIDDEN, OF_EARLIER_SESSION.to_owned(), (shown, &request)));
    }
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
