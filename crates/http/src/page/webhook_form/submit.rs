//! What is sent by the form: it is saved, tried out, or shown again with one more row or with what was searched.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::request::Parts;

use super::differences::differences;
use super::rows::Rows;
use super::try_out::{self, CONTEXT_FIELD};
use super::{ACTION_FIELD, ShownForm, VERSION_FIELD, check_scope, draft, webhook};
use crate::page::error_page::ErrorPage;
use crate::page::form::Form;
use crate::page::tenant_request::TenantRequest;
use crate::page::view::webhook_form as view;
use crate::page::{Pages, SettingsStore, links, webhook_page};
use loanhook_core::log;
use loanhook_core::model::subscription::{Settings, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::subscriptions::{self, ExpectedVersions, SubscriptionError};

/// The fields of the search among events: what is searched now, and what the page was made for.
pub(in crate::page) const SEARCH_FIELD: &str = "eventSearch";
pub(in crate::page) const SEARCHED_FIELD: &str = "eventSearched";

/// What a button asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Save,
    TryOut,
    AddRow(Rows),
    Search,
}

impl Action {
    fn of(form: &Form) -> Self {
        match form.get(ACTION_FIELD) {
            "save" => Self::Save,
            "try" => Self::TryOut,
            "add-header" => Self::AddRow(Rows::Headers),
            "add-parameter" => Self::AddRow(Rows::Parameters),
            // Enter in a field. In that of the search it is meant to search.
            "enter" if form.get(SEARCH_FIELD) == form.get(SEARCHED_FIELD) => Self::Save,
            _ => Self::Search,
        }
    }
}

/// The request, if it has a session. Where that ended while the form was filled in, a redirect to the sign-in page would lose what was
/// typed.
fn in_session(request: Result<TenantRequest, ErrorPage>) -> Result<TenantRequest, ErrorPage> {
    request.map_err(|refused| match refused {
        ErrorPage::SignIn { .. } => ErrorPage::SignedOutForm,
        refused => refused,
    })
}

/// Answers the form of a new webhook.
pub(in crate::page) async fn create<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: Result<TenantRequest, ErrorPage>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let request = in_session(request)?;
    check_scope(&request)?;
    let form = Form::of_settings(body, &parts.headers, (&request.grant, &request.origin)).await?;
    let mut shown = ShownForm::of(form, None);
    if Action::of(&shown.form) != Action::Save {
        return show_again(&pages, &request, shown, None).await;
    }
    let input = match read(&mut shown, None) {
        Some(_) => draft::read(&shown.form, None).input,
        None => return Ok(wrong(&shown, &request)),
    };
    let created = subscriptions::create(
        &pages.store,
        &request.grant.tenant,
        input,
        &request.grant.name,
        Timestamp::now(),
    )
    .await;
    match created {
        Ok(created) => {
            log::change_on_page("subscription.created", &request.grant, &created.id);
            Ok(webhook_page::created(&Arc::new(created), &request))
        }
        Err(refused @ SubscriptionError::TooMany) => {
            shown.faults.add("", format!("{refused}: delete one that is not needed any more"));
            Ok(wrong(&shown, &request))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Answers the form of a webhook that is there.
pub(in crate::page) async fn change<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: Result<TenantRequest, ErrorPage>,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let request = in_session(request)?;
    check_scope(&request)?;
    let form = Form::of_settings(body, &parts.headers, (&request.grant, &request.origin)).await?;
    let current = webhook(&pages.store, &request).await?;
    let version = form.get(VERSION_FIELD).parse().unwrap_or_default();
    let mut shown = ShownForm::of(form, Some(Arc::clone(&current)));
    if Action::of(&shown.form) != Action::Save {
        let began = beginning(&pages.store, &current, version).await?;
        return show_again(&pages, &request, shown, Some(&began.settings)).await;
    }
    if current.version != version {
        return conflict(&pages, &request, shown, version).await;
    }
    if read(&mut shown, Some(&current.settings)).is_none() {
        return Ok(wrong(&shown, &request));
    }
    let expected = ExpectedVersions::OneOf(vec![version]);
    let settings = |stored: &Subscription| Ok(draft::read(&shown.form, Some(&stored.settings)).input);
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
        Err(SubscriptionError::OtherVersion(_)) => {
            shown.webhook = Some(webhook(store, &request).await?);
            conflict(&pages, &request, shown, version).await
        }
        Err(failure) => Err(failure.into()),
    }
}

/// The settings of a form, if nothing is wrong with them; else what is wrong is in the form.
fn read(shown: &mut ShownForm, stored: Option<&Settings>) -> Option<Settings> {
    let checked = draft::read(&shown.form, stored).check(&shown.form, stored);
    checked.map_err(|faults| shown.faults = faults).ok()
}

fn wrong(shown: &ShownForm, request: &TenantRequest) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, view::page(shown, request)).into_response()
}

/// The webhook in the version that a form was made from; where that is not kept any more, as it is now.
async fn beginning<S: SettingsStore>(
    store: &S,
    current: &Arc<Subscription>,
    version: u64,
) -> Result<Arc<Subscription>, ErrorPage> {
    if current.version == version {
        return Ok(Arc::clone(current));
    }
    let then = store.subscription_version(&current.tenant, current.id, version).await?;
    Ok(then.unwrap_or_else(|| Arc::clone(current)))
}

/// The form again, with what its button asked for. Nothing is saved.
async fn show_again<S: SettingsStore>(
    pages: &Pages<S>,
    request: &TenantRequest,
    mut shown: ShownForm,
    stored: Option<&Settings>,
) -> Result<Response, ErrorPage> {
    match Action::of(&shown.form) {
        Action::AddRow(rows) => rows.add(&mut shown.form),
        Action::TryOut => {
            if let Some(settings) = read(&mut shown, stored) {
                let of = (&shown.form, settings);
                let tried =
                    try_out::try_out(&pages.store, &request.grant.tenant, of, &mut shown.faults).await?;
                if let Some(sample) = &tried.sample {
                    shown.form.set(CONTEXT_FIELD, sample.clone());
                }
                shown.tried = Some(tried);
            }
            if !shown.faults.is_empty() {
                return Ok(wrong(&shown, request));
            }
        }
        Action::Save | Action::Search => {}
    }
    Ok(view::page(&shown, request))
}

/// The form again, with what another change made of the webhook. It is made for that version from then on, so that it can be saved over it.
async fn conflict<S: SettingsStore>(
    pages: &Pages<S>,
    request: &TenantRequest,
    mut shown: ShownForm,
    version: u64,
) -> Result<Response, ErrorPage> {
    let Some(current) = shown.webhook.clone() else { return Err(ErrorPage::NotFound) };
    let began = beginning(&pages.store, &current, version).await?;
    shown.conflict = Some(differences(&began.settings, &current.settings, &shown.form));
    shown.form.set(VERSION_FIELD, current.version.to_string());
    Ok((StatusCode::CONFLICT, view::page(&shown, request)).into_response())
}
