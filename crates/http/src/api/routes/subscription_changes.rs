//! Changes of a subscription's settings: all of them replaced, or those that a patch names.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::api::openapi::{
    BadBody, Conflict, Denied, IfMatch, Invalid, NotFound, OtherVersion, TooLarge, Unavailable,
};
use crate::api::problem::Problem;
use crate::api::request::body::{self, SETTINGS_LIMIT};
use crate::api::request::caller::Caller;
use crate::api::request::path::PathParameters;
use crate::api::request::{if_match, merge_patch};
use crate::api::schema::id;
use crate::api::schema::subscription_draft::SubscriptionDraft;
use crate::api::schema::subscription_patch::{PatchedMembers, patched};
use crate::api::schema::subscription_view::SubscriptionView;
use crate::api::{Api, response};
use loanhook_core::log;
use loanhook_core::model::key::Scope;
use loanhook_core::model::subscription::{Subscription, SubscriptionInput};
use loanhook_core::model::time::Timestamp;
use loanhook_core::ports::{FlowControl, Keys, Subscriptions};
use loanhook_core::{holds, subscriptions as use_case};

/// Replace a subscription
///
/// What is left out has its default again. Deliveries that were accepted before go on as they were.
#[utoipa::path(
    put, path = "/v1/subscriptions/{id}", operation_id = "replaceSubscription", tag = "subscriptions",
    params(("id" = id::SubscriptionId, Path), IfMatch), request_body = SubscriptionDraft,
    responses(
        (status = 200, body = SubscriptionView, description = "the subscription", headers(("ETag" = String, description = "its version, in quotes"))),
        BadBody, Denied, NotFound, Conflict, OtherVersion,
        TooLarge, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn replace<S: FlowControl + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    headers: HeaderMap,
    raw_body: Body,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    let expected = if_match::of_headers(&headers)?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    let input = SubscriptionInput::from(body::parse::<SubscriptionDraft>(&bytes)?);
    let settings = |_: &_| Ok(input.clone());
    let (by, now) = (&caller.key().0.name, Timestamp::now());
    let replaced = use_case::change(&api.store, tenant, id, &expected, settings, by, now).await?;
    log::change("subscription.replaced", caller.key().0, tenant, &id);
    changed(&api.store, &replaced, &caller).await
}

/// Change a subscription
///
/// A JSON Merge Patch (RFC 7396): what it names is changed, null gives the default again, an array is replaced whole, and all
/// else stays, header values included. It is applied to the newest version, whatever came in between, unless `If-Match`
/// names versions. Deliveries that were accepted before go on as they were.
#[utoipa::path(
    patch, path = "/v1/subscriptions/{id}", operation_id = "changeSubscription", tag = "subscriptions",
    params(("id" = id::SubscriptionId, Path), IfMatch),
    request_body(content(
        (PatchedMembers = "application/merge-patch+json"),
        (PatchedMembers = "application/json"),
    )),
    responses(
        (status = 200, body = SubscriptionView, description = "the subscription", headers(("ETag" = String, description = "its version, in quotes"))),
        BadBody, Denied, NotFound, Conflict, OtherVersion,
        TooLarge, Invalid, Unavailable,
    )
)]
pub(in crate::api) async fn patch<S: FlowControl + Subscriptions + Keys + Send + Sync>(
    State(api): State<Api<S>>,
    caller: Caller,
    path: PathParameters,
    headers: HeaderMap,
    raw_body: Body,
) -> Result<Response, Problem> {
    let tenant = caller.require(Scope::SubscriptionsWrite)?;
    let id = path.id("id", "subscription")?;
    merge_patch::check_media_type(&headers)?;
    let expected = if_match::of_headers(&headers)?;
    let bytes = body::read(&caller, raw_body, SETTINGS_LIMIT).await?;
    // A member that is null leaves nothing in the result, so whether there is one of its name is checked here.
    body::parse::<PatchedMembers>(&bytes)?;
    let patch: Value = body::parse(&bytes)?;
    let settings = |current: &_| patched(current, &patch, &caller);
    let (by, now) = (&caller.key().0.name, Timestamp::now());
    let patched = use_case::change(&api.store, tenant, id, &expected, settings, by, now).await?;
    log::change("subscription.patched", caller.key().0, tenant, &id);
    changed(&api.store, &patched, &caller).await
}

/// The answer of a change: the subscription, and its version as `ETag`.
async fn changed<S: FlowControl>(
    store: &S,
    subscription: &Subscription,
    caller: &Caller,
) -> Result<Response, Problem> {
    let (tenant, id) = (&subscription.tenant, subscription.id);
    let hold = holds::hold_of(store, tenant, id, Timestamp::now()).await?;
    let view = SubscriptionView::new(subscription, hold, caller);
    Ok(response::versioned(subscription.version, response::json(StatusCode::OK, &view)))
}
