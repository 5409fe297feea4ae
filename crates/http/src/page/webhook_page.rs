//! The page of one webhook, and what its buttons do: a test, a new signing secret, the check of its connection. Holds are in
//! `subscription_holds`, its deletion in `webhook_deletion`.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::request::Parts;
use serde_json::value::RawValue;

use super::error_page::ErrorPage;
use super::form::Form;
use super::page_request::loan_page_path;
use super::tenant_request::TenantRequest;
use super::view::webhook_page as view;
use super::webhook_form::{Faults, LOAN_FIELD, check_scope, samples, webhook};
use super::{Pages, SettingsStore, links};
use crate::api::{CheckingSender, SAMPLE_NAME};
use loanhook_core::model::event::{Event, EventInput};
use loanhook_core::model::event_names;
use loanhook_core::model::formula_errors::FormulaErrors;
use loanhook_core::model::id::LoanId;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{CheckStep, FlowControl, FormulaErrorLog, Reports};
use loanhook_core::subscriptions::{self, ExpectedVersions, SubscriptionError};
use loanhook_core::webhook_states::{self, WebhookState, Week};
use loanhook_core::{check as checking, holds, intake, log, operational};

/// The parameter that says that the form that made the webhook was sent again.
pub(super) const MADE_BEFORE: &str = "made-before";

/// A webhook as its page shows it.
pub(super) struct ShownWebhook {
    pub(super) state: WebhookState,
    /// None where there was no attempt.
    pub(super) week: Option<Week>,
    /// The events that a formula of it failed on.
    pub(super) formula_errors: Option<FormulaErrors>,
}

/// What is told above the settings.
pub(super) enum Told {
    Nothing,
    /// A change was saved, as this version.
    Saved(String),
    /// A test of a webhook for operational events was accepted.
    Tested,
    /// The webhook was made just now.
    Created,
    /// The form that made it was sent again.
    MadeBefore,
    /// It has a new signing secret.
    Rotated,
    /// How each step of the check of its connection went.
    Checked(Vec<CheckStep>),
    /// The loan of a test is none: the form as it was sent, and what is wrong with it.
    WrongTest(Form, Faults),
}

pub(super) async fn show<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
) -> Result<Response, ErrorPage> {
    let webhook = webhook(&pages.store, &request).await?;
    let query = Form::of_query(parts.uri.query());
    let told = match (query.get("saved"), query.has("tested")) {
        _ if query.has(MADE_BEFORE) => Told::MadeBefore,
        (saved, _) if saved == webhook.version.to_string() => Told::Saved(saved.to_owned()),
        (_, true) => Told::Tested,
        _ => Told::Nothing,
    };
    shown(&pages.store, webhook, &told, &request).await
}

/// The page of a webhook that was made just now, with its signing secret.
pub(super) fn created(webhook: &Arc<Subscription>, request: &TenantRequest) -> Response {
    let state = WebhookState {
        subscription: Arc::clone(webhook),
        hold: None,
        recent: webhook_states::AttemptTally::default(),
    };
    let shown = ShownWebhook { state, week: None, formula_errors: None };
    (StatusCode::CREATED, view::page(&shown, &Told::Created, request)).into_response()
}

async fn shown<S: FlowControl + FormulaErrorLog + Reports>(
    store: &S,
    subscription: Arc<Subscription>,
    told: &Told,
    request: &TenantRequest,
) -> Result<Response, ErrorPage> {
    let (now, tenant, id) = (Timestamp::now(), &subscription.tenant, subscription.id);
    let hold = holds::hold_of(store, tenant, id, now).await?;
    let recent = webhook_states::recent(store, tenant, id, now).await?;
    let week = webhook_states::weeks(store, tenant, now).await?.remove(&id);
    let formula_errors = store.formula_errors(tenant, id).await?;
    let state = WebhookState { subscription, hold, recent };
    Ok(view::page(&ShownWebhook { state, week, formula_errors }, told, request))
}

/// The webhook of a form of the page, where the form is ours and the viewer may change webhooks.
async fn of_form<S: SettingsStore>(
    pages: &Pages<S>,
    request: &TenantRequest,
    parts: &Parts,
    body: Body,
) -> Result<(Arc<Subscription>, Form), ErrorPage> {
    check_scope(request)?;
    let form = request.form(body, &parts.headers).await?;
    Ok((webhook(&pages.store, request).await?, form))
}

