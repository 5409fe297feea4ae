//! `/v1/subscriptions`: webhooks made, read and deleted, their signing secrets, and test sends. Changes of settings are in
//! `subscription_changes`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

use crate::api::openapi::{
    BadBody, Conflict, Denied, IfMatch, Invalid, NotFound, OtherVersion, TooLarge, Unavailable,
};
use crate::api::problem::Problem;
use crate::api::request::body::{self, SETTINGS_LIMIT};
use crate::api::request::caller::Caller;
use crate::api::request::if_match;
use crate::api::request::path::PathParameters;
use crate::api::request::query::{CheckedQuery, PageQuery, cursor};
use crate::api::routes::events::AcceptedEvent;
use crate::api::schema::event_draft::TestEventDraft;
use crate::api::schema::id;
use crate::api::schema::subscription_draft::SubscriptionDraft;
use crate::api::schema::subscription_view::{SubscriptionList, SubscriptionView};
use crate::api::{Api, response};
use loanhook_core::log;
use loanhook_core::model::event_names;
use loanhook_core::model::key::Scope;
use loanhook_core::model::subscription::Subscription;
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, FormulaErrorLog, Intake, Keys, Subscriptions};
use loanhook_core::{holds, intake, subscriptions as use_case};

/// List subscriptions
#[utoipa::path(
    get, path = "/v1/subscriptions", operation_id = "listSubscriptions", tag = "subscriptions", params(PageQuery),
    responses(
        (status = 200, body = SubscriptionList, description = "a page of the subscriptions"),
        Denied, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn list<S: FlowControl + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    CheckedQuery(page): CheckedQuery<PageQuery>,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let (after, limit) = page.check()?;
    let all = api.store.subscriptions(tenant).await?;
    let mut holds = holds::holds(&api.store, tenant, Timestamp::now()).await?;
    let mut rest =
        all.iter().filter(|subscription| after.is_none_or(|after| subscription.id.uuid() > after)).peekable();
    let shown: Vec<_> = rest.by_ref().take(limit).collect();
    let last = shown.last().filter(|_| rest.peek().is_some());
    let next = last.map(|last| cursor(last.id.uuid()));
    let view = |of: &&Arc<Subscription>| SubscriptionView::new(of, holds.remove(&of.id), &caller);
    let items = shown.iter().map(view).collect();
    Ok(response::json(StatusCode::OK, &SubscriptionList { items, next }))
}

/// Create a subscription
///
/// The answer has its signing secret: keep it, it is not shown again.
#[utoipa::path(
    post, path = "/v1/subscriptions", operation_id = "createSubscription", tag = "subscriptions", request_body = SubscriptionDraft,
    responses(
        (status = 201, body = SubscriptionView, description = "the subscription", headers(("ETag" = String, description = "its version, in quotes"))),
        BadBody, Denied, Conflict, TooLarge,
        Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn create<S: Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    raw_body: Body,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let draft: SubscriptionDraft = body::parse(&bytes)?;
    let by = &caller.key().0.name;
    let created = use_case::create(&api.store, tenant, draft.into(), by, Timestamp::now()).await?;
    log::change("subscription.created", caller.key().0, tenant, &created.id);
    let view = SubscriptionView::new(&created, None, &caller).with_secret(&created);
    Ok(response::versioned(created.version, response::secret_json(StatusCode::CREATED, &view)))
}

/// Read a subscription
#[utoipa::path(
    get, path = "/v1/subscriptions/{id}", operation_id = "getSubscription", tag = "subscriptions", params(("id" = id::SubscriptionId, Path)),
    responses(
        (status = 200, body = SubscriptionView, description = "the subscription", headers(("ETag" = String, description = "its version, in quotes"))),
        Denied, NotFound, Unavailable,
    )
)]
pub(in crate::api) async fn get<S: FlowControl + Subscriptions + Keys + FormulaErrorLog + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::HistoryRead)?;
    let found = api.store.subscription(tenant, path.id("id", "subscription")?).await?;
    let found = found.ok_or_else(|| Problem::not_found("subscription"))?;
    let formula_errors = api.store.formula_errors(tenant, found.id).await?;
    let hold = holds::hold_of(&api.store, tenant, found.id, Timestamp::now()).await?;
    let view = SubscriptionView::new(&found, hold, &caller);
    let read = response::json(StatusCode::OK, &view.with_formula_errors(formula_errors));
    Ok(response::versioned(found.version, read))
}

/// Delete a subscription
///
/// Deliveries that were accepted before go on.
#[utoipa::path(
    delete, path = "/v1/subscriptions/{id}", operation_id = "deleteSubscription", tag = "subscriptions",
    params(("id" = id::SubscriptionId, Path), IfMatch),
    responses(
        (status = 204, description = "deleted"),
        Denied, NotFound, Conflict, OtherVersion, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn delete<S: Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    use_case::delete(&api.store, tenant, id, &if_match::of_headers(&headers)?).await?;
    log::change("subscription.deleted", caller.key().0, tenant, &id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Rotate the signing secret
///
/// The answer has the new one. The one before it signs too for 24 h.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/rotate-secret", operation_id = "rotateSecret", tag = "subscriptions",
    params(("id" = id::SubscriptionId, Path)),
    responses(
        (status = 200, body = SubscriptionView, description = "the subscription", headers(("ETag" = String, description = "its version, in quotes"))),
        Denied, NotFound, Conflict, Unavailable,
    )
)]
pub(in crate::api) async fn rotate_secret<S: FlowControl + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    let rotated = use_case::rotate_secret(
        &api.store,
        tenant,
        id,
        &use_case::ExpectedVersions::Any,
        &caller.key().0.name,
        Timestamp::now(),
    )
    .await?;
    log::change("subscription.secret_rotated", caller.key().0, tenant, &id);
    let hold = holds::hold_of(&api.store, tenant, id, Timestamp::now()).await?;
    let view = SubscriptionView::new(&rotated, hold, &caller).with_secret(&rotated);
    Ok(response::versioned(rotated.version, response::secret_json(StatusCode::OK, &view)))
}

/// Send a sample event
///
/// To this subscription alone, whatever its criteria or state. Its rows say that it is a test, the request carries
/// `loanhook-test: 1`, and no trigger remembers it. A subscription to operational events is sent a sample of one, and a body of `{}`
/// is enough.
#[utoipa::path(
    post, path = "/v1/subscriptions/{id}/test", operation_id = "testSubscription", tag = "subscriptions", params(("id" = id::SubscriptionId, Path)),
    request_body = TestEventDraft,
    responses(
        (status = 202, body = AcceptedEvent, description = "accepted: a promise"),
        BadBody, Denied, NotFound, TooLarge,
        Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn test<S: Intake + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    raw_body: Body,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let draft: TestEventDraft = body::parse(&bytes)?;
    let all = api.store.subscriptions(tenant).await?;
    let found = all.iter().find(|subscription| subscription.id == id).cloned();
    let subscription = found.ok_or_else(|| Problem::not_found("subscription"))?;
    let now = Timestamp::now();
    let event = draft.check(&subscription, now)?;
    let is_real = !event.is_operational() && event_names::is_real(&event.name, &all);
    if is_real && !caller.may(Scope::EventsWrite) {
        return Err(Problem::not_allowed(format!(
            "`{}` is the name of real events, and a test of it needs the scope events:write too: use a key that has \
             it, or another eventName",
            event.name
        )));
    }
    let receipt = intake::accept_test(&api.store, subscription, &event, now).await?;
    Ok(response::json(StatusCode::ACCEPTED, &AcceptedEvent::from(receipt)))
}
