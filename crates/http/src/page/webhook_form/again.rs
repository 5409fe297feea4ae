//! A form that is shown again: with what its button asked for, with what is wrong, with another change of the webhook, or since
//! something was not there. Nothing is saved, and nothing that was typed is lost.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::differences::differences;
use super::faults::Fault;
use super::fields;
use super::rows::Rows;
use super::submit::{Action, read};
use super::try_out::{self, CONTEXT_FIELD};
use super::{ShownForm, UNAVAILABLE, VERSION_FIELD};
use crate::page::error_page::ErrorPage;
use crate::page::form::{Form, MadeFor};
use crate::page::resend::ONCE_FIELD;
use crate::page::tenant_request::{TenantRequest, kept};
use crate::page::view::webhook_form as view;
use crate::page::{Pages, SettingsStore, once};
use loanhook_core::model::id::SubscriptionId;
use loanhook_core::model::subscription::{Settings, Subscription};
use loanhook_core::model::time::Timestamp;
use loanhook_core::subscriptions::SubscriptionError;

/// The webhook in the version that a form was made from; where that is not kept any more, as it is now.
pub(super) async fn beginning<S: SettingsStore>(
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
pub(super) async fn show_again<S: SettingsStore>(
    pages: &Pages<S>,
    request: &TenantRequest,
    mut shown: ShownForm,
    stored: Option<&Settings>,
) -> Result<Response, ErrorPage> {
    match Action::of(&shown.form) {
        Action::AddRow(rows) => rows.add(&mut shown.form),
        Action::TryOut => {
            if let Some((_, settings)) = read(&mut shown, stored) {
                let of = (&shown.form, settings);
                let tried = try_out::try_out(&pages.store, &request.grant.tenant, of, &mut shown.faults)
                    .await
                    .map_err(kept)?;
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

pub(super) fn wrong(shown: &ShownForm, request: &TenantRequest) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, view::page(shown, request)).into_response()
}

/// The form again, with this before all that is wrong with its fields.
pub(super) fn refused(
    status: StatusCode,
    why: String,
    (mut shown, request): (ShownForm, &TenantRequest),
) -> Response {
    shown.faults.0.insert(0, Fault { field: String::new(), detail: why });
    (status, view::page(&shown, request)).into_response()
}

/// The form again, where what it asks for could not be kept.
pub(super) fn unavailable(shown: ShownForm, request: &TenantRequest, failure: SubscriptionError) -> Response {
    let page = ErrorPage::from(failure);
    if !matches!(page, ErrorPage::Unavailable) {
        return page.into_response();
    }
    refused(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.to_owned(), (shown, request))
}

/// The form again, with what another change made of the webhook. It is made for that version from then on, so that it can be saved over it.
pub(super) async fn conflict<S: SettingsStore>(
    pages: &Pages<S>,
    request: &TenantRequest,
    mut shown: ShownForm,
    version: u64,
) -> Result<Response, ErrorPage> {
    let Some(current) = shown.webhook.clone() else { return Err(ErrorPage::NotFound) };
    let began = beginning(&pages.store, &current, version).await.map_err(kept)?;
    shown.conflict = Some(differences(&began.settings, &current.settings, &shown.form));
    shown.form.set(VERSION_FIELD, current.version.to_string());
    Ok((StatusCode::CONFLICT, view::page(&shown, request)).into_response())
}

/// The form again, where its webhook was deleted meanwhile: as that of a new one. What the tenant never had is not found.
pub(super) async fn gone<S: SettingsStore>(
    pages: &Pages<S>,
    request: &TenantRequest,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    if !was_there(&pages.store, request, &form).await? {
        return Err(ErrorPage::NotFound);
    }
    if form.get(ONCE_FIELD).is_empty() {
        renew_once(&mut form, request);
    }
    let mut shown = ShownForm::of(form, None);
    if Action::of(&shown.form) != Action::Save {
        return show_again(pages, request, shown, None).await;
    }
    read(&mut shown, None);
    let deleted = "Somebody deleted this webhook meanwhile: what you typed is below, and is saved as a new one. Type its secrets again";
    Ok(refused(StatusCode::CONFLICT, deleted.to_owned(), (shown, request)))
}

/// The form again, where it was not made for its viewer of now.
pub(super) fn not_for_viewer(mut shown: ShownForm, request: &TenantRequest, made_for: MadeFor) -> Response {
    if made_for == MadeFor::Another {
        take_secrets_out(&mut shown.form);
    }
    refused(StatusCode::FORBIDDEN, made_for.why(&request.grant), (shown, request))
}

/// Empties the fields of secrets.
pub(super) fn take_secrets_out(form: &mut Form) {
    for field in fields::all().filter(|field| field.control.is_secret()) {
        form.set(field.name, String::new());
    }
    for rows in [Rows::Headers, Rows::Parameters] {
        for index in 0..rows.of(form).len() {
            form.set(&rows.value_field(index), String::new());
        }
    }
}

/// Whether the tenant had the webhook that the path names, in the version that a form was made from.
pub(super) async fn was_there<S: SettingsStore>(
    store: &S,
    request: &TenantRequest,
    form: &Form,
) -> Result<bool, ErrorPage> {
    let id = request.id.parse().map_err(|_| ErrorPage::NotFound)?;
    let then = store.subscription_version(&request.grant.tenant, id, form.version()).await;
    Ok(then.map_err(|failure| kept(failure.into()))?.is_some())
}

/// Lets a form make a webhook that no form made before.
pub(super) fn renew_once(form: &mut Form, request: &TenantRequest) {
    form.set(ONCE_FIELD, once::token(SubscriptionId::at(Timestamp::now()), &request.grant));
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;
    use loanhook_core::model::grant::{Grant, GrantKind, GrantMaker};
    use loanhook_core::model::id::TenantId;
    use loanhook_core::model::key::{KeyHash, Scope};
    use loanhook_core::ports::StoreError;

    #[tokio::test]
    async fn what_was_typed_is_in_the_answer_where_the_store_fails() {
        let grant = Grant {
            kind: GrantKind::Session,
            tenant: TenantId::try_from("acme".to_owned()).expect("a tenant"),
            loan: None,
            scopes: vec![Scope::HistoryRead, Scope::SubscriptionsWrite],
            name: "Jane".into(),
            until: Timestamp::from_millis(1),
            maker: GrantMaker::Key(KeyHash::of("a key")),
        };
        let origin = "https://hooks.example.com".parse().expect("an origin");
        let request = TenantRequest { grant, origin, id: String::new() };
        for failure in [StoreError::Busy, StoreError::Failed("gone".into())] {
            let mut form = Form::default();
            form.set("title", "Typed before".to_owned());
            let answer = unavailable(ShownForm::of(form, None), &request, failure.into());
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            let body = answer.into_body().collect().await.expect("a body").to_bytes();
            let page = String::from_utf8_lossy(&body);
            assert!(page.contains("Typed before") && page.contains(UNAVAILABLE), "{page}");
        }
    }
}