/// Sends a test, and leads to its rows.
pub(super) async fn test<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let (webhook, form) = of_form(&pages, &request, &parts, body).await?;
    let now = Timestamp::now();
    let event = match test_event(&webhook, &form, now) {
        Ok(event) => event,
        Err(faults) => {
            let page = shown(&pages.store, webhook, &Told::WrongTest(form, faults), &request).await?;
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let all = pages.store.subscriptions(&request.grant.tenant).await?;
    if !event.is_operational() && event_names::is_real(&event.name, &all) {
        return Err(ErrorPage::Conflict(format!(
            "“{SAMPLE_NAME}” is the name of real events of a webhook. Send a test by the API, with another name."
        )));
    }
    let id = webhook.id;
    let receipt = intake::accept_test(&pages.store, webhook, &event, now).await?;
    log::change_on_page("subscription.tested", &request.grant, &id);
    let trace = receipt.deliveries.first().map(|delivery| delivery.trace_id.to_string()).unwrap_or_default();
    let page = match event.loan_id.shown() {
        Some(_) => format!("{}?traceId={trace}", loan_page_path(&event.loan_id)),
        None => format!("{}?tested=1", links::webhook(id)),
    };
    Ok(Redirect::to(&page).into_response())
}

/// The event of a test.
///
/// # Errors
///
/// That the loan of the form is none.
fn test_event(webhook: &Subscription, form: &Form, now: Timestamp) -> Result<Event, Faults> {
    if webhook.is_operational() {
        return operational::sample(webhook, None, now).map_err(|_| Faults::default());
    }
    let loan = LoanId::try_from(form.get(LOAN_FIELD).trim().to_owned());
    let loan = loan.map_err(|fault| Faults::of_texts([(LOAN_FIELD, &fault)]))?;
    let context = samples::context(&samples::name(&webhook.settings.criteria));
    let context = RawValue::from_string(context).unwrap_or_default();
    let input = EventInput {
        event_name: SAMPLE_NAME.to_owned(),
        loan_id: loan.to_string(),
        context,
        occurred_at: None,
    };
    input.check().map_err(|_| Faults::default())
}

/// Makes a new signing secret, and shows it.
pub(super) async fn rotate_secret<S: SettingsStore>(
    State(pages): State<Pages<S>>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let (webhook, form) = of_form(&pages, &request, &parts, body).await?;
    let grant = &request.grant;
    // A form that is sent twice would otherwise end the secret that the receiver has.
    let expected = ExpectedVersions::OneOf(vec![form.version()]);
    let rotated = subscriptions::rotate_secret(
        &pages.store,
        &grant.tenant,
        webhook.id,
        &expected,
        &grant.name,
        Timestamp::now(),
    )
    .await;
    let rotated = match rotated {
        Err(SubscriptionError::OtherVersion(_)) => {
            return Err(ErrorPage::Conflict(
                "It was rotated just now, or the webhook was changed otherwise, and no further secret was made. A new secret is shown \
                 once: if you did not see it, open the page of the webhook again and make another one."
                    .to_owned(),
            ));
        }
        rotated => rotated?,
    };
    log::change_on_page("subscription.secret_rotated", grant, &webhook.id);
    shown(&pages.store, Arc::new(rotated), &Told::Rotated, &request).await
}

/// Checks the connection, and shows each step.
pub(super) async fn check<S: SettingsStore, C: CheckingSender>(
    State(pages): State<Pages<S>>,
    Extension(sender): Extension<C>,
    request: TenantRequest,
    parts: Parts,
    body: Body,
) -> Result<Response, ErrorPage> {
    let (webhook, _) = of_form(&pages, &request, &parts, body).await?;
    // Boxed: connections nest deeply.
    let steps = Box::pin(checking::check(&pages.store, &sender, &request.grant.tenant, webhook.id)).await?;
    let told = Told::Checked(steps.ok_or(ErrorPage::NotFound)?);
    shown(&pages.store, webhook, &told, &request).await
}
